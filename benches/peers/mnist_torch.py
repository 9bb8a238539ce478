"""PyTorch on the MNIST network; all images lie in one tensor, batches are drawn from it."""
import timing

given = timing.arguments(batch=64, nhwc=False, tuned=False)

import torch
import torch.nn.functional as F

import idx
import networks_torch as networks

torch.set_num_threads(given.threads)
torch.manual_seed(0)
images, labels = idx.load(given.mnist)
images = torch.from_numpy(images.copy()).float().div_(255).unsqueeze(1)
labels = torch.from_numpy(labels.copy()).long()
layout = networks.layout(given.nhwc)
network = networks.mnist().to(memory_format=layout)
optimizer = networks.rmsprop(network.parameters(), 1e-3)


def batches():
    while True:
        for positions in torch.randperm(len(images)).split(given.batch)[: len(images) // given.batch]:
            yield images[positions], labels[positions]


source = batches()


def step():
    x, y = next(source)
    optimizer.zero_grad()
    loss = F.cross_entropy(network(x.to(memory_format=layout)), y)
    loss.backward()
    optimizer.step()
    return loss.item()


values, first = timing.windows(step, given.batch, given, warm=20)
system = f"PyTorch {'channels-last' if given.nhwc else 'NCHW'}" + " [malloc tuned]" * given.tuned
timing.report(f"mnist-{given.batch}", system, values, first=first, version=f"torch {torch.__version__}")
