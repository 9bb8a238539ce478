"""Makes tests/fixtures/keras/layers.json: what Keras's layers put out, and their gradients, for every kind of layer that Frostline has.

    python3 -m venv venv && venv/bin/pip install 'keras==3.15.1' 'tensorflow-cpu==2.21.0'
    venv/bin/python tests/reference/keras_layers.py

Each case is a list of layers in the words of Frostline's configuration. Inputs, weights and the weights of the loss come from
keras_formula.py. Computed in float64, so that what a float32 engine differs by is its own rounding.
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

from keras_formula import floats

keras.config.set_floatx("float64")

# 1x1 convolution to as many channels as a case needs.
LIFT = {"type": "conv2d", "name": "lift", "filters": 4, "kernel_size": 1}


def conv(**settings):
    return {"type": "conv2d", "filters": 5, "kernel_size": 3} | settings


def cases():
    yield "conv valid", [7, 6, 3], [conv()]
    yield "conv same", [7, 6, 3], [conv(padding="same")]
    yield "conv same, even kernel", [7, 6, 3], [conv(kernel_size=[2, 4], padding="same")]
    yield "conv same, strides 2 on even and odd", [8, 7, 3], [conv(strides=2, padding="same")]
    yield "conv same, unequal strides", [9, 8, 3], [conv(strides=[3, 2], kernel_size=[5, 2], padding="same")]
    yield "conv same, strides beyond the kernel", [8, 9, 3], [conv(kernel_size=1, strides=3, padding="same")]
    yield "conv valid, strides leave a rest", [8, 9, 3], [conv(strides=3)]
    yield "conv dilated valid", [9, 8, 3], [conv(dilation_rate=2)]
    yield "conv dilated same, unequal", [9, 8, 3], [conv(dilation_rate=[2, 3], padding="same")]
    yield "conv dilated same, even kernel", [9, 8, 3], [conv(kernel_size=2, dilation_rate=3, padding="same")]
    yield "conv groups", [6, 5, 3], [LIFT, conv(filters=6, groups=2, padding="same")]
    yield "conv without bias", [6, 5, 3], [conv(use_bias=False)]
    yield "depthwise", [7, 6, 3], [{"type": "depthwise_conv2d", "kernel_size": 3}]
    yield "depthwise multiplier, same, strides 2", [7, 8, 3], [
        {"type": "depthwise_conv2d", "kernel_size": 3, "depth_multiplier": 2, "strides": 2, "padding": "same"}
    ]
    yield "separable", [7, 6, 3], [
        {"type": "separable_conv2d", "filters": 5, "kernel_size": 3, "depth_multiplier": 2, "padding": "same"}
    ]
    yield "separable, strides 2, even size", [8, 6, 3], [
        {"type": "separable_conv2d", "filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}
    ]
    yield "max pool", [7, 6, 3], [{"type": "max_pooling2d"}]
    yield "max pool same, odd", [7, 5, 3], [{"type": "max_pooling2d", "padding": "same"}]
    yield "max pool same, 3 by 2", [8, 7, 3], [
        {"type": "max_pooling2d", "pool_size": 3, "strides": 2, "padding": "same"}
    ]
    yield "max pool same, all inputs negative", [5, 6, 3], [
        {"type": "rescaling", "scale": 0.25, "offset": -1.0},
        {"type": "max_pooling2d", "pool_size": 3, "strides": 2, "padding": "same"},
    ]
    yield "average pool", [7, 6, 3], [{"type": "average_pooling2d", "pool_size": 2}]
    yield "average pool same, even border", [7, 5, 3], [
        {"type": "average_pooling2d", "pool_size": 3, "strides": 1, "padding": "same"}
    ]
    yield "average pool same, uneven border", [8, 7, 3], [
        {"type": "average_pooling2d", "pool_size": [3, 2], "strides": 2, "padding": "same"}
    ]
    yield "global max pool", [4, 5, 3], [{"type": "global_max_pooling2d"}]
    yield "global average pool", [4, 5, 3], [{"type": "global_average_pooling2d"}]
    yield "flatten goes through (h, w, c)", [3, 4, 3], [
        {"type": "flatten"},
        {"type": "dense", "units": 5, "activation": "tanh"},
    ]
    yield "dense without bias", [2, 2, 3], [{"type": "flatten"}, {"type": "dense", "units": 4, "use_bias": False}]
    yield "zero padding", [4, 3, 3], [{"type": "zero_padding2d", "amount": [1, 2, 0, 3]}]
    yield "rescaling", [4, 3, 3], [{"type": "rescaling", "scale": 2.0, "offset": -0.5}]
    for name in ["relu", "relu6", "leaky_relu", "elu", "silu", "gelu", "tanh", "sigmoid", "softmax"]:
        # Widened, so that the values reach relu6's upper bend.
        yield f"activation {name}", [4, 3, 3], [
            {"type": "rescaling", "scale": 8.0},
            {"type": "activation", "activation": name},
        ]
        yield f"conv with {name}", [5, 4, 3], [conv(activation=name)]
    yield "normalised, then relu", [5, 4, 3], [
        LIFT,
        {"type": "batch_normalization"},
        {"type": "activation", "activation": "relu"},
    ]
    yield "normalised without centre", [5, 4, 3], [{"type": "batch_normalization", "center": False, "momentum": 0.8}]
    yield "normalised without scale", [5, 4, 3], [{"type": "batch_normalization", "scale": False, "epsilon": 0.1}]
    yield "normalised vectors", [2, 2, 3], [{"type": "flatten"}, {"type": "batch_normalization"}]
    yield "a residual block and a concatenation", [6, 5, 3], [
        LIFT | {"name": "a"},
        conv(filters=4, padding="same", activation="relu") | {"name": "b"},
        {"type": "add", "name": "c", "inputs": ["a", "b"]},
        {"type": "activation", "name": "d", "activation": "relu"},
        {"type": "max_pooling2d", "name": "e"},
        {"type": "max_pooling2d", "name": "f", "inputs": ["c"]},
        {"type": "concatenate", "name": "g", "inputs": ["e", "f", "e"]},
    ]
    yield "relu read by a pool and by another", [6, 6, 3], [
        conv(filters=4, padding="same", activation="relu") | {"name": "a"},
        {"type": "max_pooling2d", "name": "b"},
        {"type": "average_pooling2d", "pool_size": 2, "name": "c", "inputs": ["a"]},
        {"type": "add", "name": "d", "inputs": ["b", "c", "b"]},
    ]
    yield "relu read by a pool alone", [7, 7, 3], [
        conv(filters=4, activation="relu"),
        {"type": "max_pooling2d", "padding": "same"},
        conv(filters=3, kernel_size=2),
        {"type": "activation", "activation": "relu"},
        {"type": "max_pooling2d"},
    ]


def layer_of(spec):
    settings = {key: value for key, value in spec.items() if key not in ("type", "inputs")}
    if spec["type"] == "zero_padding2d":
        top, bottom, left, right = settings.pop("amount")
        return k.ZeroPadding2D(((top, bottom), (left, right)), **settings)
    return {
        "conv2d": k.Conv2D,
        "depthwise_conv2d": k.DepthwiseConv2D,
        "separable_conv2d": k.SeparableConv2D,
        "dense": k.Dense,
        "batch_normalization": k.BatchNormalization,
        "max_pooling2d": k.MaxPooling2D,
        "average_pooling2d": k.AveragePooling2D,
        "global_max_pooling2d": k.GlobalMaxPooling2D,
        "global_average_pooling2d": k.GlobalAveragePooling2D,
        "flatten": k.Flatten,
        "activation": k.Activation,
        "add": k.Add,
        "concatenate": k.Concatenate,
        "rescaling": k.Rescaling,
    }[spec["type"]](**settings)


def build(shape, specs):
    image = keras.Input(shape, batch_size=2, dtype="float64")
    by_name, last, built = {"input": image}, image, []
    for position, spec in enumerate(specs):
        read = [by_name[name] for name in spec.get("inputs", [])]
        layer = layer_of(spec)
        last = layer(read if len(read) > 1 else read[0] if read else last)
        by_name[spec.get("name", f"#{position}")] = last
        built.append(layer)
    return keras.Model(image, last), built


def figures(array):
    return [float(f"{value:.9g}") for value in np.asarray(array, np.float64).ravel()]


def weights_of(layer):
    """Keras's variables by their short names; those of SeparableConv2D come with that name in their path."""
    return [(variable.path.split("/")[-1], variable) for variable in layer.weights]


