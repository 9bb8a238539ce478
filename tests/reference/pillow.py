"""What Pillow makes of small pictures, for src/data: nearest resize, luma, and RGB of files with alpha, palettes and 16 bits.

    python3 -m venv VENV && VENV/bin/pip install pillow==13.0.0 numpy
    VENV/bin/python tests/reference/pillow.py     # rewrites tests/fixtures/data/pillow/
"""
import json
import pathlib

import numpy as np
import PIL
from PIL import Image

here = pathlib.Path(__file__).resolve().parent
out = here.parent / "fixtures" / "data" / "pillow"
out.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(5)

# Which source pixel nearest takes: resize a ramp of indices (mode I holds 32 bits).
nearest = []
for source in [1, 2, 3, 5, 7, 10, 28, 33, 64, 97, 150, 363, 405, 499, 500]:
    ramp = Image.fromarray(np.arange(source, dtype=np.int32)[None, :], mode="I")
    for target in [1, 2, 3, 4, 6, 9, 15, 28, 32, 50, 64, 150, 224]:
        picked = np.asarray(ramp.resize((target, 1), Image.Resampling.NEAREST))[0]
        nearest.append({"from": source, "to": target, "picked": picked.tolist()})

# RGB to grey on colours that include the extremes.
colours = np.concatenate([rng.integers(0, 256, (200, 3)), [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]])
rgb = Image.fromarray(colours[None].astype(np.uint8), mode="RGB")
luma = np.asarray(rgb.convert("L"))[0]

# Files as Keras's load_img reads them: convert, then resize nearest.
files = []


def keep(name, image, **options):
    image.save(out / name, **options)
    opened = Image.open(out / name)
    row = {"file": name, "height": 5, "width": 4}
    row["rgb"] = np.asarray(opened.convert("RGB").resize((4, 5), Image.Resampling.NEAREST)).ravel().tolist()
    row["grey"] = np.asarray(opened.convert("L").resize((4, 5), Image.Resampling.NEAREST)).ravel().tolist()
    files.append(row)


def noise(channels):
    return rng.integers(0, 256, (9, 11, channels), dtype=np.uint8)


keep("rgb.png", Image.fromarray(noise(3)))
keep("rgba.png", Image.fromarray(noise(4)))
keep("grey.png", Image.fromarray(noise(1)[..., 0]))
keep("grey_alpha.png", Image.fromarray(noise(2), mode="LA"))
keep("palette.png", Image.fromarray(noise(3)).quantize(16))
keep("one_bit.png", Image.fromarray(noise(1)[..., 0]).convert("1"))
keep("rgb.bmp", Image.fromarray(noise(3)))
keep("palette.gif", Image.fromarray(noise(3)).quantize(16))
keep("lossless.webp", Image.fromarray(noise(3)), lossless=True)
(out / "pillow.json").write_text(json.dumps({"pillow": PIL.__version__, "nearest": nearest, "colours": colours.ravel().tolist(), "luma": luma.tolist(), "files": files}) + "\n")

# A JPEG's decoders may differ by rounding, so this one is compared with a tolerance.
smooth = np.add.outer(np.arange(24) * 6, np.arange(32) * 3)[..., None] + np.array([0, 10, 20])
Image.fromarray(smooth.astype(np.uint8)).save(out / "smooth.jpg", quality=90)
whole = np.asarray(Image.open(out / "smooth.jpg").convert("RGB").resize((8, 6), Image.Resampling.NEAREST))
(out / "jpeg.json").write_text(json.dumps({"file": "smooth.jpg", "height": 6, "width": 8, "rgb": whole.ravel().tolist()}) + "\n")
