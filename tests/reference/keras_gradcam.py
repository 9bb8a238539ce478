"""Makes tests/fixtures/keras/gradcam.json: Grad-CAM as in the book (listings 5.40 to 5.43), with GradientTape in Keras 3, in float64.

    venv/bin/python tests/reference/keras_gradcam.py        (the environment of keras_layers.py)

The score is the logit: of a single sigmoid unit x for the second class and -x for the first. The heat is not resized.
"""

import json
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from keras import layers as k

from keras_formula import bytes_, floats

keras.config.set_floatx("float64")
SIDE, TARGETS = 12, ["conv2d", "max_pooling2d", "conv2d_1", "batch_normalization"]


def network(units):
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3), dtype="float64"),
            k.Conv2D(4, 3, activation="relu", padding="same", name="conv2d"),
            k.MaxPooling2D(2, name="max_pooling2d"),
            k.Conv2D(6, 3, activation="relu", name="conv2d_1"),
            k.BatchNormalization(name="batch_normalization"),
            k.Flatten(),
            k.Dense(8, activation="relu", name="dense"),
            k.Dense(units, name="dense_1"),
        ]
    )
    for variable in model.weights:
        name = "/".join(variable.path.split("/")[-2:])
        values = floats(f"{units}/{name}", variable.shape, 0.5)
        variable.assign(values + np.float32(1.0) if name.endswith("moving_variance") else values)
    return model


def figures(array):
    return [float(f"{value:.9g}") for value in np.asarray(array, np.float64).ravel()]


cases = []
for units in [1, 3]:
    model = network(units)
    x = bytes_("picture", SIDE * SIDE * 3).reshape(1, SIDE, SIDE, 3).astype(np.float32) * np.float32(1 / 255)
    for target in TARGETS:
        layer = model.get_layer(target)
        both = keras.Model(model.inputs, [layer.output, model.outputs[0]])
        for label in range(max(units, 2)):
            with tf.GradientTape() as tape:
                activations, logits = both(tf.constant(x, tf.float64), training=False)
                score = logits[0, label] if units > 1 else logits[0, 0] * (1 if label == 1 else -1)
            pooled = tf.reduce_mean(tape.gradient(score, activations), axis=(0, 1, 2))
            heat = np.maximum(np.asarray(tf.reduce_sum(activations[0] * pooled, axis=-1)), 0)
            last = np.asarray(logits)[0]
            odds = [1 / (1 + np.exp(last[0])), 1 / (1 + np.exp(-last[0]))] if units == 1 else np.exp(last) / np.exp(last).sum()
            cases.append(
                {
                    "units": units,
                    "layer": target,
                    "class": label,
                    "probabilities": figures(odds),
                    "activations": figures(np.asarray(activations)[0].transpose(2, 0, 1)),
                    "heat": figures(heat / heat.max() if heat.max() > 0 else heat),
                }
            )
about = f"keras_gradcam.py with keras {keras.__version__}, tensorflow {tf.__version__}, float64"
path = pathlib.Path(__file__).parents[1] / "fixtures/keras/gradcam.json"
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
path.write_text(f'{{"made by":"{about}","cases":[\n{lines}\n]}}\n')
print([(c["units"], c["layer"], c["class"], round(sum(c["heat"]), 3)) for c in cases], path.stat().st_size, "bytes")
