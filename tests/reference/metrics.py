"""Makes tests/fixtures/metrics/metrics.json, the figures of src/metrics/tests.rs: scikit-learn's, and for the expected calibration error the
code that Guo et al. published, in PyTorch, checked against torchmetrics where no confidence lies on the edge of a bin.

    venv/bin/python tests/reference/metrics.py        (scikit-learn 1.9.1, torchmetrics 1.9.0, torch 2.11.0, numpy 2.5.5)

Probabilities are float32 and rounded where ties are wanted. A loss is the negative logarithm of the true class's probability.
"""

import json
import pathlib
import warnings

import numpy as np
import sklearn
import torch
import torchmetrics
from sklearn import metrics as sk
from torchmetrics.functional.classification import multiclass_calibration_error

warnings.filterwarnings("ignore")
BINS = 15


def guo(confidences, right):
    """ECELoss of github.com/gpleiss/temperature_scaling."""
    confidences, right = torch.tensor(confidences), torch.tensor(right)
    edges = torch.arange(BINS + 1, dtype=torch.float32) / BINS
    total = torch.zeros(1, dtype=torch.float64)
    bins = []
    for lower, upper in zip(edges[:-1], edges[1:]):
        inside = confidences.gt(lower) * confidences.le(upper)
        share = inside.double().mean()
        bins.append(int(inside.sum()))
        if share > 0:
            gap = confidences[inside].double().mean() - right[inside].double().mean()
            total += gap.abs() * share
    return float(total), bins


def softmax(rng, count, classes, sharpness, decimals=None):
    logits = rng.normal(size=(count, classes)) * sharpness
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return np.round(p, decimals) if decimals else p


def truths(rng, p, noise):
    drawn = np.array([rng.choice(p.shape[1], p=row / row.sum()) for row in p])
    return np.where(rng.random(len(p)) < noise, rng.integers(0, p.shape[1], len(p)), drawn)


def case(name, p, truth, predicted=None):
    p = np.maximum(p, 1e-3).astype(np.float32)
    classes = p.shape[1]
    if predicted is None:
        predicted = (p[:, 1] > 0.5).astype(int) if classes == 2 else p.argmax(1)
    labels = list(range(classes))
    wide = p.astype(np.float64)
    losses = -np.log(wide[np.arange(len(p)), truth])
    per_class = sk.precision_recall_fscore_support(truth, predicted, labels=labels, zero_division=0)
    figures = {
        "confusion": sk.confusion_matrix(truth, predicted, labels=labels).tolist(),
        "accuracy": sk.accuracy_score(truth, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, predicted),
        "precision": per_class[0].tolist(),
        "recall": per_class[1].tolist(),
        "f1": per_class[2].tolist(),
        "support": per_class[3].astype(int).tolist(),
        # With the labels left out: those that occur.
        "macro": list(sk.precision_recall_fscore_support(truth, predicted, average="macro", zero_division=0)[:3]),
        "weighted": list(sk.precision_recall_fscore_support(truth, predicted, average="weighted", zero_division=0)[:3]),
        "log_loss": float(losses.mean()),
    }
    # Of equal probabilities argmax takes the first; scikit-learn's top_k_accuracy_score the last.
    order = np.argsort(-wide, axis=1, kind="stable")
    tied = any(len(set(row)) < classes for row in wide.tolist())
    figures["top_k"] = [float((order[:, :k] == truth[:, None]).any(1).mean()) for k in range(1, classes)]
    if not tied and classes > 2:
        for k, own in zip(range(1, classes), figures["top_k"]):
            assert own == sk.top_k_accuracy_score(truth, wide, k=k, labels=labels)
    auc, ap, roc, pr = [], [], [], []
    for c in labels:
        positive = truth == c
        both = positive.any() and not positive.all()
        auc.append(sk.roc_auc_score(positive, wide[:, c]) if both else None)
        ap.append(sk.average_precision_score(positive, wide[:, c]) if positive.any() else None)
        fpr, tpr, _ = sk.roc_curve(positive, wide[:, c], drop_intermediate=False) if both else ([], [], [])
        roc.append([list(map(float, point)) for point in zip(fpr, tpr)])
        precision, recall, _ = sk.precision_recall_curve(positive, wide[:, c]) if positive.any() else ([], [], [])
        pr.append([list(map(float, point)) for point in zip(recall[::-1], precision[::-1])])
    figures |= {"roc_auc": auc, "average_precision": ap, "roc": roc, "precision_recall": pr}
    if classes > 2 and all(value is not None for value in auc):
        ours = sk.roc_auc_score(truth, wide / wide.sum(1, keepdims=True), multi_class="ovr", average="macro")
        assert abs(ours - np.mean(auc)) < 0.02, (ours, np.mean(auc))  # it wants rows that sum to one, which changes the order a little
    if classes == 2:
        figures["brier"] = sk.brier_score_loss((truth == 1).astype(int), wide[:, 1], pos_label=1)
    else:
        figures["brier"] = float(((wide - np.eye(classes)[truth]) ** 2).sum(1).mean())
        if np.allclose(wide.sum(1), 1):
            assert abs(figures["brier"] - sk.brier_score_loss(truth, wide, labels=labels)) < 1e-6
    confidences = p.max(1)
    figures["ece"], figures["bins"] = guo(confidences, predicted == truth)
    edges = np.arange(BINS + 1, dtype=np.float32) / np.float32(BINS)
    if classes > 2 and not np.isin(confidences, edges).any():
        other = multiclass_calibration_error(torch.tensor(p), torch.tensor(truth), num_classes=classes, n_bins=BINS)
        assert abs(float(other) - figures["ece"]) < 1e-6
        figures["torchmetrics"] = True
    return {
        "name": name,
        "truth": truth.tolist(),
        "predicted": predicted.tolist(),
        "losses": [round(float(value), 12) for value in losses],
        "probabilities": [[float(f"{value:.9g}") for value in row] for row in p],
        "figures": figures,
    }


def binary(second):
    return np.stack([1 - second, second], 1)


rng = np.random.default_rng(6)
cases = []
p = softmax(rng, 40, 2, 1.5)
cases.append(case("two classes", p, truths(rng, p, 0.1)))
second = np.round(rng.random(40), 1)
cases.append(case("two classes, ties and halves", binary(second), (rng.random(40) < second).astype(int)))
p = softmax(rng, 48, 4, 2.0)
cases.append(case("four classes", p, truths(rng, p, 0.2)))
p = softmax(rng, 40, 5, 1.5, decimals=1)
cases.append(case("five classes, ties", p, truths(rng, softmax(rng, 40, 5, 1.0), 0.3)))
p = softmax(rng, 30, 4, 1.5)
p[:, 3] = 1e-3  # never named
truth = truths(rng, p[:, :3], 0.1)
truth[truth == 1] = 0  # and one that has no images
cases.append(case("classes that are absent", p, truth))
p = softmax(rng, 12, 3, 1.0)
cases.append(case("images of a single class", p, np.full(12, 2)))
cases.append(case("never wrong", binary(np.array([0.1, 0.9, 0.2, 0.8])), np.array([0, 1, 0, 1])))
cases.append(case("always wrong", binary(np.array([0.1, 0.9, 0.2, 0.8])), np.array([1, 0, 1, 0])))

made_by = f"metrics.py with scikit-learn {sklearn.__version__}, torchmetrics {torchmetrics.__version__}, torch {torch.__version__}"
target = pathlib.Path(__file__).parent.parent / "fixtures/metrics/metrics.json"
lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in cases)
target.write_text(f'{{"made by":"{made_by}","cases":[\n{lines}\n]}}\n')
