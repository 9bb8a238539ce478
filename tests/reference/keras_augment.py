"""Makes tests/fixtures/data/augment.json: what Keras's apply_affine_transform, apply_channel_shift and apply_brightness_shift, Pillow and
torchvision make of a small picture, for figures that are given instead of drawn.

    python3 -m venv venv && venv/bin/pip install keras==3.15.1 tensorflow-cpu==2.21.0 scipy==1.17.1 pillow==13.0.0 torchvision==0.26.0
    venv/bin/python tests/reference/keras_augment.py

Pixel (y, x, c) of a picture is (7 y^2 + 13 x y + 29 x + 83 c) % 256: steep, so that a place that is wrong shows.

Keras hands transform_matrix_offset_center height and width where its matrix takes x, along the columns, first; so a picture that is not
square turns about a point beside its centre. Frostline doesn't repeat that: for such pictures the two are exchanged here. Square
pictures go through Keras as it is. Warped levels are stored in hundredths.
"""

import json
import math
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import PIL
import scipy
import torch
import torchvision
from keras.src.legacy.preprocessing import image as legacy
from PIL import Image
from torchvision.transforms import functional as F
from torchvision.transforms import v2

as_it_is = legacy.transform_matrix_offset_center


def picture(height, width, channels=3):
    y, x, c = np.ogrid[:height, :width, :channels]
    return ((7 * y * y + 13 * x * y + 29 * x + 83 * c) % 256).astype(np.uint8)


def hundredths(array):
    return np.rint(np.asarray(array, np.float64) * 100).astype(int).ravel().tolist()


WARPS = [
    {},
    {"flip": "h"},
    {"flip": "hv"},
    {"tx": 3.25, "ty": -2.4},
    {"tx": -40.3, "ty": 25.6},
    {"theta": 33.0},
    {"theta": -140.0, "flip": "v"},
    {"shear": 25.0},
    {"zx": 0.55, "zy": 0.8},
    {"zx": 2.7, "zy": 1.9},
    {"theta": 17.0, "tx": 2.2, "ty": 1.3, "shear": -12.0, "zx": 1.17, "zy": 0.83},
    {"theta": -39.0, "tx": -2.9, "ty": 2.6, "shear": 0.2, "zx": 0.81, "zy": 1.19, "flip": "h"},
]
SIZES = [(13, 13, 3), (9, 21, 3), (17, 6, 1)]
warps = []
for number, warp in enumerate(WARPS):
    for mode in ["nearest", "constant", "reflect", "wrap"]:
        # Every warp on a square, in turn on the others.
        for size in [SIZES[0], SIZES[1 + number % 2]]:
            height, width, channels = size
            swapped = lambda matrix, x, y: as_it_is(matrix, y, x)
            legacy.transform_matrix_offset_center = as_it_is if height == width else swapped
            given = {key: value for key, value in warp.items() if key != "flip"}
            x = picture(*size).astype(np.float64)
            x = legacy.apply_affine_transform(
                x, **given, row_axis=0, col_axis=1, channel_axis=2, fill_mode=mode, cval=77.0, order=1
            )
            if "h" in warp.get("flip", ""):
                x = legacy.flip_axis(x, 1)
            if "v" in warp.get("flip", ""):
                x = legacy.flip_axis(x, 0)
            warps.append({**warp, "size": size, "mode": mode, "expected": hundredths(x)})

tones = []
for channels in [3, 1]:
    x = picture(9, 11, channels) // 2 + 40
    image = Image.fromarray(x if channels == 3 else x[..., 0])
    keep = lambda name, figure, y: tones.append(
        {"name": name, "figure": figure, "channels": channels, "expected": np.asarray(y).ravel().tolist()}
    )
    for figure in [0.0, 0.37, 1.0, 1.4, 2.6]:
        keep("keras_brightness", figure, legacy.apply_brightness_shift(x.astype(float), figure, False).astype(int))
        keep("brightness", figure, F.adjust_brightness(image, figure))
        keep("contrast", figure, F.adjust_contrast(image, figure))
        keep("saturation", figure, F.adjust_saturation(image, figure))
    for figure in [-0.5, -0.21, 0.0, 0.1, 0.43]:
        keep("hue", figure, F.adjust_hue(image, figure))
    for figure in [-70.3, -4.2, 9.6, 55.0]:
        keep("channel_shift", figure, np.floor(legacy.apply_channel_shift(x.astype(float), figure, 2) + 0.5).astype(int))

# torchvision crops, then brings the part to the full size: Pillow's bilinear filter, which has nothing to blur as the part grows.
crops = []
for top, left, height, width in [(0, 0, 13, 17), (2, 3, 7, 9), (5, 11, 8, 6), (12, 0, 1, 17), (4, 16, 3, 1)]:
    x = torch.from_numpy(picture(13, 17)).permute(2, 0, 1).double()
    y = F.resized_crop(x, top, left, height, width, [13, 17], antialias=True)
    crops.append({"region": [top, left, height, width], "expected": hundredths(y.permute(1, 2, 0).numpy())})

# The mixing that torchvision does once its share and centre are given.
mixes = []
batch = torch.stack([torch.from_numpy(picture(6, 7) ^ np.uint8(41 * i)).permute(2, 0, 1).double() for i in range(3)])
for share in [0.25, 0.875]:
    y = v2.MixUp(num_classes=5).transform(batch, {"lam": share, "labels": None, "batch_size": 3})
    mixes.append({"share": share, "expected": hundredths(y.permute(0, 2, 3, 1).numpy())})
for share, row, column in [(0.7, 3, 2), (0.2, 0, 6), (0.9, 5, 0), (0.99, 3, 3)]:
    params = dict(zip(["randint"], [iter([torch.tensor([column]), torch.tensor([row])])]))
    cutmix = v2.CutMix(num_classes=5)
    cutmix._dist = type("", (), {"sample": lambda self, shape: torch.tensor(share, dtype=torch.float64)})()
    original, torch.randint = torch.randint, lambda *a, **k: next(params["randint"])
    drawn = cutmix.make_params([batch])
    torch.randint = original
    y = cutmix.transform(batch, {**drawn, "labels": None, "batch_size": 3})
    mixes.append(
        {
            "share": share,
            "centre": [row, column],
            "box": drawn["box"],
            "adjusted": drawn["lam_adjusted"],
            "expected": hundredths(y.permute(0, 2, 3, 1).numpy()),
        }
    )

# Beta(a, a) at 0.1, 0.2, ... 0.9: the share of draws below.
betas = [{"alpha": a, "below": [float(scipy.stats.beta.cdf(i / 10, a, a)) for i in range(1, 10)]} for a in [0.05, 0.2, 0.8, 1.0, 4.0]]

about = (
    f"keras_augment.py with keras {keras.__version__}, scipy {scipy.__version__}, pillow {PIL.__version__}, "
    f"torchvision {torchvision.__version__}"
)
path = pathlib.Path(__file__).parents[1] / "fixtures/data/augment.json"
lines = lambda cases: "[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]"
tables = {"warps": warps, "tones": tones, "crops": crops, "mixes": mixes, "betas": betas}
path.write_text(f'{{"made by":"{about}",' + ",\n".join(f'"{name}":{lines(cases)}' for name, cases in tables.items()) + "}\n")
print(path.stat().st_size, "bytes")
