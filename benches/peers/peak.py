"""What the processor can do at best, by several libraries: matrix products, a convolution, memory. A probe that is slow is cut short."""
import timing

given = timing.arguments()

import time

import numpy as np
import torch

torch.set_num_threads(given.threads)
MOST = 8.0


def probe(name, unit, work, function):
    """`work` is what one call does, in the unit's 1e9 a second."""
    begun = time.perf_counter()
    function()
    once = time.perf_counter() - begun
    if once > MOST:
        timing.report("bound", name, [work / once / 1e9], unit, by="limit", version=version)
        return
    function()
    values, begun = [], time.perf_counter()
    while len(values) < max(given.repeats, 2) and time.perf_counter() - begun < MOST:
        start, calls = time.perf_counter(), 0
        while time.perf_counter() - start < min(given.seconds, 2.0):
            function()
            calls += 1
        values.append(calls * work / (time.perf_counter() - start) / 1e9)
    timing.report("bound", name, values, unit, by="limit", version=version)


version = f"torch {torch.__version__}, numpy {np.__version__}"
side = 2048
a, b = np.random.rand(side, side).astype("f4"), np.random.rand(side, side).astype("f4")
probe("matrix product f32, NumPy's BLAS", "GFLOP/s", 2 * side**3, lambda: a @ b)
with torch.no_grad():
    # f16 is left out: without hardware for it one product takes minutes.
    for kind, name in ((torch.float32, "f32"), (torch.bfloat16, "bf16")):
        p, q = torch.from_numpy(a).to(kind), torch.from_numpy(b).to(kind)
        probe(f"matrix product {name}, PyTorch", "GFLOP/s", 2 * side**3, lambda: torch.mm(p, q))
    x, w = torch.randn(20, 256, 37, 37), torch.randn(256, 256, 3, 3)
    x, w = (tensor.to(memory_format=torch.channels_last) for tensor in (x, w))
    work = 20 * 2 * 37 * 37 * 256 * 256 * 9
    probe("convolution 3x3 f32 channels-last, PyTorch", "GFLOP/s", work, lambda: torch.nn.functional.conv2d(x, w, padding=1))
    source = torch.zeros(1 << 26)
    target = torch.empty_like(source)
    probe("copy, bytes read and written", "GB/s", 2 << 28, lambda: target.copy_(source))
    probe("sum, bytes read", "GB/s", 1 << 28, lambda: source.sum())
