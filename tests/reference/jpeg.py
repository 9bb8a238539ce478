"""What Pillow and libjpeg-turbo make of small JPEGs and of resizing, for src/data/decode and src/data/resize.

    python3 -m venv VENV && VENV/bin/pip install pillow==13.0.0 numpy
    VENV/bin/python tests/reference/jpeg.py     # rewrites tests/fixtures/data/jpeg/
"""
import io
import json
import pathlib
import zlib

import numpy as np
import PIL
from PIL import Image, ImageOps, features

here = pathlib.Path(__file__).resolve().parent
out = here.parent / "fixtures" / "data" / "jpeg"
out.mkdir(parents=True, exist_ok=True)
FILTERS = {
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def scene(width, height, channels=3):
    """Waves, an edge and a little noise: every kind of coefficient occurs."""
    rng = np.random.default_rng(11)
    y, x = np.mgrid[0:height, 0:width]
    waves = [128 + 70 * np.sin(x / (4 + c) + c) * np.cos(y / (7 - c)) for c in range(channels)]
    image = np.stack(waves, -1) + rng.normal(0, 6, (height, width, channels))
    image[y * 2 > x + height / 2] *= 0.5
    return np.clip(image, 0, 255).astype(np.uint8)


def crc(plane):
    return zlib.crc32(np.ascontiguousarray(plane).tobytes())


WIDTH, HEIGHT = 85, 59
rgb, grey = Image.fromarray(scene(WIDTH, HEIGHT)), Image.fromarray(scene(WIDTH, HEIGHT, 1)[..., 0])
ordinary = {
    "420.jpg": (rgb, dict(quality=90, subsampling=2)),
    "422.jpg": (rgb, dict(quality=75, subsampling=1)),
    "444.jpg": (rgb, dict(quality=60, subsampling=0)),
    "fine.jpg": (rgb, dict(quality=100, subsampling=2)),
    "coarse.jpg": (rgb, dict(quality=12, subsampling=2, optimize=True)),
    "restart.jpg": (rgb, dict(quality=80, subsampling=2, restart_marker_blocks=5)),
    "grey.jpg": (grey, dict(quality=85)),
}
# What our own decoder leaves to the library.
unusual = {
    "progressive.jpg": (rgb, dict(quality=80, progressive=True)),
    "cmyk.jpg": (Image.fromarray(scene(WIDTH, HEIGHT, 4), mode="CMYK"), dict(quality=90)),
    "rgb.jpg": (rgb, dict(quality=90, keep_rgb=True)),
}
files = []
for name, (image, options) in {**ordinary, **unusual}.items():
    image.save(out / name, **options)
# The same inks, but said to be YCCK: the last byte of Adobe's segment is the transform.
inks = bytearray((out / "cmyk.jpg").read_bytes())
adobe = inks.index(b"Adobe")
assert inks[adobe + 11] == 0
inks[adobe + 11] = 2
(out / "ycck.jpg").write_bytes(inks)

for name in [*ordinary, *unusual, "ycck.jpg"]:
    row = {"file": name, "planes": [], "resized": []}
    if name in ordinary:
        for part in [1, 2, 4, 8]:
            opened = Image.open(out / name)
            # Ask for a size that libjpeg reaches by 1/part and no less.
            size = (-(-WIDTH // part), -(-HEIGHT // part))
            opened.draft("L" if name == "grey.jpg" else "YCbCr", (WIDTH // part, HEIGHT // part))
            planes = np.atleast_3d(np.asarray(opened))
            assert opened.size == size, (name, part, opened.size)
            # Chroma is comparable where libjpeg does not upsample it.
            whole = name == "444.jpg" or ("422" not in name and part > 1)
            count = planes.shape[2] if whole else 1
            row["planes"].append({"width": size[0], "height": size[1], "crc": [crc(planes[..., c]) for c in range(count)]})
    full = Image.open(out / name).convert("RGB")
    for word, filter in FILTERS.items():
        row["resized"].append({"filter": word, "width": 14, "height": 11, "rgb": np.asarray(full.resize((14, 11), filter)).tobytes().hex()})
    files.append(row)

# Resizing alone, from pixels that both sides know: down, up, and one side each.
source = Image.fromarray(scene(33, 29))
source.save(out / "scene.png")
resized = []
for width, height in [(12, 10), (40, 31), (33, 7), (9, 29), (1, 1)]:
    for word, filter in FILTERS.items():
        resized.append({"filter": word, "width": width, "height": height, "rgb": np.asarray(source.resize((width, height), filter)).tobytes().hex()})

# Each of EXIF's eight orientations, on a JPEG and on a PNG.
upright = []
corner = Image.fromarray(scene(24, 16))
for kind in ["jpg", "png"]:
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        buffer = io.BytesIO()
        corner.save(buffer, "JPEG" if kind == "jpg" else "PNG", exif=exif, quality=95, subsampling=0)
        name = f"turned_{orientation}.{kind}"
        (out / name).write_bytes(buffer.getvalue())
        shown = ImageOps.exif_transpose(Image.open(out / name)).convert("RGB")
        upright.append({
            "file": name, "orientation": orientation, "shown": list(shown.size),
            "nearest": np.asarray(shown.resize((6, 5), Image.Resampling.NEAREST)).tobytes().hex(),
            "bilinear": np.asarray(shown.resize((6, 5), Image.Resampling.BILINEAR)).tobytes().hex(),
        })
made = {"pillow": PIL.__version__, "libjpeg_turbo": features.version("libjpeg_turbo")}
(out / "jpeg.json").write_text(json.dumps({**made, "files": files, "resized": resized, "upright": upright}) + "\n")
