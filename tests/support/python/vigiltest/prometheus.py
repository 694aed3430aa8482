"""A strict reader of the Prometheus text format 0.0.4: what a lenient scraper forgives fails here."""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
COMMENT = re.compile(rf"# (HELP|TYPE) ({NAME}) (.*)")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?([eE][+-]?\d+)?|Inf)|NaN")
TYPES = ("counter", "gauge", "histogram", "summary", "untyped")


class FormatError(Exception):
    """A line that is not as the format wants it."""


def _labels(text, line):
    found = {}
    at = 0
    while text and at < len(text):
        match = LABEL.match(text, at)
        if match is None:
            raise FormatError(f"labels: {line!r}")
        if match[1] in found:
            raise FormatError(f"label twice: {line!r}")
        if match[3] == "," and match.end() == len(text):
            raise FormatError(f"comma at the end: {line!r}")
        found[match[1]] = re.sub(r"\\(.)", lambda escaped: {"n": "\n"}.get(escaped[1], escaped[1]), match[2])
        at = match.end()
    return found


class Family:
    """One metric: its type and its samples, (name, labels) -> value."""

    def __init__(self, name, text):
        self.name = name
        self.text = text
        self.type = None
        self.samples = {}

    def add(self, line):
        match = SAMPLE.fullmatch(line)
        if match is None or NUMBER.fullmatch(match[3]) is None:
            raise FormatError(f"not a sample: {line!r}")
        suffixes = ("_bucket", "_sum", "_count") if self.type == "histogram" else ("",)
        if match[1] not in [self.name + suffix for suffix in suffixes]:
            raise FormatError(f"a sample outside of its metric {self.name}: {line!r}")
        key = (match[1], tuple(sorted(_labels(match[2] or "", line).items())))
        if key in self.samples:
            raise FormatError(f"sample twice: {line!r}")
        self.samples[key] = float(match[3])

    def check(self):
        if self.type is None:
            raise FormatError(f"{self.name} has no type")
        if self.type == "counter":
            if not self.name.endswith("_total"):
                raise FormatError(f"counter {self.name} does not end with _total")
            if any(value < 0 for value in self.samples.values()):
                raise FormatError(f"counter {self.name} is negative")
        if self.type == "histogram":
            self._check_histogram()

    def _check_histogram(self):
        series = {}
        for (name, labels), value in self.samples.items():
            rest = tuple(row for row in labels if row[0] != "le")
            part = series.setdefault(rest, {"buckets": []})
            if name.endswith("_bucket"):
                part["buckets"].append((float(dict(labels)["le"]), value))
            else:
                part[name[len(self.name):]] = value
        for labels, part in series.items():
            buckets = part["buckets"]
            if buckets != sorted(buckets) or [value for _, value in buckets] != sorted(value for _, value in buckets):
                raise FormatError(f"buckets of {self.name}{labels} do not rise: {buckets}")
            if not buckets or buckets[-1] != (float("inf"), part["_count"]):
                raise FormatError(f"the last bucket of {self.name}{labels} is not all: {part}")
            if part["_sum"] < 0:
                raise FormatError(f"the sum of {self.name}{labels} is negative")


def read(text):
    """All metrics by name. FormatError says what is wrong."""
    if not text.endswith("\n") or "\n\n" in text:
        raise FormatError("lines do not end each with one line feed")
    families = {}
    current = None
    for line in text.splitlines():
        if not line.startswith("#"):
            if current is None or current.type is None:
                raise FormatError(f"a sample before HELP and TYPE: {line!r}")
            current.add(line)
            continue
        match = COMMENT.fullmatch(line)
        if match is None:
            raise FormatError(f"comment: {line!r}")
        kind, name, rest = match.groups()
        if kind == "HELP":
            if name in families:
                raise FormatError(f"{name} comes twice")
            current = families[name] = Family(name, rest)
        elif current is None or current.name != name or current.type is not None or rest not in TYPES:
            raise FormatError(f"type: {line!r}")
        else:
            current.type = rest
    for family in families.values():
        family.check()
    return families
