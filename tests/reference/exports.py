"""Checks what `frostline export` writes with the programs that it is for.

Ran with onnx 1.23.2, onnxruntime 1.32.0, keras 3.15.1 on TensorFlow 2.21, torch 2.11.0, torchvision 0.26.0, timm 1.0.31.

    cargo build && python tests/reference/exports.py target/debug

Each of the small models of keras_models.py is imported and exported: as ONNX, which onnx.checker takes and onnxruntime runs, on the same
picture as `frostline predict`; as .weights.h5, which Keras loads into the model it had saved, and predicts with. Networks of torchvision and
timm with random weights go in as safetensors and out again: what comes out loads with strict=True and has the same bits; its ONNX and its
`.weights.h5` (into keras.applications) give the same logits. The first ONNX file is kept as tests/fixtures/export/branches.onnx: a test compares
what is written now with the file that was checked here.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import onnx
import onnxruntime
from PIL import Image

MODELS = Path(__file__).parent.parent / "fixtures" / "models"
KEEP = Path(__file__).parent.parent / "fixtures" / "export"
PROGRAM = Path(sys.argv[1]).resolve() / "frostline"
HERE = Path(tempfile.mkdtemp())


def frostline(*arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments)], cwd=HERE, capture_output=True, text=True)
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done.stdout


def onnx_probabilities(path, picture):
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path)
    pixels = np.asarray(picture)[None]
    (one,) = session.run(None, {"image": pixels})
    three = session.run(None, {"image": np.repeat(pixels, 3, axis=0)})[0]
    assert three.shape[0] == 3 and np.abs(three - one).max() < 1e-5
    classes = {prop.key: prop.value for prop in onnx.load(path).metadata_props}["classes"]
    assert len(json.loads(classes)) == one.shape[1]
    return one[0]


def predicted(*arguments):
    answer = json.loads(frostline("predict", *arguments, "--json").splitlines()[0])
    return {named["class"]: named["probability"] for named in answer["top"]}


def small_models():
    import keras

    picture = Image.open(MODELS / "picture.png")
    answers = json.loads((MODELS / "predictions.json").read_text())
    for name, answer in answers.items():
        run = name.replace(".", "-")
        frostline("import", MODELS / name, "--as", run)
        ours = predicted(run, MODELS / "picture.png")
        ours = np.array([ours[str(place)] for place in range(len(ours))])
        keras_says = np.array(answer if len(answer) > 1 else [1 - answer[0], answer[0]])
        assert np.abs(ours - keras_says).max() < 2e-6, (name, ours, keras_says)
        frostline("export", run, "-o", f"{run}.onnx")
        theirs = onnx_probabilities(HERE / f"{run}.onnx", picture)
        assert np.abs(ours - theirs).max() < 2e-6, (name, ours, theirs)
        frostline("export", run, "-o", f"{run}.safetensors")
        print(f"{name}: onnxruntime agrees within {np.abs(ours - theirs).max():.1e}")
        if name.endswith("3.keras") and "twins" not in name and "on_a_base" not in name:
            frostline("export", run, "-o", f"{run}.weights.h5")
            model = keras.models.load_model(MODELS / name)
            before = model.get_weights()
            for layer in model.layers:
                layer.set_weights([np.zeros_like(value) for value in layer.get_weights()])
            model.load_weights(HERE / f"{run}.weights.h5")
            assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
            print(f"{name}: Keras has the same weights back from .weights.h5")
    KEEP.mkdir(exist_ok=True)
    shutil.copy(HERE / "branches3-keras.onnx", KEEP / "branches.onnx")


def published():
    import timm
    import torch
    import torchvision
    from safetensors.torch import load_file, save_file

    pixels = np.random.default_rng(6).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(HERE / "photo.png")
    statistics = {"torch": ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]), "tf": ([0.5] * 3, [0.5] * 3)}
    cases = [
        ("vgg16", "torchvision", torchvision.models.vgg16, "torch"),
        ("vgg16", "timm", lambda: timm.create_model("vgg16"), "torch"),
        ("resnet50", "torchvision", torchvision.models.resnet50, "torch"),
        ("mobilenet", "timm", lambda: timm.create_model("mobilenetv1_100"), "tf"),
        ("efficientnet_lite0", "timm", lambda: timm.create_model("tf_efficientnet_lite0"), "tf"),
    ]
    for name, library, make, mode in cases:
        torch.manual_seed(1)
        model = make().eval()
        state = model.state_dict()
        for key, value in state.items():
            if key.endswith("running_var"):
                value.uniform_(0.5, 1.5)
            elif key.endswith("running_mean"):
                value.uniform_(-0.2, 0.2)
        save_file({key: value.contiguous() for key, value in state.items()}, HERE / "in.safetensors")
        source = ["--model", name, "--weights", HERE / "in.safetensors"]
        frostline("export", *source, "--names", library, "-o", "out.safetensors")
        out = load_file(HERE / "out.safetensors")
        again = make().eval()
        again.load_state_dict(out, strict=True)
        assert all(torch.equal(value, again.state_dict()[key]) for key, value in state.items() if value.is_floating_point())
        frostline("export", *source, "-o", "out.onnx")
        theirs = onnx_probabilities(HERE / "out.onnx", pixels)
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in statistics[mode])
        image = (torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255 - mean) / std
        with torch.no_grad():
            wanted = model(image).softmax(1)[0].numpy()
        worst = np.abs(wanted - theirs).max() / wanted.max()
        assert worst < 1e-4, (name, worst)
        print(f"{name}: {library} loads it strictly, bit for bit; ONNX is within {worst:.1e} of it")


def applications():
    import keras

    for name, make in [("vgg16", keras.applications.VGG16), ("mobilenet", keras.applications.MobileNet), ("resnet50", keras.applications.ResNet50)]:
        keras.backend.clear_session()
        keras.utils.set_random_seed(2)
        model = make(weights=None)
        model.save_weights(HERE / "in.weights.h5")
        frostline("export", "--model", name, "--weights", HERE / "in.weights.h5", "-o", "out.weights.h5")
        before = model.get_weights()
        keras.utils.set_random_seed(3)
        again = make(weights=None)
        again.load_weights(HERE / "out.weights.h5")
        assert all(np.array_equal(a, b) for a, b in zip(before, again.get_weights(), strict=True))
        print(f"{name}: keras.applications has the same weights back from .weights.h5")


if __name__ == "__main__":
    small_models()
    published()
    applications()
    shutil.rmtree(HERE)
