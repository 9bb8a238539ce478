"""Reader of MNIST's file format, gzipped."""
import gzip

import numpy as np


def load(folder, split="train"):
    """Images `[n, 28, 28]` and labels `[n]`, bytes."""

    def read(name, offset):
        with gzip.open(f"{folder}/{name}") as file:
            return np.frombuffer(file.read(), np.uint8, offset=offset)

    images = read(f"{split}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    return images, read(f"{split}-labels-idx1-ubyte.gz", 8)
