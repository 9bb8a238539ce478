"""Makes tests/fixtures/explain/chapter.json: the book's NumPy code for activation grids (listing 5.31) on a few channels, and its filter
ascent (listings 5.34 to 5.38) in PyTorch, step by step, on a small network with the weights of keras_formula.py.

    venv/bin/python tests/reference/explain_chapter.py        (the environment of explain_maps.py)

The ascent runs in float64 from noise that both sides make alike.
"""

import json
import pathlib

import numpy as np
import torch
from torch import nn

from keras_formula import floats

SIDE, STEPS, FILTERS = 20, 40, [0, 2, 5]


def levels(channel_image):
    channel_image = channel_image.copy()
    channel_image -= channel_image.mean()
    channel_image /= channel_image.std()
    channel_image *= 64
    channel_image += 128
    return np.clip(channel_image, 0, 255).astype("uint8")


def deprocess_image(x):
    x = x - x.mean()
    x /= x.std() + 1e-5
    x *= 0.1
    x += 0.5
    x = np.clip(x, 0, 1)
    x *= 255
    return np.clip(x, 0, 255).astype("uint8")


channels = []
for name, make in {
    "even": lambda x: x,
    "sparse": lambda x: np.maximum(x - 0.5, 0),
    "spiky": lambda x: x**9 * 100,
    "far": lambda x: x * 0.01 + 300,
}.items():
    values = make(floats(name, (15, 13))).astype(np.float32)
    channels.append({"name": name, "values": [float(v) for v in values.ravel()], "levels": levels(values).ravel().tolist()})

net = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3), nn.ReLU()).double()
with torch.no_grad():
    for key, layer in {"conv2d": net[0], "conv2d_1": net[3]}.items():
        layer.weight.copy_(torch.from_numpy(floats(f"ascent/{key}/weight", tuple(layer.weight.shape), 0.5)))
        layer.bias.copy_(torch.from_numpy(floats(f"ascent/{key}/bias", tuple(layer.bias.shape), 0.5)))

ascents = []
for index in FILTERS:
    start = floats(f"noise {index}", (SIDE, SIDE, 3), 10.0).astype(np.float64) + 138.0
    x = torch.from_numpy(start.transpose(2, 0, 1)[None].copy())
    means, scales = [], []
    for _ in range(STEPS):
        x.requires_grad_(True)
        loss = net(x)[:, index].mean()
        (grads,) = torch.autograd.grad(loss, x)
        grads = grads / (torch.sqrt(torch.mean(torch.square(grads))) + 1e-5)
        x = x.detach() + grads * 1.0
        means.append(float(f"{loss.item():.9g}"))
        scales.append(float(f"{x.std(unbiased=False).item():.9g}"))
    picture = x[0].permute(1, 2, 0).numpy()
    ascents.append({"filter": index, "means": means, "deviations": scales, "picture": deprocess_image(picture).ravel().tolist()})
    print(index, means[0], means[-1])

path = pathlib.Path(__file__).parent.parent / "fixtures" / "explain" / "chapter.json"
path.parent.mkdir(exist_ok=True)
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in channels)
climbs = ",\n".join(json.dumps(case, separators=(",", ":")) for case in ascents)
about = f"explain_chapter.py with numpy {np.__version__}, torch {torch.__version__}, float64"
path.write_text(f'{{"made by":"{about}","channels":[\n{lines}\n],"ascents":[\n{climbs}\n]}}\n')
print(path.stat().st_size, "bytes")
