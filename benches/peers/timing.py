"""Arguments, windows of time, and the one line in which a peer says what it reached.

Import it before any framework: it sets the limits of threads that they read when they are loaded.
"""
import argparse
import json
import os
import time


def arguments(**extra):
    """Command line of a peer. `extra`: name=default; a bool makes a switch."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="", help="cats and dogs: train/ validation/ test/, each with cats/ and dogs/")
    parser.add_argument("--mnist", default="", help="folder of the four IDX files")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=3, help="timed windows")
    parser.add_argument("--seconds", type=float, default=3.0, help="least length of a window")
    for name, default in extra.items():
        option = "--" + name.replace("_", "-")
        if isinstance(default, bool):
            parser.add_argument(option, action="store_true")
        else:
            parser.add_argument(option, type=type(default), default=default)
    given = parser.parse_args()
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ[variable] = str(given.threads)
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return given


def _process_start():
    """The wall-clock time at which this process began: what it imports counts towards its first step."""
    with open("/proc/self/stat") as stat:
        ticks = int(stat.read().rsplit(")", 1)[1].split()[19])
    with open("/proc/uptime") as uptime:
        up = float(uptime.read().split()[0])
    return time.time() - (up - ticks / os.sysconf("SC_CLK_TCK"))


_START = _process_start()


def since_start():
    return time.time() - _START


def report(task, system, values, unit="img/s", first=None, version="", by="stock"):
    """`by`: "stock" for what a product does in float32, "bf16" for less precise arithmetic, "hand" for what somebody has to write
    on top of a product, "limit" for what the machine can do at best."""
    line = dict(task=task, system=system, unit=unit, values=[float(value) for value in values], version=version, by=by)
    if first is not None:
        line["first_s"] = first
    print("RESULT " + json.dumps(line), flush=True)


def windows(step, images, given, warm=2):
    """Times `step()`, which handles so many images, in a loop of ours. Returns rates and the time of the first step."""
    step()
    first = since_start()
    begun = time.perf_counter()
    for _ in range(max(1, warm)):
        step()
    each = (time.perf_counter() - begun) / max(1, warm)
    count = max(2, int(given.seconds / max(each, 1e-6)) + 1)
    values = []
    for _ in range(given.repeats):
        begun = time.perf_counter()
        for _ in range(count):
            step()
        values.append(count * images / (time.perf_counter() - begun))
    return values, first


class Windows:
    """The same for a loop that a framework drives: call `tick(images)` after each batch, and stop once it returns True."""

    def __init__(self, given, warm=4):
        self.given, self.warm = given, warm
        self.values, self.first = [], None
        self._batches, self._images, self._since = 0, 0, None

    def tick(self, images):
        now = time.perf_counter()
        self._batches += 1
        if self._batches == 1:
            self.first = since_start()
        if self._batches < self.warm:
            return False
        if self._since is None:
            self._since = now
            return False
        self._images += images
        if now - self._since >= self.given.seconds:
            self.values.append(self._images / (now - self._since))
            self._since, self._images = now, 0
        return len(self.values) >= self.given.repeats
