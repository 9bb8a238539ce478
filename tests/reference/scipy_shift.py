"""Shifted pictures as Keras's ImageDataGenerator makes them, by the call it makes: scipy.ndimage.affine_transform with order=1,
mode="nearest", on each channel in float, then flips.

    python3 -m venv VENV && VENV/bin/pip install scipy numpy
    VENV/bin/python tests/reference/scipy_shift.py     # rewrites tests/fixtures/data/scipy_shift.json
"""
import json
import pathlib

import numpy as np
import scipy
from scipy import ndimage

rng = np.random.default_rng(7)
cases = []
for height, width, channels, down, right, horizontal, vertical in [
    (5, 6, 3, 0.0, 0.0, True, False),
    (5, 6, 3, 1.0, -2.0, False, False),
    (5, 6, 3, 0.4, 1.7, False, False),
    (7, 4, 1, -1.25, 0.5, True, False),
    (7, 4, 1, -0.3, -0.9, False, True),
    (6, 8, 3, 2.6, -3.4, True, True),
    (3, 3, 1, -5.5, 9.25, False, False),
    (1, 1, 3, 0.2, -0.2, True, True),
]:
    image = rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
    shifted = np.stack(
        [
            ndimage.affine_transform(image[..., c].astype(np.float64), np.eye(2), [down, right], order=1, mode="nearest")
            for c in range(channels)
        ],
        axis=-1,
    )
    if horizontal:
        shifted = shifted[:, ::-1]
    if vertical:
        shifted = shifted[::-1]
    cases.append({
        "height": height, "width": width, "channels": channels, "down": down, "right": right,
        "horizontal_flip": horizontal, "vertical_flip": vertical,
        "image": image.ravel().tolist(), "expected": [round(v, 4) for v in shifted.ravel().tolist()],
    })

path = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "data" / "scipy_shift.json"
path.write_text(json.dumps({"scipy": scipy.__version__, "cases": cases}) + "\n")
