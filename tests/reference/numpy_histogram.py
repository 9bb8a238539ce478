"""Makes tests/fixtures/metrics/histogram.json, the figures of src/event/layers.rs: values, range and counts of 28 bins.

    venv/bin/python tests/reference/numpy_histogram.py        (numpy 2.5.5)

The values are multiples of 1/64.
"""

import json
from pathlib import Path

import numpy

random = numpy.random.default_rng(7)
CASES = [
    numpy.round(random.normal(0, 4, 200) * 64) / 64,
    numpy.round(random.exponential(2, 100) * 64) / 64,
    numpy.array([0.25, 0.25, 0.25]),
    numpy.arange(29) / 4,
    numpy.array([-3.0]),
]
cases = []
for values in CASES:
    counts, edges = numpy.histogram(values, 28)
    cases.append([values.tolist(), float(edges[0]), float(edges[-1]), counts.tolist()])
out = Path(__file__).parent.parent / "fixtures" / "metrics" / "histogram.json"
out.write_text(json.dumps(cases) + "\n", encoding="utf-8")
