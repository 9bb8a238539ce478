"""The difference hash of a small picture by Pillow, for src/data/survey: brightness, averaged over 9x8 cells of 3x3 pixels, and a one
for each cell whose right neighbour is brighter, row by row from the highest bit on.

    python3 -m venv VENV && VENV/bin/pip install pillow==13.0.0 numpy
    VENV/bin/python tests/reference/pillow_dhash.py     # rewrites tests/fixtures/data/dhash.json and dhash.png
"""
import json
import pathlib

import numpy as np
import PIL
from PIL import Image

folder = pathlib.Path(__file__).parent.parent / "fixtures" / "data"
noise = np.random.default_rng(7).integers(0, 256, (24, 27, 3), dtype=np.uint8)
picture = Image.fromarray(noise)
picture.save(folder / "dhash.png")
cells = np.asarray(picture.convert("L").resize((9, 8), Image.Resampling.BOX)).astype(int)
steps = np.diff(cells, axis=1)
bits = "".join("1" if step > 0 else "0" for step in steps.flatten())
# Steps of at most a grey level may turn over with the rounding.
close = int((np.abs(steps) <= 1).sum())
(folder / "dhash.json").write_text(json.dumps({"pillow": PIL.__version__, "hash": f"{int(bits, 2):016x}", "close": close}) + "\n")
