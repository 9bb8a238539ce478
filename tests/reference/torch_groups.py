"""The figures of src/engine/tests/phases.rs for learning rates by layer: PyTorch's parameter groups, in float64.

    venv/bin/python tests/reference/torch_groups.py > tests/fixtures/torch/groups.json        (torch 2.11.0)

Six updates with given gradients; after the third every group's rate is halved, as a schedule does. ε is so small that it does not
matter on which side of the root it stands. Names, sizes and numbers are those of the Rust test (keras_formula.py).
"""

import json

import torch
from keras_formula import floats

SHAPES = {"conv2d/kernel": (4, 3, 3, 3), "conv2d/bias": (4,), "dense/kernel": (1, 16), "dense/bias": (1,)}
RATE = 0.01
RATES = {"conv2d": RATE * 0.1, "dense": 0.02}


def run(make):
    weights = {
        name: torch.nn.Parameter(torch.tensor(floats(f"weight {name}", shape, 0.5), dtype=torch.float64))
        for name, shape in SHAPES.items()
    }
    groups = [{"params": [w for name, w in weights.items() if name.startswith(layer)], "lr": rate} for layer, rate in RATES.items()]
    optimizer = make(groups)
    for step in range(6):
        if step == 3:
            for group in optimizer.param_groups:
                group["lr"] /= 2
        for name, weight in weights.items():
            weight.grad = torch.tensor(floats(f"gradient {name} {step}", SHAPES[name], 0.1), dtype=torch.float64)
        optimizer.step()
    return {name: [round(v, 9) for v in weight.detach().ravel().tolist()] for name, weight in weights.items()}


figures = {
    "sgd": run(lambda groups: torch.optim.SGD(groups)),
    "rmsprop": run(lambda groups: torch.optim.RMSprop(groups, alpha=0.9, eps=1e-12)),
    "adam": run(lambda groups: torch.optim.Adam(groups, eps=1e-12)),
    "adamw": run(lambda groups: torch.optim.AdamW(groups, eps=1e-12, weight_decay=0.004)),
}
print(json.dumps(figures, indent=1).replace("\n   ", " "))
