"""Whole models as Keras saves them, and what they make of a picture.

Ran with keras 3.15.1 on TensorFlow 2.21, tf_keras 2.21.0 (Keras 2), h5py 3.14.0, Pillow 12 (any writes the same).

    python tests/reference/keras_models.py        # writes tests/fixtures/models/

`picture.png` is 16 by 16; `predictions.json` has each file's own answer to it. A model gets values in 0-1, one that begins with a
Rescaling layer gets 0-255. `refused.json` names what in the other files cannot be taken over.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import h5py
import numpy as np
from PIL import Image

INTO = Path(__file__).parent.parent / "fixtures" / "models"
SHAPE = (16, 16, 3)


def fill(model, seed):
    """Weights of both signs, so that no class is certain and every layer matters; variances that are some."""
    rng = np.random.default_rng(seed)
    for layer in getattr(model, "layers", []):
        if hasattr(layer, "layers"):
            fill(layer, seed + 1)
            continue
        values = []
        for weight in layer.weights:
            shape = tuple(weight.shape)
            if "seed" in weight.name:
                values.append(np.asarray(weight))
            elif "variance" in weight.name or "gamma" in weight.name:
                values.append(rng.uniform(0.5, 1.5, shape).astype(np.float32))
            else:
                fan_in = max(1, int(np.prod(shape[:-1])))
                values.append(rng.uniform(-1, 1.1, shape).astype(np.float32) * np.float32((3 / fan_in) ** 0.5))
        if values and len(values) == len(layer.get_weights()):
            layer.set_weights(values)
    return model


def chapter(keras):
    """The chapter's first network for cats and dogs, smaller."""
    layers = keras.layers
    model = keras.Sequential()
    model.add(layers.Conv2D(4, (3, 3), activation="relu", input_shape=SHAPE))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Conv2D(6, (3, 3), activation="relu"))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Flatten())
    model.add(layers.Dropout(0.5))
    model.add(layers.Dense(8, activation="relu", kernel_regularizer="l2"))
    model.add(layers.Dense(1, activation="sigmoid"))
    return fill(model, 1)


def base(keras, name, inner="dense_conv"):
    layers = keras.layers
    image = keras.Input(SHAPE)
    x = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False, name="conv")(image)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Activation("relu")(x)
    x = layers.SeparableConv2D(6, 3, padding="same", depth_multiplier=2, name=inner)(x)
    return keras.Model(image, x, name=name)


def on_a_base(keras):
    """The chapter's `model.add(conv_base)`, frozen."""
    conv_base = base(keras, "conv_base")
    conv_base.trainable = False
    model = keras.Sequential()
    model.add(conv_base)
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(8, activation="tanh"))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    return fill(model, 2)


def branches(keras):
    """Every layer that is understood."""
    layers = keras.layers
    image = keras.Input(SHAPE)
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    x = layers.ZeroPadding2D(((0, 1), (1, 0)))(x)
    x = layers.Conv2D(6, 3, strides=2, activation="elu")(x)
    left = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=1, activation="swish")(x)
    right = layers.BatchNormalization(scale=False, epsilon=1e-4)(x)
    right = layers.ReLU(max_value=6)(right)
    x = layers.Add()([left, right, x])
    wide = layers.SeparableConv2D(8, (3, 5), padding="same", activation="gelu")(x)
    grouped = layers.Conv2D(8, 3, padding="same", groups=2, dilation_rate=2)(x)
    grouped = layers.LeakyReLU(0.2)(grouped)
    soft = layers.AveragePooling2D(3, strides=2, padding="same")(wide)
    hard = layers.MaxPooling2D(3, strides=2, padding="same")(grouped)
    x = layers.Concatenate()([soft, hard])
    mean, peak = layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)
    flat = layers.Flatten()(layers.MaxPooling2D(2)(x))
    x = layers.Concatenate(axis=1)([mean, peak, layers.Dense(5, activation="relu6")(flat)])
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.25)(x)
    x = layers.Dense(3)(x)
    return fill(keras.Model(image, layers.Softmax()(x)), 3)


def twins(keras):
    """Two models inside of one, with layers of the same names, behind augmentation; the image is read twice."""
    layers = keras.layers
    image = keras.Input(SHAPE)
    varied = keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.1)], name="varied")(image)
    left, right = base(keras, "left")(varied), base(keras, "right", inner="other")(image)
    # Keras 3 has an operation of the same name for this.
    x = left + right if keras.__name__ == "keras" else layers.Add()([left, right])
    x = layers.GlobalAveragePooling2D()(x)
    head = keras.Sequential([keras.Input((6,)), layers.Dense(4, activation="relu"), layers.Dense(3, activation="softmax")])
    return fill(keras.Model(image, head(x)), 4)


def early(path):
    """The chapter's model as Keras 2.0 described one: a list of layers, the first of which has the shape."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        shape = None
        layers = []
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "InputLayer":
                shape = layer["config"]["batch_input_shape"]
                continue
            layers.append({"class_name": layer["class_name"], "config": layer["config"]})
        layers[0]["config"]["batch_input_shape"] = shape
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": layers}).encode()
        file.attrs["keras_version"] = b"2.0.8"


def refused(keras):
    layers = keras.layers
    reasons = {}

    def save(name, reason, *stack):
        keras.Sequential([keras.Input(SHAPE), *stack, layers.Flatten(), layers.Dense(2, activation="softmax")]).save(
            INTO / name
        )
        reasons[name] = reason

    save("upsampling.keras", 'layer "up" (UpSampling2D): there is no such layer here', layers.UpSampling2D(name="up"))
    image = keras.Input(SHAPE)
    shared = layers.Conv2D(3, 3, padding="same", name="shared")
    x = layers.Flatten()(shared(shared(image)))
    keras.Model(image, layers.Dense(2, activation="softmax")(x)).save(INTO / "shared.keras")
    reasons["shared.keras"] = 'layer "shared" (Conv2D): it is used 2 times with the same weights'
    (INTO / "refused.json").write_text(json.dumps(reasons, indent=1))


if __name__ == "__main__":
    import keras
    import tf_keras

    INTO.mkdir(parents=True, exist_ok=True)
    picture = np.random.default_rng(5).integers(0, 256, SHAPE, dtype=np.uint8)
    Image.fromarray(picture).save(INTO / "picture.png")
    predictions = {}

    def save(model, name, scale):
        model.save(INTO / name)
        predictions[name] = np.asarray(model.predict(picture[None].astype(np.float32) * scale, verbose=0))[0].tolist()

    save(chapter(tf_keras), "chapter2.h5", 1 / 255)
    save(chapter(tf_keras), "chapter1.h5", 1 / 255)
    early(INTO / "chapter1.h5")
    save(on_a_base(tf_keras), "on_a_base2.h5", 1 / 255)
    save(branches(tf_keras), "branches2.h5", 1.0)
    save(branches(tf_keras), "branches2.keras", 1.0)
    save(twins(tf_keras), "twins2.h5", 1 / 255)
    save(chapter(keras), "chapter3.keras", 1 / 255)
    save(on_a_base(keras), "on_a_base3.keras", 1 / 255)
    save(on_a_base(keras), "on_a_base3.h5", 1 / 255)
    save(branches(keras), "branches3.keras", 1.0)
    save(twins(keras), "twins3.keras", 1 / 255)
    (INTO / "predictions.json").write_text(json.dumps(predictions, indent=1))
    refused(keras)
