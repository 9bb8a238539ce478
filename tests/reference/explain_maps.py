"""Makes tests/fixtures/explain/maps.json: class activation maps of pytorch-grad-cam and attributions of captum, on two small networks with
the weights of keras_formula.py, and tests/fixtures/explain/zoo.json: the same on networks of the zoo with the weights of zoo_weights.py.

    venv/bin/pip install 'torch==2.11.0' 'torchvision==0.26.0' 'timm==1.0.31' 'grad-cam==1.5.7' 'captum==0.9.0' 'numpy<2.6'
    venv/bin/python tests/reference/explain_maps.py

Maps are pytorch-grad-cam's before it cuts off negative values, stretches and resizes; all in float64. Eigen-CAM's sign is left open by the
decomposition. For layers with negative outputs pytorch-grad-cam ablates with a very negative number in place of the paper's zero, so
ablation stands at layers behind a ReLU only, and at classes with a positive score. Where a max-pool has several largest values the gradient
goes to one of them; in a border of zeros that need not be the same one here and there, so no map of ResNet50 stands in front of its pool.
"""

import json
import pathlib
import sys

import captum
import numpy as np
import pytorch_grad_cam as pgc
import torch
from captum.attr import IntegratedGradients, NoiseTunnel, Occlusion, Saliency
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

import zoo_torch
from keras_formula import floats
from zoo_weights import image, sample

CAMS = {
    "grad-cam": pgc.GradCAM,
    "grad-cam++": pgc.GradCAMPlusPlus,
    "layer-cam": pgc.LayerCAM,
    "hires-cam": pgc.HiResCAM,
    "xgrad-cam": pgc.XGradCAM,
    "eigen-cam": pgc.EigenCAM,
    "score-cam": pgc.ScoreCAM,
    "ablation-cam": pgc.AblationCAM,
}
SIDE = 16
HERE = pathlib.Path(__file__).parent.parent / "fixtures" / "explain"


