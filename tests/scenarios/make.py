#!/usr/bin/env python3
"""Writes the journals beside this file: what an engine would say, told by hand. Run it again after a change of the events."""

import json
import math
import random
from pathlib import Path

HERE = Path(__file__).parent
LAYERS = [
    ("conv2d", "Conv2D", "(None, 62, 62, 32)", 896, True),
    ("max_pooling2d", "MaxPooling2D", "(None, 31, 31, 32)", 0, True),
    ("conv2d_1", "Conv2D", "(None, 29, 29, 64)", 18496, True),
    ("max_pooling2d_1", "MaxPooling2D", "(None, 14, 14, 64)", 0, True),
    ("conv2d_2", "Conv2D", "(None, 12, 12, 128)", 73856, True),
    ("max_pooling2d_2", "MaxPooling2D", "(None, 6, 6, 128)", 0, True),
    ("conv2d_3", "Conv2D", "(None, 4, 4, 128)", 147584, True),
    ("max_pooling2d_3", "MaxPooling2D", "(None, 2, 2, 128)", 0, True),
    ("flatten", "Flatten", "(None, 512)", 0, False),
    ("dropout", "Dropout", "(None, 512)", 0, False),
    ("dense", "Dense", "(None, 512)", 262656, False),
    ("dense_1", "Dense", "(None, 1)", 513, False),
]
TOTAL = sum(layer[3] for layer in LAYERS)


def vgg16(classes):
    """The published network's base with a small head."""
    layers, side, channels = [], 64, 3
    for block, (filters, depth) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)], 1):
        for conv in range(1, depth + 1):
            shape = f"(None, {side}, {side}, {filters})"
            layers.append((f"block{block}_conv{conv}", "Conv2D", shape, 9 * channels * filters + filters, True))
            channels = filters
        side //= 2
        layers.append((f"block{block}_pool", "MaxPooling2D", f"(None, {side}, {side}, {filters})", 0, True))
    layers += [("global_average_pooling2d", "GlobalAveragePooling2D", "(None, 512)", 0, False),
               ("dense", "Dense", "(None, 256)", 512 * 256 + 256, False), ("dropout", "Dropout", "(None, 256)", 0, False),
               ("dense_1", "Dense", f"(None, {classes})", 257 * classes, False)]
    return layers




