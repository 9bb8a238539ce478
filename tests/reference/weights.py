"""Small files of weights as other libraries write them, and what is in them.

Ran with torch 2.11.0, safetensors 0.8 (any writes the same), keras 3.15.1 on TensorFlow 2.21, tf_keras 2.21.0, h5py 3.14.0.

    python tests/reference/weights.py        # writes tests/fixtures/weights/

PyTorch's files hold tensors of every type, shape of memory and wrapping; `torch.json` lists name, type, shape and values as torch
gives them. Keras's hold one small network with a shortcut; `keras.json` lists its parameters in Frostline's layouts (convolutions
[out, in, h, w], dense [out, in]), `keras_predictions.json` what it makes of the picture whose bytes are 37 i mod 256.
"""

import collections
import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import h5py
import numpy as np
import torch
from safetensors.torch import save_file

INTO = Path(__file__).parent.parent / "fixtures" / "weights"


def torch_files():
    generator = torch.Generator().manual_seed(7)
    rand = lambda *shape: torch.randn(*shape, generator=generator)
    whole = rand(4, 6)
    tensors = collections.OrderedDict(
        [
            ("conv.weight", torch.nn.Parameter(rand(2, 3, 2, 2))),
            ("conv.bias", torch.nn.Parameter(rand(2), requires_grad=False)),
            ("channels_last", rand(2, 3, 2, 2).to(memory_format=torch.channels_last)),
            ("transposed", whole.t()),
            ("part", whole[1:3, 2:5]),
            ("half", rand(3).half()),
            ("brain", rand(3).bfloat16()),
            ("double", rand(3).double()),
            ("bn.num_batches_tracked", torch.tensor(123)),
            ("ints", torch.tensor([-3, 70000], dtype=torch.int32)),
            ("shorts", torch.tensor([-3, 700], dtype=torch.int16)),
            ("bytes", torch.tensor([3, 255], dtype=torch.uint8)),
            ("flags", torch.tensor([True, False])),
            ("empty", torch.zeros(0, 3)),
        ]
    )
    nested = {
        "epoch": 3,
        "best": 0.75,
        "args": {"lr": 0.1, "name": "small", "flags": {1, 2}, "note": b"bytes"},
        "optimizer": {"state": {0: {"momentum_buffer": rand(2)}}, "param_groups": [{"lr": 0.1}]},
        "state_dict": tensors,
    }
    torch.save(tensors, INTO / "flat.pth")
    torch.save(nested, INTO / "nested.pth")
    torch.save(tensors, INTO / "flat_legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(nested, INTO / "nested_legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Linear(2, 2), INTO / "module.pth")
    save_file(
        {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()},
        INTO / "flat.safetensors",
        metadata={"format": "pt"},
    )
    described = [
        [name, str(tensor.dtype)[6:], list(tensor.shape), tensor.detach().float().flatten().tolist()]
        for name, tensor in tensors.items()
    ]
    (INTO / "torch.json").write_text(json.dumps(described))


