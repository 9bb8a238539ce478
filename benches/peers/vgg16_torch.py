"""PyTorch on VGG16 at 150 px, batches of 20. --task features, frozen (base frozen, head trained) or block5 (it and the head trained)."""
import timing

given = timing.arguments(task="features", nhwc=False, tuned=False)

import torch
import torch.nn.functional as F

import networks_torch as networks

BATCH, BLOCK5 = 20, 24
torch.set_num_threads(given.threads)
torch.manual_seed(0)
layout = networks.layout(given.nhwc)
base, head = networks.vgg16(trained_from=BLOCK5 if given.task == "block5" else 1000)
base = base.to(memory_format=layout)
trained = [parameter for part in (base, head) for parameter in part.parameters() if parameter.requires_grad]
optimizer = networks.rmsprop(trained, 2e-5)
x = torch.rand(BATCH, 3, 150, 150).to(memory_format=layout)
y = torch.randint(0, 2, (BATCH,)).float()


def features():
    with torch.inference_mode():
        return base(x).numpy()


def step():
    optimizer.zero_grad()
    loss = F.binary_cross_entropy_with_logits(head(base(x)).squeeze(1), y)
    loss.backward()
    optimizer.step()
    return loss.item()


values, first = timing.windows(features if given.task == "features" else step, BATCH, given, warm=2)
system = f"PyTorch {'channels-last' if given.nhwc else 'NCHW'}" + " [malloc tuned]" * given.tuned
timing.report(f"vgg16-{given.task}", system, values, first=first, version=f"torch {torch.__version__}")
