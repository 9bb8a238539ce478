"""Makes tests/fixtures/keras/training.json and .safetensors: 20 steps of the book's MNIST convnet under every update rule.

    venv/bin/python tests/reference/keras_training.py        (the environment of keras_layers.py, and safetensors)

Initial weights and pictures come from keras_formula.py. The rate is halved after ten steps: rules that keep the rate inside of their
velocity and rules that do not part there.

Every rule runs in float64, which is the reference, and four times in float32, which says how far float32 strays from it: once as it
is, and three times with each initial weight moved to a neighbouring float.

ReLU and max-pool decide by comparing, and where two values differ by less than their rounding, a float32 run may take the other side
and get another gradient. Then nothing can be said of another implementation, so every rule takes the first set of pictures (`salt`)
without so close a comparison: eight more float32 runs, with weights moved by four floats, must stray in proportion and no further.

The final weights of the float64 run are kept at every eighth element, in Keras's layout, as `<rule>/<layer>/<parameter>`. `worst` and
`rms` in the JSON are the largest of the four float32 runs' distances from the whole tensor, `worst_loss` likewise over all steps.
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
from safetensors.numpy import save_file

from keras_formula import bytes_, floats

STEPS, BATCH, CLASSES, EVERY = 20, 8, 10, 8

# How many floats away the initial weights begin, in each float32 run.
STRAYS, MARGINS = [0, 1, 1, 1], [4] * 8

# Moved four times as far, and some room for the chance of it.
IN_PROPORTION = 8.0

# Keras's settings beside the rate, and the rate.
RULES = {
    "sgd": (keras.optimizers.SGD, {}, 0.01),
    "momentum": (keras.optimizers.SGD, {"momentum": 0.9}, 0.01),
    "nesterov": (keras.optimizers.SGD, {"momentum": 0.9, "nesterov": True}, 0.01),
    "rmsprop": (keras.optimizers.RMSprop, {"rho": 0.9, "epsilon": 1e-7}, 0.001),
    "rmsprop_momentum": (keras.optimizers.RMSprop, {"rho": 0.9, "momentum": 0.5, "epsilon": 1e-7}, 0.001),
    "adam": (keras.optimizers.Adam, {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}, 0.001),
    "adam_large_epsilon": (keras.optimizers.Adam, {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 0.01}, 0.001),
    "adamw": (
        keras.optimizers.AdamW,
        {"beta_1": 0.9, "beta_2": 0.999, "weight_decay": 0.04, "epsilon": 1e-7},
        0.001,
    ),
}


def pictures(salt, step):
    """Each class has a pattern of 7x7 squares of its own; a quarter of every pixel is noise."""
    labels = bytes_(f"labels/{salt}/{step}", BATCH) % CLASSES
    noise = bytes_(f"noise/{salt}/{step}", BATCH * 784).reshape(BATCH, 28, 28)
    patterns = bytes_("patterns", CLASSES * 49).reshape(CLASSES, 7, 7).repeat(4, 1).repeat(4, 2)
    return (patterns[labels] // 4 * 3 + noise // 4)[..., None], labels.astype(np.int64)


def name_of(variable):
    """`conv2d/kernel`."""
    return "/".join(variable.path.split("/")[-2:])


def network(dtype, floats_away, number):
    keras.config.set_dtype_policy(dtype)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1), dtype=dtype),
            k.Conv2D(32, 3, activation="relu", name="conv2d"),
            k.MaxPooling2D(2),
            k.Conv2D(64, 3, activation="relu", name="conv2d_1"),
            k.MaxPooling2D(2),
            k.Conv2D(64, 3, activation="relu", name="conv2d_2"),
            k.Flatten(),
            k.Dense(64, activation="relu", name="dense"),
            k.Dense(CLASSES, name="dense_1"),
        ]
    )
    for variable in model.weights:
        if variable.path.endswith("kernel"):
            field = int(np.prod(variable.shape[:-2]))
            limit = np.sqrt(6.0 / (field * (variable.shape[-2] + variable.shape[-1])))
            values = floats(name_of(variable), variable.shape, limit)
            up = bytes_(f"nudge/{number}/{name_of(variable)}", values.size).reshape(values.shape) % 2 == 1
            for _ in range(floats_away):
                values = np.nextafter(values, np.where(up, np.float32(1), np.float32(-1)))
            variable.assign(values)
    return model


def train(rule, salt, dtype, floats_away=0, number=0):
    kind, settings, rate = RULES[rule]
    # Keras rounds a plain beta to float32 before it takes 1 - beta ** step, whatever the weights are: 6.4e-6 off for 0.999.
    settings = {key: np.dtype(dtype).type(value) if "beta" in key else value for key, value in settings.items()}
    model, optimizer = network(dtype, floats_away, number), kind(learning_rate=rate, **settings)
    losses = []
    for step in range(STEPS):
        if step == STEPS // 2:
            optimizer.learning_rate.assign(rate / 2)
        images, labels = pictures(salt, step)
        # The same float32 numbers in both runs.
        x = tf.constant(images.astype(np.float32) * np.float32(1 / 255), dtype)
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        optimizer.apply(tape.gradient(loss, [v.value for v in model.trainable_variables]), model.trainable_variables)
        losses.append(float(loss))
    return losses, {name_of(v): np.asarray(v).astype(np.float64) for v in model.weights}


def settings_of(rule):
    kind, settings, rate = RULES[rule]
    return {"kind": kind.__name__.lower(), **settings}, rate


def distance(weights, others):
    return max(np.abs(weights[name] - others[name]).max() for name in weights)


def together(rule):
    """The first salt without a comparison too close for float32, with its float64 run and its float32 runs."""
    for salt in range(1000):
        exact = train(rule, salt, "float64")
        strays = [train(rule, salt, "float32", away, number) for number, away in enumerate(STRAYS)]
        far = [distance(exact[1], stray[1]) for stray in strays]
        if max(far) > IN_PROPORTION * min(far):
            continue
        margins = (train(rule, salt, "float32", away, 100 + number) for number, away in enumerate(MARGINS))
        if all(distance(exact[1], margin[1]) < IN_PROPORTION * max(far) for margin in margins):
            return salt, exact, strays
    raise SystemExit(f"{rule}: every set of pictures has a comparison that is too close")


runs, tensors = {}, {}
for rule in RULES:
    salt, (losses, weights), strays = together(rule)
    parameters = {}
    for name, exact in weights.items():
        tensors[f"{rule}/{name}"] = exact.ravel()[::EVERY].astype(np.float32)
        off = np.array([stray[name] - exact for _, stray in strays]).reshape(len(strays), -1)
        parameters[name] = {
            "norm": float(np.linalg.norm(exact)),
            "worst": float(np.abs(off).max()),
            "rms": float(np.sqrt((off**2).mean(axis=1)).max()),
        }
    optimizer, rate = settings_of(rule)
    off = np.abs(np.array(losses) - np.array([stray for stray, _ in strays])).max()
    runs[rule] = {
        "salt": salt,
        "optimizer": optimizer,
        "rate": rate,
        "losses": losses,
        "worst_loss": float(off),
        "weights": parameters,
    }
    print(rule, salt, losses[0], losses[-1], off, {name: (p["worst"], p["rms"]) for name, p in parameters.items()}, flush=True)

about = f"keras_training.py with keras {keras.__version__}, tensorflow {tf.__version__}"
out = pathlib.Path(__file__).parents[1] / "fixtures/keras/training"
out.with_suffix(".json").write_text(json.dumps({"made by": about, "runs": runs}, indent=1) + "\n")
save_file(tensors, out.with_suffix(".safetensors"))
print(out.with_suffix(".safetensors").stat().st_size, "bytes")