def network(keras):
    """The layers in an order of building that is not the order of depth: the shortcut first."""
    keras.utils.set_random_seed(3)
    layers = keras.layers
    image = keras.Input((6, 6, 2))
    x = layers.Conv2D(3, 3, padding="same", name="stem")(image)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    shortcut = layers.Conv2D(4, 1, strides=2, use_bias=False)(x)
    x = layers.SeparableConv2D(4, 3, padding="same", depth_multiplier=2)(x)
    x = layers.DepthwiseConv2D(3, strides=2, padding="same")(x)
    x = layers.Conv2D(4, 1)(x)
    x = layers.BatchNormalization(scale=False)(x)
    x = layers.Add()([x, shortcut])
    x = layers.Flatten()(x)
    x = layers.Dense(5, activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    x = layers.Dense(2, activation="softmax")(x)
    model = keras.Model(image, x)
    rng = np.random.default_rng(3)
    for layer in model.layers:
        values = []
        for weight in layer.weights:
            # Of both signs, small enough that no class is certain, and variances that are some.
            spread = (0.5, 1.5) if "variance" in weight.name else (-0.4, 0.5)
            values.append(rng.uniform(*spread, weight.shape).astype(np.float32))
        layer.set_weights(values)
    return model


def turned(layer, weight, value):
    kind = type(layer).__name__
    if kind == "Dense" and weight == "kernel":
        return value.T
    if weight == "depthwise_kernel" or (kind == "DepthwiseConv2D" and weight == "kernel"):
        height, width, channels, multiplier = value.shape
        return value.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
    return value.transpose(3, 2, 0, 1) if value.ndim == 4 else value


def described(model):
    parameters = {}
    for layer in model.layers:
        for weight in layer.weights:
            name = weight.name.split("/")[-1].split(":")[0]
            name = "kernel" if type(layer).__name__ == "DepthwiseConv2D" and name == "depthwise_kernel" else name
            value = turned(layer, name, np.asarray(weight))
            parameters[f"{layer.name}/{name}"] = [list(value.shape), value.flatten().tolist()]
    return parameters


def keras_files():
    import keras
    import tf_keras

    model = network(keras)
    model.save_weights(INTO / "keras3.weights.h5")
    model.save(INTO / "keras3.keras")
    model.save(INTO / "keras3_model.h5")
    # In the same session a second model, so that Keras's numbers are others.
    again = network(keras)
    again.save(INTO / "keras3_second.h5")
    old = network(tf_keras)
    old.save_weights(INTO / "keras2_weights.h5")
    old.save(INTO / "keras2_model.h5")
    first, second = described(model), described(old)
    assert list(first) == list(second)
    picture = (np.arange(6 * 6 * 2) * 37 % 256).astype(np.float32).reshape(1, 6, 6, 2) / 255
    predicted = {"keras3": model.predict(picture)[0].tolist(), "keras2": old.predict(picture)[0].tolist()}
    (INTO / "keras_predictions.json").write_text(json.dumps(predicted))
    (INTO / "keras.json").write_text(json.dumps({"keras3": first, "keras2": second}))
    return model


def keras_1(model):
    """The weights of the same network as Keras 1 wrote them (`fchollet/deep-learning-models`): other names, no slashes, and the
    network inside of another one, as the chapter saves it."""
    old = {"kernel": "W", "bias": "b", "moving_mean": "running_mean", "moving_variance": "running_std"}

    def write(file, layers):
        file.attrs["layer_names"] = [layer.name.encode() for layer in layers]
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"1.2.2"
        for layer in layers:
            group = file.create_group(layer.name)
            names = []
            for weight in layer.weights:
                names.append(f"{layer.name}_{old.get(weight.name, weight.name)}_1:0")
                group[names[-1]] = np.asarray(weight)
            group.attrs["weight_names"] = [name.encode() for name in names]

    with h5py.File(INTO / "keras1.h5", "w") as file:
        write(file, model.layers)
    with h5py.File(INTO / "nested.h5", "w") as file:
        file.attrs["layer_names"] = [b"model_1", b"dense_9"]
        inner = file.create_group("model_1")
        names = []
        for layer in model.layers:
            for weight in layer.weights:
                names.append(f"{layer.name}/{weight.name}:0")
                inner.create_dataset(names[-1], data=np.asarray(weight), compression="gzip" if weight.ndim > 1 else None)
        inner.attrs["weight_names"] = [name.encode() for name in names]
        outer = file.create_group("dense_9")
        outer.attrs["weight_names"] = [b"dense_9/kernel:0"]
        outer["dense_9/kernel:0"] = np.zeros((2, 3), np.float16)
    with h5py.File(INTO / "alien.h5", "w") as file:
        file["numbers"] = np.arange(4)


def orders():
    """The order of `model.layers` of networks with branches, layers with weights only."""
    import keras

    names = {}
    for name in ["ResNet50", "InceptionV3", "Xception", "InceptionResNetV2"]:
        keras.backend.clear_session()
        model = getattr(keras.applications, name)(weights=None)
        names[name] = [layer.name for layer in model.layers if layer.weights]
    (INTO / "order.json").write_text(json.dumps(names))


if __name__ == "__main__":
    INTO.mkdir(parents=True, exist_ok=True)
    torch_files()
    keras_1(keras_files())
    orders()
