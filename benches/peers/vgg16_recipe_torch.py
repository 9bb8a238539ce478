"""The chapter's fast feature extraction in PyTorch: VGG16's base over all pictures once, then the classifier on tensors in memory."""
import timing

given = timing.arguments(nhwc=False, tuned=False)

import torch
import torch.nn.functional as F
from concurrent.futures import ThreadPoolExecutor
from torch import nn
from torchvision.io import ImageReadMode, decode_jpeg, read_file
from torchvision.transforms import v2

import folder_torch
import networks_torch as networks
import recipe

torch.set_num_threads(given.threads)
torch.manual_seed(0)
layout = networks.layout(given.nhwc)
base, _ = networks.vgg16(trained_from=1000)
base = base.to(memory_format=layout).eval()
resize = v2.Resize((recipe.SIDE, recipe.SIDE), antialias=True)


def batch(files):
    pictures = [resize(decode_jpeg(read_file(path), ImageReadMode.RGB)) for path, _ in files]
    return torch.stack(pictures).float().div_(255).to(memory_format=layout)


@torch.inference_mode()
def features(split):
    files = folder_torch.files_of(f"{given.data}/{split}")
    batches = [files[first : first + recipe.BATCH] for first in range(0, len(files), recipe.BATCH)]
    # One thread reads ahead while the base computes.
    with ThreadPoolExecutor(1) as reader:
        outputs = [base(pictures).flatten(1) for pictures in reader.map(batch, batches)]
    return torch.cat(outputs).clone(), torch.tensor([float(label) for _, label in files])


train, validation = features("train"), features("validation")
head = nn.Sequential(nn.Linear(train[0].shape[1], 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 1))
optimizer = networks.rmsprop(head.parameters(), recipe.RATE)
for epoch in range(recipe.EPOCHS):
    head.train()
    for rows in torch.randperm(len(train[0])).split(recipe.BATCH):
        optimizer.zero_grad()
        logits = head(train[0][rows]).squeeze(1)
        loss = F.binary_cross_entropy_with_logits(logits, train[1][rows])
        loss.backward()
        optimizer.step()
    head.eval()
    with torch.inference_mode():
        logits = torch.cat([head(rows).squeeze(1) for rows in validation[0].split(recipe.BATCH)])
        loss, hits = F.binary_cross_entropy_with_logits(logits, validation[1]), (logits > 0) == (validation[1] > 0.5)
        print(f"epoch {epoch + 1} val_loss {loss.item():.4f} val_acc {hits.float().mean().item():.4f}")
system = f"PyTorch {'channels-last' if given.nhwc else 'NCHW'}, features kept" + " [malloc tuned]" * given.tuned
recipe.report(system, len(train[0]) + len(validation[0]), f"torch {torch.__version__}")