class Journal:
    def __init__(self, epochs, train, validation, test, batch, seed=7, layers=None, classes=("cat", "dog")):
        self.layers, self.classes = layers or LAYERS, list(classes)
        self.total = sum(layer[3] for layer in self.layers)
        # Of its own, so that what was there before it stays as it was.
        self.other = random.Random(seed)
        self.lines, self.at, self.random = [], 1_750_000_000_000, random.Random(seed)
        self.epochs, self.train, self.validation, self.test, self.batch = epochs, train, validation, test, batch
        self.per_epoch = math.ceil(train / batch)
        self.step, self.frozen, self.rate = 0, set(), 1e-3

    def say(self, event, after=0, **fields):
        self.at += after
        self.lines.append(json.dumps({"seq": len(self.lines), "at_ms": self.at, "event": event, **fields}))

    def start(self, resumed=None):
        layers = [dict(zip(("name", "kind", "output", "parameters", "feature_map"), layer)) for layer in self.layers]
        self.say("run_started", protocol=1, version="0.1.0", run="20250615-150640-critters", model="critters-convnet",
                 phase="train", epochs=self.epochs, batch_size=self.batch, layers=layers, loss="binary_crossentropy",
                 optimizer="rmsprop", resumed=resumed)
        self.say("stage", 2, stage="loading_libtorch", detail="libtorch 2.11.0")
        self.say("device_ready", 610, device="cpu", name="AMD EPYC 7B13", threads=2, libtorch="2.11.0")
        self.say("stage", 1, stage="opening_data", detail="critters: 2,000 images of 64×64")
        self.say("data_opened", 40, classes=self.classes, train=self.train, validation=self.validation, test=self.test,
                 steps_per_epoch=self.per_epoch, pinned="validation")
        self.say("stage", 1, stage="building_network", detail="12 layers, 504,001 parameters")
        self.mask()
        self.pinned()
        self.say("stage", 30, stage="first_batch", detail="")

    def mask(self):
        names = [layer[0] for layer in self.layers if layer[0] in self.frozen]
        held = sum(layer[3] for layer in self.layers if layer[0] in self.frozen)
        self.say("trainable", step=self.step, frozen=names, trainable_parameters=self.total - held, total_parameters=self.total)

    def state(self, state):
        self.say("state_changed", state=state, step=self.step)

    def figures(self, noise):
        """A convnet that overfits from about the seventh epoch on."""
        t = self.step / self.per_epoch
        loss = 0.70 * math.exp(-t / 4.2) + 0.02 + noise * 0.07 * math.exp(-t / 7)
        accuracy = 1 - 0.5 * math.exp(-t / 3.3) - 0.01 + noise * 0.045 * math.exp(-t / 8)
        return max(loss, 0.004), min(max(accuracy, 0.4), 1.0)

    def steps(self, epoch, count, done, seconds=0.1):
        values = []
        for _ in range(count):
            self.step += 1
            values.append(self.figures(self.random.gauss(0, 1)))
        speed = 640 * (1.0 + 0.65 * bool(self.frozen)) * self.random.uniform(0.92, 1.05)

        def gathered(column):
            numbers = [round(v[column], 4) for v in values]
            return {"mean": round(sum(numbers) / len(numbers), 4), "min": min(numbers), "max": max(numbers), "last": numbers[-1]}

        self.say("steps", int(1000 * self.batch * count / speed), epoch=epoch, step=self.step, step_in_epoch=done, count=count,
                 loss=gathered(0), accuracy=gathered(1), learning_rate=self.rate, images_per_second=round(speed, 1),
                 data_wait=round(self.random.uniform(0.01, 0.05), 3))

    def meters(self):
        layers = []
        for index, (name, _, _, parameters, _) in enumerate(self.layers):
            if parameters:
                frozen = name in self.frozen
                gradient = {} if frozen else {"gradient_norm": round(0.9 / (index + 2) * self.random.uniform(0.8, 1.3), 5)}
                layers.append({"name": name, **gradient,
                               "weight_change": 0.0 if frozen else round(0.03 / (index + 1) * self.random.uniform(0.7, 1.2), 6),
                               "frozen_intact": True if frozen else None, **({} if frozen else {"learning_rate": self.rate})})
        self.say("layers", step=self.step, layers=layers)

    def epoch(self, epoch, upto=None):
        self.say("epoch_started", epoch=epoch, step=self.step)
        done, begun = 0, self.at
        for part in range(0, upto or self.per_epoch, 3):
            count = min(3, (upto or self.per_epoch) - part)
            done += count
            self.steps(epoch, count, done)
            if part % 15 == 0:
                self.meters()
        if upto:
            return
        trained = self.at - begun
        self.state("evaluating")
        for done in range(0, self.validation + 1, self.validation // 4):
            self.say("evaluating", 120, split="validation", done=done, total=self.validation)
        loss, accuracy = self.figures(0)
        t = epoch
        gap = 0.0 if t < 4 else 0.035 * (t - 4) ** 1.2
        validation = {"loss": round(loss + 0.03 + gap + self.random.uniform(-0.02, 0.02), 4),
                      "accuracy": round(min(accuracy - 0.02 - 0.02 * max(0, t - 4) ** 0.9 + self.random.uniform(-0.012, 0.012), 1), 4)}
        self.say("epoch_ended", epoch=epoch, step=self.step, train={"loss": round(loss, 4), "accuracy": round(accuracy, 4)},
                 validation=validation, learning_rate=self.rate, train_seconds=round(trained / 1000, 2), validation_seconds=0.6,
                 images_per_second=round(self.train / trained * 1000, 1), data_wait=0.03)
        if t <= 7:
            self.checkpoint("best", epoch)
        if self.layers is LAYERS:
            self.explain(epoch)
        self.state("running")

    def probe(self, epoch):
        """Bell curves, and times as the shapes suggest."""
        def bell(spread, count):
            heights = [math.exp(-(((bin - 13.5) / 6) ** 2) / 2) for bin in range(28)]
            return {"low": -spread, "high": spread, "counts": [round(height * count / sum(heights)) for height in heights]}

        layers, learns = [], False
        for index, (name, kind, output, parameters, is_map) in enumerate(self.layers):
            sides = [int(side) for side in output.strip("()").split(", ")[1:]]
            work = math.prod(sides[:2]) * (1 + parameters / 4000) if is_map else parameters / 300 + 50
            rectified, frozen = kind == "Conv2D" or name == "dense", name in self.frozen
            learns = learns or (parameters > 0 and not frozen)
            layer = {"name": name, "mean": round(self.other.uniform(0.05, 0.6), 3), "deviation": round(self.other.uniform(0.2, 1.1), 3),
                     **({"dead": round(max(self.other.gauss(index * 0.015, 0.02), 0), 3)} if rectified else {}),
                     "forward_ms": round(work / 30000, 4), "backward_ms": round(work / 15000, 4) if learns else 0.0}
            if parameters:
                layer["weights"] = bell(round(1.2 / (index + 2), 3), min(parameters, 65536))
                if not frozen:
                    layer["update_ratio"] = round(1e-3 * self.other.uniform(0.4, 2), 6)
                    layer["gradients"] = bell(round(0.02 / (index + 2), 5), min(parameters, 65536))
            layers.append(layer)
        self.say("probed", 3, step=self.step, epoch=epoch, images=12, layers=layers)

    def mistakes(self, epoch):
        count = len(self.classes)
        each = self.validation // count
        table = [[0] * count for _ in range(count)]
        for truth in range(count):
            for _ in range(each):
                # Neighbours are taken for each other.
                other = (truth + (1 if truth % 2 == 0 else -1)) % count if self.other.random() < 0.6 else self.other.randrange(count)
                table[truth][truth if self.other.random() < 0.84 else other] += 1
        figures = [{"support": sum(table[c]), "predicted": sum(row[c] for row in table), "right": table[c][c]} for c in range(count)]
        wrong = [(truth, predicted) for truth in range(count) for predicted in range(count)
                 if truth != predicted and table[truth][predicted]]
        wrong.sort(key=lambda pair: -table[pair[0]][pair[1]])
        wrong = wrong[:8]
        cases = []
        for at, (truth, predicted) in enumerate(wrong):
            sample, sure = 17 * at + 3, round(0.99 - 0.04 * at, 3)
            cases.append({"sample": sample, "name": f"{self.classes[truth]}.{1000 + sample}.jpg", "truth": truth, "predicted": predicted,
                          "probability": sure, "loss": round(-math.log(1 - sure), 4),
                          "picture": {"kind": "sample", "blob": f"sample-{sample}", "width": 64, "height": 64}})
        places = list(range(len(cases)))
        self.say("mistakes", step=self.step, epoch=epoch, cases=cases, worst=places, confident=places[::-1],
                 confusion={"classes": list(range(count)), "of": count, "counts": table, "figures": figures},
                 pairs=[{"truth": t, "predicted": p, "images": table[t][p], "example": at} for at, (t, p) in enumerate(wrong)])
        if cases:
            self.verdict(epoch, cases[0])

    def verdict(self, epoch, case):
        """What speaks for both classes of one of them, as somebody has asked for it."""
        layer = [layer[0] for layer in self.layers if layer[1] == "Conv2D"][-1]
        share = case["probability"]
        rest = (1 - share) / max(len(self.classes) - 1, 1)
        pictures = [{"kind": "sample", "blob": f"sample-{case['sample']}", "width": 64, "height": 64}]
        for at, of in enumerate((case["predicted"], case["truth"])):
            pictures.append({"kind": "heat", "method": "grad-cam", "layer": layer, "class": of, "empty": False,
                             "blob": f"verdict-{case['sample']}-{of}-{epoch + at}", "width": 4, "height": 4})
        self.say("explained", 20, step=self.step, epoch=epoch, sample=case["sample"], name=case["name"], label=case["truth"],
                 probabilities=[share if c == case["predicted"] else round(rest, 4) for c in range(len(self.classes))], pictures=pictures)

    def machine(self, readings, every=2000, card=False):
        """A machine at work, read so often."""
        total, t = 16_800_000_000, 0.0
        for _ in range(readings):
            t += 1
            busy = min(max(0.72 + 0.2 * math.sin(t / 5) + self.other.gauss(0, 0.05), 0.02), 1)
            held = int(8e8 + 3e8 * math.sin(t / 9))
            fields = dict(processor=round(busy, 2), own_processor=round(busy * 0.9, 2),
                          cores=[min(max(int(100 * busy + self.other.gauss(0, 12)), 0), 100) for _ in range(8)],
                          load_average=round(6 * busy, 2), memory_used=int(7.2e9 + 5e7 * t), memory_total=total,
                          own_memory=int(1.9e9 + 1e7 * t), tensors={"used": held, "spare": 120_000_000, "peak": 1_100_000_000},
                          disk_free=190_000_000_000 - int(1e8 * t), disk_total=250_000_000_000,
                          run_bytes=int(4.1e6 + 3e5 * t), temperature=round(58 + 12 * busy))
            if card:
                fields["card"] = {"name": "NVIDIA H100 80GB HBM3", "utilisation": round(min(busy + 0.1, 1), 2),
                                  "memory_used": int(2.1e10 + 2e9 * math.sin(t / 7)), "memory_total": 85_520_809_984,
                                  "temperature": 51.0, "power": round(300 + 250 * busy, 1), "power_limit": 700.0}
            self.say("machine", every, **fields)

    def checkpoint(self, kind, epoch):
        self.say("checkpoint", 35, kind=kind, step=self.step, epoch=epoch, file=f"{kind}.safetensors", bytes=4_034_112, seconds=0.031)

    def explain(self, epoch, sample=0, layer="conv2d_3"):
        dog = 1 / (1 + math.exp(-(epoch - 2.2) * 0.7))
        pictures = [
            {"kind": "sample", "blob": f"sample-{sample}", "width": 64, "height": 64},
            {"kind": "activations", "layer": layer, "channels": 128, "blob": f"grid-{sample}-{layer}-{epoch}", "width": 79, "height": 39},
        ]
        dogs = dog >= 0.5
        for at, side in (layer, 4), ("conv2d", 62), ("conv2d_1", 29), ("conv2d_2", 12):
            pictures.append({"kind": "heat", "method": "grad-cam", "layer": at, "class": int(dogs), "empty": False,
                             "blob": f"heat-{sample}-{at}-{epoch}", "width": side, "height": side})
        self.say("explained", 20, step=self.step, epoch=epoch, sample=sample, name="dog.1041.jpg", label=1,
                 probabilities=[round(1 - dog, 4), round(dog, 4)], pictures=pictures, kept=True)

    def pinned(self):
        self.say("pinned", images=[{"sample": 0, "name": "dog.1041.jpg", "label": 1}, {"sample": 1, "name": "cat.1000.jpg", "label": 0}])

    def answer(self, number, request, outcome="applied", by="ada@lab"):
        self.say("answered", 5, id=number, by=by, request=request, step=self.step, outcome=outcome)

    def write(self, name):
        (HERE / name).write_text("\n".join(self.lines) + "\n", encoding="utf-8")


def starting():
    journal = Journal(12, 2000, 1000, 1000, 32)
    journal.start()
    journal.lines = journal.lines[:4]
    journal.write("starting.jsonl")


def mid_run():
    """Seven epochs, a finer learning rate, two layers frozen on the way, and half an epoch more."""
    journal = Journal(12, 2000, 1000, 1000, 32)
    journal.start()
    journal.state("running")
    journal.say("log", level="warning", message="training with 2 threads on a machine that is busy: load average 3.1")
    for epoch in range(1, 8):
        journal.epoch(epoch)
        if epoch == 3:
            journal.answer(1, {"command": "learning_rate", "rate": 5e-4})
            journal.rate = 5e-4
            journal.say("learning_rate", step=journal.step, rate=5e-4, why="set by ada@lab")
        if epoch == 5:
            journal.answer(2, {"command": "frost_line", "layer": "conv2d_1"})
            journal.frozen = {"conv2d", "conv2d_1"}
            journal.mask()
            journal.answer(3, {"command": "freeze", "layers": ["flatten"]}, {"rejected": {"reason": "flatten has no parameters"}})
    journal.say("skipped", split="train", total=2, files=[
        {"path": "train/dogs/dog.77.jpg", "reason": "unexpected end of file"},
        {"path": "train/cats/cat.3\u001b[2J.jpg", "reason": "not a JPEG: starts with 00 00"}])
    journal.checkpoint("last", 7)
    journal.probe(7)
    journal.epoch(8, upto=39)
    journal.write("mid_run.jsonl")


def story():
    """Every kind of event once, small enough to compare the whole state: two epochs of four steps."""
    journal = Journal(2, 128, 64, 32, 32)
    journal.start()
    journal.state("running")
    journal.epoch(1)
    journal.answer(1, {"command": "pause"})
    journal.state("paused")
    journal.answer(2, {"command": "freeze", "layers": ["conv2d", "conv2d_1"]}, by="ctl")
    journal.frozen = {"conv2d", "conv2d_1"}
    journal.mask()
    journal.answer(3, {"command": "freeze", "layers": ["flatten"]}, {"rejected": {"reason": "flatten has no parameters"}})
    journal.answer(4, {"command": "resume"})
    journal.state("running")
    journal.say("painted", step=journal.step, epoch=2, layer="conv2d_3", filters=16, channels=128, done=40, total=40,
                blob="filters-conv2d_3", width=271, height=271)
    journal.say("skipped", split="train", total=1, files=[{"path": "train/dogs/dog.77.jpg", "reason": "unexpected end of file"}])
    journal.epoch(2)
    journal.probe(2)
    journal.mistakes(2)
    journal.machine(2)
    journal.checkpoint("last", 2)
    journal.state("evaluating")
    journal.say("evaluating", 50, split="test", done=32, total=32)
    journal.say("tested", metrics={"loss": 0.31, "accuracy": 0.875}, images=32, checkpoint="best", confusion=[[15, 1], [3, 13]])
    journal.say("run_ended", 10, ended="completed", early=False, step=journal.step, epoch=2, seconds=3.2)
    journal.write("story.jsonl")


def killed():
    """Killed in its second epoch, resumed from the checkpoint before: what came after it is undone."""
    journal = Journal(3, 128, 64, 32, 32)
    journal.start()
    journal.state("running")
    journal.epoch(1)
    journal.checkpoint("last", 1)
    journal.epoch(2, upto=3)
    journal.answer(1, {"command": "learning_rate", "rate": 1e-5})
    journal.step = 4
    journal.at += 3_600_000
    journal.start(resumed={"step": 4, "epoch": 1})
    journal.state("running")
    journal.epoch(2, upto=2)
    journal.write("killed.jsonl")


def phased():
    """Three phases: the head above a frozen base, ended by hand in its third epoch; the second, put in, skipped; the third under way."""
    journal = Journal(9, 2000, 1000, 1000, 32)
    journal.start()
    phases = [("head", 4, [2e-5, 2e-5]), ("fine-tune", 5, [1e-6, 1e-5])]

    def plan(current, epoch):
        told = [{"name": name, "epochs": epochs, "batch_size": 32, "optimizer": "rmsprop", "rates": rates, "augmented": True}
                for name, epochs, rates in phases]
        journal.say("phases", current=current, first_step=journal.step, first_epoch=epoch, phases=told)

    def begin(phase, epoch, frozen, rate):
        plan(phase, epoch)
        journal.say("phase_started", phase=phase, count=len(phases), name=phases[phase - 1][0], step=journal.step, epoch=epoch)
        journal.frozen, journal.rate = set(frozen), rate
        journal.mask()
        journal.state("running")

    def end(phase, epoch, how, restored=False):
        journal.say("phase_ended", phase=phase, count=len(phases), name=phases[phase - 1][0], step=journal.step, epoch=epoch, how=how,
                    restored=restored)

    base = ["conv2d", "conv2d_1", "conv2d_2", "conv2d_3"]
    begin(1, 1, base, 2e-5)
    journal.epoch(1)
    journal.epoch(2)
    phases.insert(1, ("warm", 1, [1e-5, 1e-5]))
    journal.answer(1, {"command": "insert_phase", "phase": "name=warm train={from=\"conv2d_3\"} epochs=1 learning_rate=1e-5"})
    plan(1, 1)
    journal.answer(2, {"command": "end_phase"})
    end(1, 2, "ended", True)
    begin(2, 3, base[:3], 1e-5)
    journal.epoch(3, upto=30)
    journal.answer(3, {"command": "skip_phase"})
    end(2, 3, "skipped")
    begin(3, 4, base[:2], 1e-5)
    journal.epoch(4)
    journal.epoch(5, upto=21)
    journal.write("phased.jsonl")


def deep():
    """A published network of five blocks above which a head learns, ten classes, on a machine with a card that is watched."""
    classes = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "고양이", "ship", "truck")
    journal = Journal(6, 1280, 500, 500, 64, layers=vgg16(len(classes)), classes=classes)
    journal.frozen = {layer[0] for layer in journal.layers if layer[0].startswith(("block1", "block2", "block3", "block4")) and layer[3]}
    journal.start()
    journal.state("running")
    for epoch in (1, 2):
        journal.epoch(epoch)
        journal.probe(epoch)
        journal.mistakes(epoch)
        journal.machine(12, card=True)
    journal.say("log", level="warning", message="training with 2 threads on a machine that is busy: load average 3.1")
    journal.say("log", level="error", message="no checkpoint was written, the one before it stays: no space left on device")
    journal.epoch(3, upto=9)
    journal.machine(8, card=True)
    journal.write("deep.jsonl")


for make in (starting, mid_run, story, killed, phased, deep):
    make()
