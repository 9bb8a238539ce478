"""From a folder of JPEGs to augmented batches with PyTorch: torchvision's transforms as it documents them, and a pipeline by hand."""
import collections
import glob
import math
import os
import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torchvision.transforms import InterpolationMode, v2


class Folder(torch.utils.data.Dataset):
    """`decoder`: "pil", or "tensor" for torchvision's own."""

    def __init__(self, root, decoder):
        self.files, self.decoder = files_of(root), decoder
        self.resize = v2.Resize((150, 150), antialias=True)
        self.vary = v2.Compose([
            v2.RandomAffine(40, (0.2, 0.2), (0.8, 1.2), 0.2, InterpolationMode.BILINEAR),
            v2.RandomHorizontalFlip(),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
        ])

    def __len__(self):
        return len(self.files)

    def __getitem__(self, position):
        path, label = self.files[position]
        if self.decoder == "pil":
            from PIL import Image

            with Image.open(path) as image:
                picture = image.convert("RGB")
        else:
            from torchvision.io import ImageReadMode, decode_jpeg, read_file

            picture = decode_jpeg(read_file(path), ImageReadMode.RGB)
        return self.vary(self.resize(picture)), float(label)


def files_of(root):
    classes = sorted(os.listdir(root))
    return [(path, label) for label, name in enumerate(classes) for path in sorted(glob.glob(f"{root}/{name}/*.jpg"))]


def warped(picture):
    """Resizing, rotation, shift, shear, zoom and flip as one bilinear warp from the decoded picture to 150x150 bytes."""
    import cv2

    cv2.setNumThreads(1)
    draw = random.uniform
    turn, shear = math.radians(draw(-40, 40)), math.radians(draw(-0.2, 0.2))
    rotation = [[math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0], [0, 0, 1]]
    shift = [[1, 0, draw(-30, 30)], [0, 1, draw(-30, 30)], [0, 0, 1]]
    sheared = [[1, -math.sin(shear), 0], [0, math.cos(shear), 0], [0, 0, 1]]
    zoom = np.diag([draw(0.8, 1.2) * random.choice((-1, 1)), draw(0.8, 1.2), 1])
    centre = np.array([[1, 0, 74.5], [0, 1, 74.5], [0, 0, 1]])
    across, down = picture.shape[1] / 150, picture.shape[0] / 150
    scale = np.array([[across, 0, across / 2 - 0.5], [0, down, down / 2 - 0.5], [0, 0, 1]])
    whole = scale @ centre @ np.array(rotation) @ np.array(shift) @ np.array(sheared) @ zoom @ np.linalg.inv(centre)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, whole[:2], (150, 150), flags=flags, borderMode=cv2.BORDER_REPLICATE)


class ByHand:
    """libjpeg-turbo at the smallest sufficient DCT scale, one OpenCV warp, threads; decoded pictures kept where `keep` is set.
    Batches are channels-last."""

    def __init__(self, root, batch, threads, keep, ahead=3):
        self.files, self.batch_size, self.ahead = files_of(root), batch, ahead
        self.kept = {} if keep else None
        self.threads = ThreadPoolExecutor(threads)

    def decoded(self, position):
        import simplejpeg

        if self.kept is not None and position in self.kept:
            return self.kept[position]
        with open(self.files[position][0], "rb") as file:
            picture = simplejpeg.decode_jpeg(file.read(), "RGB", min_height=150, min_width=150, min_factor=1)
        if self.kept is not None:
            self.kept[position] = picture
        return picture

    def batch(self, positions):
        out = np.empty((len(positions), 150, 150, 3), np.float32)
        for slot, position in enumerate(positions):
            np.multiply(warped(self.decoded(position)), np.float32(1 / 255), out=out[slot])
        labels = torch.tensor([float(self.files[position][1]) for position in positions])
        return torch.from_numpy(out).permute(0, 3, 1, 2), labels

    def __iter__(self):
        order = np.random.permutation(len(self.files)).tolist()
        waiting = collections.deque()
        for start in range(0, len(order) - self.batch_size + 1, self.batch_size):
            waiting.append(self.threads.submit(self.batch, order[start : start + self.batch_size]))
            if len(waiting) > self.ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def batches(data, pipe, workers, batch=32):
    """For ever. `pipe`: pil, tensor, hand, hand+keep."""
    root = f"{data}/train"
    if pipe.startswith("hand"):
        loader = ByHand(root, batch, max(1, workers), keep=pipe.endswith("+keep"))
    else:
        loader = torch.utils.data.DataLoader(
            Folder(root, pipe), batch, shuffle=True, num_workers=workers, drop_last=True, persistent_workers=workers > 0
        )
    while True:
        yield from loader


def warm_up(pipe):
    """Batches until the steady state: with decoded pictures kept, that is after the first pass over the 2,000."""
    return 64 if pipe.endswith("+keep") else 5


def said(pipe, workers):
    """As the table names it."""
    return {
        "pil": f"torchvision v2, PIL, {workers} workers",
        "tensor": f"torchvision v2, {workers} workers",
        "hand": f"simplejpeg + one OpenCV warp, {workers} threads",
        "hand+keep": f"simplejpeg + one OpenCV warp, {workers} threads, decoded pictures kept",
    }[pipe].replace("1 workers", "1 worker").replace("1 threads", "1 thread")
