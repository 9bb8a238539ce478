"""Numbers that this side and src/engine/tests/formula.rs make alike, so that figures need no inputs or initial weights beside them.

Element i of the tensor called `name` comes from SplitMix64 (Steele, Lea, Flood 2014) at the position FNV-1a(name) + (i + 1) * golden:
its upper 24 bits, which a float32 holds exactly.
"""

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def fnv1a(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return np.uint64(value)


def bits(name, count):
    with np.errstate(over="ignore"):
        z = fnv1a(name) + (np.arange(count, dtype=np.uint64) + np.uint64(1)) * GOLDEN
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def floats(name, shape, scale=1.0):
    """Uniform in [-scale, scale), float32, in row-major order of `shape`."""
    whole = (bits(name, int(np.prod(shape))) >> np.uint64(40)).astype(np.float32)
    unit = whole * np.float32(2.0**-23) - np.float32(1.0)
    return (unit * np.float32(scale)).reshape(shape)


# A prime, so that no row of a kernel repeats the one before.
PERIOD = 4093


def tiled(name, shape, scale=1.0):
    """As `floats`, but the first PERIOD elements over and over: networks have a hundred million weights."""
    count = int(np.prod(shape))
    return np.resize(floats(name, (min(count, PERIOD),), scale), count).reshape(shape)


def bytes_(name, count):
    return (bits(name, count) >> np.uint64(56)).astype(np.uint8)