def run(name, shape, specs):
    model, built = build(shape, specs)
    for position, layer in enumerate(built):
        for short, variable in weights_of(layer):
            values = floats(f"{name}/{position}/{short}", variable.shape, 0.5)
            # Variances are positive.
            variable.assign(values + np.float32(1.0) if short == "moving_variance" else values)
    x = tf.constant(floats(f"{name}/x", (2, *shape)), tf.float64)
    inferred = model(x, training=False)
    pull = tf.constant(floats(f"{name}/pull", inferred.shape), tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        trained = model(x, training=True)
        pulled = tf.reduce_sum(trained * pull)
    learned = [variable for layer in built for variable in layer.trainable_weights]
    gradients = tape.gradient(pulled, [x, *[variable.value for variable in learned]])
    case = {"name": name, "input": shape, "layers": specs, "shape": list(inferred.shape), "infer": figures(inferred)}
    if np.abs(np.asarray(trained) - np.asarray(inferred)).max() > 0:
        case["train"] = figures(trained)
    case["gradients"] = {"x": figures(gradients[0])}
    case["moved"] = {}
    by_variable = {variable.path: gradient for variable, gradient in zip(learned, gradients[1:])}
    for position, layer in enumerate(built):
        for short, variable in weights_of(layer):
            if variable.path in by_variable:
                case["gradients"][f"{position}/{short}"] = figures(by_variable[variable.path])
            else:
                case["moved"][f"{position}/{short}"] = figures(variable)
    return case


made = [run(*case) for case in cases()]
about = f"keras {keras.__version__}, tensorflow {tf.__version__}, float64"
path = pathlib.Path(__file__).parents[1] / "fixtures/keras/layers.json"
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in made)
path.write_text(f'{{"made by":"keras_layers.py with {about}","cases":[\n{lines}\n]}}\n')
print(len(made), "cases", path.stat().st_size, "bytes")
