"""The book's networks in PyTorch."""
import torch
from torch import nn


def cats_and_dogs(pool_first=False):
    """`pool_first`: max-pooling, then ReLU in place. The same values and gradients for a quarter of ReLU's work; nobody ships it."""
    layers, channels = [], 3
    for filters in (32, 64, 128, 128):
        after = [nn.MaxPool2d(2), nn.ReLU(inplace=True)] if pool_first else [nn.ReLU(), nn.MaxPool2d(2)]
        layers += [nn.Conv2d(channels, filters, 3), *after]
        channels = filters
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.5), nn.Linear(6272, 512), nn.ReLU(), nn.Linear(512, 1))


def mnist():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip


def vgg16(trained_from):
    """VGG16's convolutions with random weights under the chapter's classifier; only modules from `trained_from` on are trained."""
    from torchvision.models import vgg16 as build

    base = build(weights=None).features
    for position, module in enumerate(base):
        for parameter in module.parameters():
            parameter.requires_grad_(position >= trained_from)
    head = nn.Sequential(nn.Flatten(), nn.Linear(8192, 256), nn.ReLU(), nn.Linear(256, 1))
    return base, head


def layout(nhwc):
    return torch.channels_last if nhwc else torch.contiguous_format


def rmsprop(parameters, rate):
    """With Keras's constants."""
    return torch.optim.RMSprop(parameters, rate, alpha=0.9, eps=1e-7)
