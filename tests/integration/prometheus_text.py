"""Reads Prometheus' text format, strictly enough to notice a malformed page."""

import re

SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([^ ]+)$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')


def parse(text):
    """[(name, {label: value}, number)]; ValueError for a line that is none of the format's."""
    samples = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match = SAMPLE.match(line)
        if not match:
            raise ValueError(f"not a sample: {line!r}")
        name, labels, number = match.groups()
        samples.append((name, parse_labels(labels or "", line), float(number)))
    return samples


def parse_labels(text, line):
    labels, position = {}, 0
    while position < len(text):
        match = LABEL.match(text, position)
        if not match:
            raise ValueError(f"not labels: {line!r}")
        labels[match.group(1)] = match.group(2)
        position = match.end()
    return labels


def total(samples, name, **labels):
    """The sum of all samples of that name whose labels contain these; 0 when there is none."""
    return sum(number for sample, has, number in samples
               if sample == name and labels.items() <= has.items())
