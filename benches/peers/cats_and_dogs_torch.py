"""PyTorch on the cats-and-dogs network. --pipe resident: one batch of floats, again and again. --bf16: under autocast."""
import timing

given = timing.arguments(pipe="resident", workers=1, nhwc=False, compile=False, bf16=False, pool_first=False, tuned=False)

import torch
import torch.nn.functional as F

import networks_torch as networks

torch.set_num_threads(given.threads)
torch.manual_seed(0)
layout = networks.layout(given.nhwc)
network = networks.cats_and_dogs(given.pool_first).to(memory_format=layout)
optimizer = networks.rmsprop(network.parameters(), 1e-4)
forward = torch.compile(network) if given.compile else network
by = "hand" if given.pool_first or given.pipe.startswith("hand") else "bf16" if given.bf16 else "stock"
system = " ".join([
    "PyTorch", "channels-last" if given.nhwc else "NCHW",
    *["compiled"] * given.compile, *["bf16"] * given.bf16, *["pool-first"] * given.pool_first, *["[malloc tuned]"] * given.tuned,
])  # fmt: skip

if given.pipe == "resident":
    x = torch.rand(32, 3, 150, 150).to(memory_format=layout)
    y = torch.randint(0, 2, (32,)).float()
    source, warm, task = iter(lambda: (x, y), None), 4, "step"
else:
    import folder_torch

    source, warm = folder_torch.batches(given.data, given.pipe, given.workers), folder_torch.warm_up(given.pipe)
    system, task = f"{system}, {folder_torch.said(given.pipe, given.workers)}", "end-to-end"


def step():
    x, y = next(source)
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=given.bf16):
        logits = forward(x.to(memory_format=layout))
    loss = F.binary_cross_entropy_with_logits(logits.float().squeeze(1), y.float())
    loss.backward()
    optimizer.step()
    return loss.item()


values, first = timing.windows(step, 32, given, warm)
timing.report(task, system, values, first=first, version=f"torch {torch.__version__}", by=by)