class Flatten(nn.Module):
    """In Keras's order, (h, w, c)."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class Chain(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.conv2d = nn.Conv2d(3, 6, 3)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.conv2d_1 = nn.Conv2d(6, 8, 3)
        self.relu_1 = nn.ReLU()
        self.batch_normalization = nn.BatchNorm2d(8, eps=1e-3)
        self.flatten = Flatten()
        self.dense = nn.Linear(5 * 5 * 8, 10)
        self.relu_2 = nn.ReLU()
        self.dense_1 = nn.Linear(10, units)
        self.taken = {"conv2d": self.relu, "conv2d_1": self.relu_1, "batch_normalization": self.batch_normalization}

    def forward(self, x):
        x = self.pool(self.relu(self.conv2d(x)))
        x = self.batch_normalization(self.relu_1(self.conv2d_1(x)))
        return self.dense_1(self.relu_2(self.dense(self.flatten(x))))


class Residual(nn.Module):
    """Its inner layers are gone round by a shortcut."""

    def __init__(self, units):
        super().__init__()
        self.conv2d = nn.Conv2d(3, 6, 3)
        self.relu = nn.ReLU()
        self.conv2d_1 = nn.Conv2d(6, 6, 3, padding=1)
        self.relu_1 = nn.ReLU()
        self.conv2d_2 = nn.Conv2d(6, 6, 3, padding=1)
        self.relu_2 = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.flatten = Flatten()
        self.dense = nn.Linear(7 * 7 * 6, units)
        self.taken = {"conv2d": self.relu, "conv2d_1": self.relu_1, "activation": self.relu_2}

    def forward(self, x):
        x = self.relu(self.conv2d(x))
        y = self.conv2d_2(self.relu_1(self.conv2d_1(x)))
        return self.dense(self.flatten(self.pool(self.relu_2(x + y))))


def fill(model, name):
    kinds = {"running_mean": "moving_mean", "running_var": "moving_variance"}
    for key, tensor in model.state_dict().items():
        layer, kind = key.rsplit(".", 1)
        if kind == "num_batches_tracked":
            continue
        values = floats(f"{name}/{layer}/{kinds.get(kind, kind)}", tuple(tensor.shape), 0.5)
        tensor.copy_(torch.from_numpy(values + np.float32(1.0) if kind == "running_var" else values))
    return model.double().eval()


def raw_map(kind, model, module, x, target):
    cam = kind(model=model, target_layers=[module])
    seen, inner = [], cam.get_cam_image

    def keep(*given, **named):
        seen.append(inner(*given, **named))
        return seen[-1]

    cam.get_cam_image = keep
    cam(input_tensor=x, targets=[target])
    return np.asarray(seen[0][0], np.float64)


def figures(array, count):
    return [float(f"{value:.7g}") for value in sample(array, count)]


class Score:
    """Of a single logit, what speaks against it speaks for the first class."""

    def __init__(self, label, units):
        self.label, self.units = label, units

    def __call__(self, output):
        if self.units == 1:
            return output[..., 0] * (1 if self.label == 1 else -1)
        return output[..., self.label]


def forward(model, score):
    return lambda x: score(model(x))


def pixels(model, x, score, window, stride, steps, count):
    function = forward(model, score)
    noise = torch.from_numpy(floats("noise", (4, *x.shape), 0.1).astype(np.float64))
    smooth = sum(Saliency(function).attribute((x + draw).requires_grad_()) for draw in noise) / len(noise)
    shape = (x.shape[1], *window)
    return {
        "saliency": figures(Saliency(function).attribute(x.clone().requires_grad_()).detach()[0], count),
        "smooth-grad": figures(smooth.detach()[0], count),
        "integrated-gradients": figures(IntegratedGradients(function).attribute(x, n_steps=steps).detach()[0], count),
        # The same for every colour.
        "occlusion": figures(Occlusion(function).attribute(x, shape, strides=(x.shape[1], *stride))[0, 0], count),
    }


def guided(model, x, label, count):
    """The model is worn out: it is left with other modules than it came with."""
    backpropagation = pgc.GuidedBackpropReLUModel(model=model, device="cpu")
    # Its gradient is added up in the tensor that it is given.
    return figures(backpropagation(x.clone(), target_category=label).transpose(2, 0, 1), count)


def small():
    x = torch.from_numpy(floats("picture", (1, 3, SIDE, SIDE)).astype(np.float64))
    cases = []
    for kind in [Chain, Residual]:
        for units in [1, 4]:
            name = f"{kind.__name__.lower()}{units}"
            with torch.no_grad():
                model = fill(kind(units), name)
                logits = model(x)[0].numpy()
            for label in range(max(units, 2)):
                score = Score(label, units)
                value = float(score(torch.from_numpy(logits)))
                case = {"network": name, "class": label, "score": float(f"{value:.9g}"), "maps": {}}
                for layer, module in model.taken.items():
                    case["maps"][layer] = {}
                    for method, cam in CAMS.items():
                        if method == "ablation-cam" and (value <= 0 or layer == "batch_normalization"):
                            continue
                        case["maps"][layer][method] = figures(raw_map(cam, model, module, x, score), 36)
                case["pixels"] = pixels(model, x, score, (5, 4), (3, 2), 7, 60)
                if units > 1:
                    with torch.no_grad():
                        spare = fill(kind(units), name)
                    case["pixels"]["guided"] = guided(spare, x, label, 60)
                cases.append(case)
                print(name, label, value)
    return cases


# By architecture: our layer, their module, methods. Score-CAM and Ablation-CAM run the network once a channel, so they stand at layers
# with few.
GRADIENTS = [method for method in CAMS if method not in ("score-cam", "ablation-cam")]
PERTURBED = ["grad-cam", "score-cam", "ablation-cam"]
ZOO = {
    "vgg16": [("block5_conv3", "features.29", GRADIENTS), ("block1_conv2", "features.3", PERTURBED)],
    "resnet50": [("conv5_block3_out", "layer4.2", GRADIENTS), ("conv3_block2_out", "layer2.1", ["grad-cam++", "layer-cam"]), ("conv2_block1_out", "layer1.0", PERTURBED)],
    "efficientnet_lite0": [("top_activation", "bn2", GRADIENTS), ("block3b_add", "blocks.2.1", ["grad-cam", "score-cam"]), ("stem_activation", "bn1", PERTURBED)],
}


def zoo():
    """One after the other, as they are done: this takes minutes."""
    for architecture, naming, wiring, side, make, _, _ in zoo_torch.CASES:
        if architecture not in ZOO or (architecture, wiring) == ("efficientnet_lite0", "torch"):
            continue
        model = make().eval()
        zoo_torch.fill(model)
        model = model.double()
        x = torch.from_numpy(image(side, side)).permute(0, 3, 1, 2).double().contiguous()
        with torch.no_grad():
            label = int(model(x)[0].argmax())
        case = dict(architecture=architecture, naming=naming, wiring=wiring, input=[side, side, 3], maps={})
        case["class"] = label
        for layer, module, methods in ZOO[architecture]:
            maps = case["maps"].setdefault(layer, {})
            for method in methods:
                module_ = model.get_submodule(module)
                maps[method] = figures(raw_map(CAMS[method], model, module_, x, ClassifierOutputTarget(label)), 160)
                print(architecture, layer, method, flush=True)
        case["pixels"] = pixels(model, x, Score(label, 1000), (16, 16), (12, 12), 5, 160)
        if architecture != "efficientnet_lite0":
            case["pixels"]["guided"] = guided(model, x, label, 160)
        yield case


def write(name, cases):
    versions = {"torch": torch.__version__, "grad-cam": "1.5.7", "captum": captum.__version__, "timm": zoo_torch.timm.__version__}
    about = json.dumps(versions)[1:-1].replace(chr(34), "")
    done = []
    for case in cases:
        done.append(json.dumps(case, separators=(",", ":")))
        lines = ",\n".join(done)
        (HERE / name).write_text(f'{{"made by":"explain_maps.py with {about}","cases":[\n{lines}\n]}}\n')
    print(name, (HERE / name).stat().st_size, "bytes")


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    torch.set_num_threads(2)
    for name, make in {"maps.json": small, "zoo.json": zoo}.items():
        # Both, or those that are named.
        if not sys.argv[1:] or name in sys.argv[1:]:
            write(name, make())
