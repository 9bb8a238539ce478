"""Makes tests/fixtures/zoo/keras.json: what keras.applications' networks put out with the weights of zoo_weights.py.

    python3 -m venv venv && venv/bin/pip install 'keras==3.15.1' 'tensorflow-cpu==2.21.0' 'numpy==2.5.5'
    venv/bin/python tests/reference/zoo_keras.py

Computed in float64; the same in float32 says how much rounding is to be expected. `counts` are parameters with and without top.
"""

import json
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np

from zoo_weights import case, image, weight

# architecture, function, height, width, layer. Sides that are odd somewhere tell paddings apart.
CASES = [
    ("vgg16", keras.applications.VGG16, 32, 32, "block3_pool"),
    ("vgg19", keras.applications.VGG19, 32, 32, "block3_pool"),
    ("resnet50", keras.applications.ResNet50, 64, 70, "conv3_block4_out"),
    ("inception_v3", keras.applications.InceptionV3, 96, 96, "mixed4"),
    ("xception", keras.applications.Xception, 96, 90, "add_2"),
    ("inception_resnet_v2", keras.applications.InceptionResNetV2, 96, 96, "block35_10_ac"),
    ("mobilenet", keras.applications.MobileNet, 64, 70, "conv_pw_5_relu"),
]


def role(parameter):
    if parameter == "pointwise_kernel":
        return "pointwise"
    if "kernel" in parameter:
        return "kernel"
    return {"gamma": "gamma", "moving_variance": "variance"}.get(parameter, "other")


def fan_in(parameter, shape, depthwise):
    if len(shape) == 4:
        height, width, channels, _ = shape
        return height * width if depthwise or parameter == "depthwise_kernel" else height * width * channels
    return shape[0]


def build(make, height, width, floatx):
    keras.backend.clear_session()
    keras.config.set_floatx(floatx)
    model = make(weights=None, input_shape=(height, width, 3), classifier_activation=None)
    for layer in model.layers:
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        values = []
        for variable in layer.weights:
            # Frostline's DepthwiseConv2D has a `kernel`, as Keras's has inside.
            parameter = variable.name
            shape = tuple(variable.shape)
            name = f"{layer.name}/{parameter}"
            values.append(weight(name, role(parameter), shape, fan_in(parameter, shape, depthwise)))
        if values:
            layer.set_weights(values)
    return model


def outputs(model, layer, x):
    both = keras.Model(model.inputs, [model.get_layer(layer).output, model.output])
    map_, logits = both([x.astype(keras.config.floatx())], training=False)
    return np.asarray(map_)[0], np.asarray(logits)[0]


def main():
    cases = []
    for architecture, make, height, width, layer in CASES:
        x = image(height, width)
        exact_map, exact_logits = outputs(build(make, height, width, "float64"), layer, x)
        rounded = build(make, height, width, "float32")
        rounded_map, rounded_logits = outputs(rounded, layer, x)
        names = sorted({f"{each.name}/{variable.name}" for each in rounded.layers for variable in each.weights})
        keras.backend.clear_session()
        counts = [make(weights=None, include_top=top).count_params() for top in (True, False)]
        about = dict(architecture=architecture, naming="keras", wiring="keras", input=[height, width, 3], layer=layer,
                     tensors=len(names), counts=counts)
        cases.append(case(exact_map, rounded_map, exact_logits, rounded_logits, **about))
        print(architecture, np.abs(exact_map).max(), np.abs(exact_logits).max(), counts,
              cases[-1]["map_rounding"], cases[-1]["logits_rounding"], names[:3])
    path = pathlib.Path(__file__).parent.parent / "fixtures" / "zoo" / "keras.json"
    path.write_text(json.dumps(dict(versions=dict(keras=keras.__version__), cases=cases)) + "\n")


main()
