"""Reader of MNIST's file format, plain or gzipped."""
import gzip
import os

import numpy as np


def load(folder, split="train"):
    """Images `[n, 28, 28]` and labels `[n]`, bytes."""

    def read(name, offset):
        path = f"{folder}/{name}"
        with gzip.open(path + ".gz") if os.path.exists(path + ".gz") else open(path, "rb") as file:
            return np.frombuffer(file.read(), np.uint8, offset=offset)

    images = read(f"{split}-images-idx3-ubyte", 16).reshape(-1, 28, 28)
    return images, read(f"{split}-labels-idx1-ubyte", 8)
