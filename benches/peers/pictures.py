#!/usr/bin/env python3
"""Draws a data set of cats and dogs that costs what photographs cost: no download, the same files everywhere.

  python pictures.py OUT [--train 2000 --validation 1000 --test 1000 --seed 7 --processes 2]

OUT/{train,validation,test}/{cats,dogs}/{cat,dog}.N.jpg, half of each split a class. A picture is 1/f noise in luminance and weaker in
chroma, soft shading, an animal (pointed ears: cat, hanging ears: dog), a few sharp lines and sensor noise. Sizes spread as those of
Kaggle's set do (mode 499x375, mean about 404x360); JPEG quality 90, 4:2:0. A file depends on nothing but (seed, split, class, number).
"""
import argparse
import os
import zlib
from multiprocessing import Pool

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def noise(rng, height, width, beta):
    """1/f^beta noise of variance 1."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = 1
    shape = (height, width // 2 + 1)
    spectrum = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    spectrum /= frequency**beta
    spectrum[0, 0] = 0
    plane = np.fft.irfft2(spectrum, (height, width))
    return (plane / plane.std()).astype(np.float32)


def size(rng):
    draw = rng.random()
    if draw < 0.35:
        return 499, 375
    if draw < 0.45:
        return 375, 499
    width = int(rng.integers(260, 440))
    return width, int(np.clip(width * rng.uniform(0.68, 1.2), 200, 499))


def animal(rng, width, height, name):
    """Its mask, 0 to 1, and where its head is."""
    mask = Image.new("L", (width, height))
    draw = ImageDraw.Draw(mask)
    unit = min(width, height) * rng.uniform(0.22, 0.34)
    x, y = width * rng.uniform(0.35, 0.65), height * rng.uniform(0.35, 0.6)
    draw.ellipse([x - 1.1 * unit, y + 0.3 * unit, x + 1.1 * unit, y + 2.2 * unit], fill=170)
    draw.ellipse([x - 0.7 * unit, y - 0.7 * unit, x + 0.7 * unit, y + 0.7 * unit], fill=220)
    for side in (-1, 1):
        if name == "cats":
            tip = (x + side * 0.65 * unit, y - 1.2 * unit)
            draw.polygon([tip, (x + side * 0.15 * unit, y - 0.6 * unit), (x + side * 0.65 * unit, y - 0.2 * unit)], fill=255)
        else:
            ear = x + side * 0.7 * unit
            draw.ellipse([ear - 0.22 * unit, y - 0.5 * unit, ear + 0.22 * unit, y + 0.65 * unit], fill=255)
    blurred = mask.filter(ImageFilter.GaussianBlur(1.0))
    return np.asarray(blurred, np.float32) / 255, (x, y, unit)


def picture(split, name, number, seed):
    rng = np.random.default_rng([seed, zlib.crc32(f"{split}/{name}".encode()), number])
    width, height = size(rng)
    light = noise(rng, height, width, 1.7) * rng.uniform(16, 36)
    blue, red = noise(rng, height, width, 1.9) * 9, noise(rng, height, width, 1.9) * 9
    across, down = rng.uniform(-40, 40, 2)
    light += rng.uniform(90, 150) + across * np.linspace(-1, 1, width)[None] + down * np.linspace(-1, 1, height)[:, None]
    mask, (x, y, unit) = animal(rng, width, height, name)
    fur = noise(rng, height, width, 1.2) * rng.uniform(6, 12)
    tone = rng.uniform(-70, 70)
    light = light * (1 - 0.55 * mask) + mask * (0.55 * 120 + tone + fur)
    blue += mask * rng.uniform(-14, 6)
    red += mask * rng.uniform(-4, 18)
    grey = Image.fromarray(np.clip(light, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(grey)
    for side in (-1, 1):
        eye = x + side * 0.28 * unit
        draw.ellipse([eye - 0.09 * unit, y - 0.15 * unit, eye + 0.09 * unit, y + 0.05 * unit], fill=15)
    for _ in range(int(rng.integers(2, 7))):
        ends = rng.uniform(0, 1, 4) * [width, height, width, height]
        draw.line(list(ends), fill=int(rng.integers(0, 255)), width=int(rng.integers(1, 4)))
    sensor = rng.standard_normal((height, width)).astype(np.float32) * rng.uniform(0, 0.9)
    planes = (np.asarray(grey, np.float32) + sensor, blue + 128, red + 128)
    return Image.merge("YCbCr", [Image.fromarray(np.clip(plane, 0, 255).astype(np.uint8)) for plane in planes])


def write(job):
    out, split, name, number, seed = job
    path = f"{out}/{split}/{name}/{name[:3]}.{number}.jpg"
    if not os.path.exists(path):
        picture(split, name, number, seed).save(path + ".part", "JPEG", quality=90, subsampling=2)
        os.rename(path + ".part", path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    for split, count in (("train", 2000), ("validation", 1000), ("test", 1000)):
        parser.add_argument("--" + split, type=int, default=count)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    given = parser.parse_args()
    jobs = []
    for split in ("train", "validation", "test"):
        for name in ("cats", "dogs"):
            os.makedirs(f"{given.out}/{split}/{name}", exist_ok=True)
            jobs += [(given.out, split, name, number, given.seed) for number in range(getattr(given, split) // 2)]
    with Pool(given.processes) as pool:
        pool.map(write, jobs, 32)


if __name__ == "__main__":
    main()
