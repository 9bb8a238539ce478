"""Writes src/weights/imagenet.txt: WordNet's synset and the short name of ImageNet's thousand classes, in the order of classifiers.

Names from torchvision 0.26 (`torchvision.models._meta._IMAGENET_CATEGORIES`), synsets from timm 1.0 (`ImageNetInfo`). Run it with

    python tests/reference/imagenet_classes.py > src/weights/imagenet.txt
"""

from timm.data import ImageNetInfo
from torchvision.models._meta import _IMAGENET_CATEGORIES

synsets = ImageNetInfo("imagenet-1k").label_names()
assert len(synsets) == len(_IMAGENET_CATEGORIES) == 1000
for synset, name in zip(synsets, _IMAGENET_CATEGORIES):
    print(synset, name)
