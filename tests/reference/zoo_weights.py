"""Weights for the networks of the zoo that this side and src/engine/tests/zoo.rs make alike, and what is written of a result.

Kernels are uniform with He's variance for what they read, so that activations keep their size through a hundred layers; statistics
are such that a normalisation neither shrinks nor swells what passes, and that a mix-up of any two of them shows. The second kernel of a
separable convolution has half of that variance, since no ReLU halves what it reads.
"""

import numpy as np

from keras_formula import floats, fnv1a, tiled


def weight(name, role, shape, fan_in=None):
    """`role` is kernel, pointwise, gamma, variance or other (biases, betas, means)."""
    if role == "kernel":
        return tiled(name, shape, np.float32(np.sqrt(6.0 / fan_in)))
    if role == "pointwise":
        return tiled(name, shape, np.float32(np.sqrt(3.0 / fan_in)))
    if role == "gamma":
        return np.float32(1.0) + tiled(name, shape, 0.4)
    if role == "variance":
        return np.float32(1.1) + tiled(name, shape, 0.5)
    return tiled(name, shape, 0.2)


def image(height, width):
    """[1, h, w, 3] in [-1, 1)."""
    return floats("image", (1, height, width, 3))


def sample(values, count=160):
    """So many elements, evenly over the whole in row-major order."""
    flat = np.asarray(values, dtype=np.float64).reshape(-1)
    count = min(count, flat.size)
    return [float(f"{flat[i * flat.size // count]:.9g}") for i in range(count)]


def rounding(exact, rounded):
    """How far the reference itself is from its float64 result in float32, in units of the largest element."""
    exact = np.asarray(exact, dtype=np.float64)
    return float(f"{np.abs(np.asarray(rounded, dtype=np.float64) - exact).max() / np.abs(exact).max():.2g}")


def digest(names):
    """Of a set of names."""
    return f"{int(fnv1a(chr(10).join(sorted(names)))):016x}"


def case(exact_map, rounded_map, exact_logits, rounded_logits, **about):
    """Maps are [h, w, c]."""
    return about | {
        "map_shape": list(exact_map.shape),
        "map": sample(exact_map),
        "map_rounding": rounding(exact_map, rounded_map),
        "logits": sample(exact_logits),
        "logits_rounding": rounding(exact_logits, rounded_logits),
    }
