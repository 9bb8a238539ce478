"""PyTorch explains VGG16 with random weights. --what pytorch-grad-cam, captum or by-hand: Grad-CAM of one picture at 224 px;
filters: pictures of 150 px that filters of block3_conv1 like, forty steps each, one filter at a time as the book does."""
import timing

given = timing.arguments(what="by-hand", nhwc=False, tuned=False)

import torch
import torch.nn.functional as F
from torchvision.models import vgg16

import networks_torch as networks

CLASS, STEPS, BLOCK3_CONV1 = 281, 40, 10
torch.set_num_threads(given.threads)
torch.manual_seed(0)
layout = networks.layout(given.nhwc)
model = vgg16(weights=None).eval().to(memory_format=layout)
last = model.features[29]
x = torch.randn(1, 3, 224, 224).to(memory_format=layout)
suffix = (" channels-last" if given.nhwc else " NCHW") + " [malloc tuned]" * given.tuned
version = f"torch {torch.__version__}"
by = "stock"

if given.what == "pytorch-grad-cam":
    from importlib.metadata import version as installed

    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    cam, system = GradCAM(model=model, target_layers=[last]), "pytorch-grad-cam" + suffix
    version += f", grad-cam {installed('grad-cam')}"

    def work():
        return cam(input_tensor=x, targets=[ClassifierOutputTarget(CLASS)])

elif given.what == "captum":
    import captum
    from captum.attr import LayerAttribution, LayerGradCam

    # As quick as by hand, since it asks for the layer's gradient alone; the target of a library is pytorch-grad-cam.
    cam, system, by = LayerGradCam(model, last), "captum" + suffix, "hand"
    version += f", captum {captum.__version__}"

    def work():
        heat = cam.attribute(x, target=CLASS)
        return LayerAttribution.interpolate(heat, (224, 224), "bilinear").detach().numpy()

elif given.what == "by-hand":
    system, by = "PyTorch" + suffix + ", gradient no further than the layer", "hand"
    model.requires_grad_(False)

    def work():
        with torch.no_grad():
            activations = model.features[:30](x)
        activations.requires_grad_(True)
        logits = model.classifier(torch.flatten(model.avgpool(model.features[30](activations)), 1))
        (gradient,) = torch.autograd.grad(logits[0, CLASS], activations)
        heat = (gradient.mean((2, 3), keepdim=True) * activations).sum(1, keepdim=True).relu()
        return F.interpolate(heat, (224, 224), mode="bilinear").detach().numpy()

else:
    system = "PyTorch" + suffix
    below = model.features[: BLOCK3_CONV1 + 1].requires_grad_(False)
    done = 0

    def work():
        global done
        picture = (torch.rand(1, 3, 150, 150) * 20 + 128).to(memory_format=layout).requires_grad_(True)
        for _ in range(STEPS):
            loss = below(picture)[0, done % 256].mean()
            (gradient,) = torch.autograd.grad(loss, picture)
            with torch.no_grad():
                picture += gradient / (gradient.square().mean().sqrt() + 1e-5)
        done += 1
        return picture.detach().numpy()


filters = given.what == "filters"
values, first = timing.windows(work, 1, given, warm=1 if filters else 3)
timing.report(
    "filters" if filters else "grad-cam", system, values, "filters/s" if filters else "img/s", first, version=version, by=by
)
