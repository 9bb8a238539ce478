"""From a folder of JPEGs to augmented batches of 32, nothing else: torchvision's v2 transforms, or the pipeline by hand."""
import timing

given = timing.arguments(pipe="tensor", workers=2)

import torch
import torchvision

import folder_torch

torch.set_num_threads(1 if given.workers else given.threads)
source = folder_torch.batches(given.data, given.pipe, given.workers)
values, first = timing.windows(lambda: next(source), 32, given, folder_torch.warm_up(given.pipe))
by = "hand" if given.pipe.startswith("hand") else "stock"
task = "input-later" if given.pipe.endswith("+keep") else "input-first"
version = f"torchvision {torchvision.__version__}"
timing.report(task, folder_torch.said(given.pipe, given.workers), values, first=first, version=version, by=by)
