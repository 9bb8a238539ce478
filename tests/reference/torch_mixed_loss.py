"""The figures in src/engine/tests/loss.rs for mixed labels: PyTorch's cross-entropy with soft targets, and Keras's, in float64.

    venv/bin/python tests/reference/torch_mixed_loss.py        (torch 2.11.0; keras 3.15.1 on tensorflow-cpu 2.21.0)
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import torch
import torch.nn.functional as F

keras.config.set_floatx("float64")
logits = torch.tensor([[0.5, -1.25, 2.0], [3.0, 0.25, -0.75]], dtype=torch.float64, requires_grad=True)
heavier, lighter, weight = torch.tensor([2, 0]), torch.tensor([1, 2]), 0.7
soft = weight * F.one_hot(heavier, 3) + (1 - weight) * F.one_hot(lighter, 3)
loss = F.cross_entropy(logits, soft)
loss.backward()
print("categorical", loss.item(), logits.grad.ravel().tolist())
print("  Keras", float(keras.losses.CategoricalCrossentropy(from_logits=True)(soft.numpy(), logits.detach().numpy())))

logits = torch.tensor([1.5, -0.5], dtype=torch.float64, requires_grad=True)
heavier, lighter = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 0.0])
soft = weight * heavier + (1 - weight) * lighter
loss = F.binary_cross_entropy_with_logits(logits, soft.double())
loss.backward()
print("binary", loss.item(), logits.grad.tolist())
print("  Keras", float(keras.losses.BinaryCrossentropy(from_logits=True)(soft.numpy()[:, None], logits.detach().numpy()[:, None])))
