"""The grammar of one line of Prometheus's text format, or of OpenMetrics.

A line stands by itself: what is wrong with it costs no other, unlike in prometheus_client's parser,
which gives all of a page or nothing. The formats: "Exposition formats" and "OpenMetrics 1.0" in
Prometheus's documentation.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from wattmark_core.printable import printable

MOST_CHARACTERS: Final = 65_536
MOST_LABELS: Final = 64
MOST_NAME: Final = 256
MOST_SERIES: Final = 8_192
"""Characters of a line; labels; characters of a name; and of a series with all its labels: InfluxDB
takes no series of more than 65,535 bytes."""
MOST_HEADS: Final = 50_000
MOST_HEAD_CHARACTERS: Final = 16_000_000
"""What is remembered of the beginnings of lines; with more all are forgotten."""

_NAME: Final = r"[a-zA-Z_:][a-zA-Z0-9_:]*+"
_TEXT: Final = r'"((?:[^"\\]++|\\.)*+)"'
_HEAD: Final = re.compile(
    rf'({_NAME})?+[ \t]*+(?:\{{((?:[^"}}]++|"(?:[^"\\]++|\\.)*+")*+)\}})?+', re.DOTALL
)
_LABEL: Final = re.compile(
    rf"[ \t]*+(?:({_NAME})|{_TEXT})[ \t]*+(?:=[ \t]*+{_TEXT}[ \t]*+)?+(?:,|\Z)", re.DOTALL
)
_REST: Final = re.compile(
    r"[ \t]*+([-+]?[0-9A-Za-z.][0-9A-Za-z.+-]*+)(?:[ \t]++([-+]?[0-9][0-9A-Za-z.+-]*+))?+"
    r"[ \t]*+(?:(?<=[ \t])#.*)?+",
    re.DOTALL,
)
"""Value, time stamp, and, behind ``#``, an exemplar: another value, with a time of its own."""
_ESCAPED: Final = re.compile(r'\\([\\"n])')
_MILLISECONDS: Final = re.compile(r"[-+]?[0-9]{1,19}")
_LONGEST_SECONDS: Final = 1e12
Head = tuple[str, Mapping[str, str]]


class BadLine(ValueError):
    """A line that cannot be read; the text says why."""


class MetricValue(NamedTuple):
    """One line of a page. ``time_ns``: the time that the page gives it, if any."""

    name: str
    labels: Mapping[str, str]
    value: float
    time_ns: int | None


class LineReader:
    """Reads the lines of one target's pages, whose beginnings come again with each page."""

    def __init__(self) -> None:
        self._heads: dict[str, Head] = {}
        self._characters = 0

    def read(self, line: str, *, open_metrics: bool) -> MetricValue:
        """The value of a line that is neither empty nor a comment. Raises ``BadLine``."""
        if len(line) > MOST_CHARACTERS:
            raise BadLine(f"is longer than {MOST_CHARACTERS} characters")
        match = _HEAD.match(line)
        head = "" if match is None else match[0]
        if not head or head[-1] not in " \t}":
            raise BadLine("is no line of Prometheus text")
        known = self._heads.get(head)
        if known is None:
            known = self._learn(head)
        rest = _REST.fullmatch(line, len(head))
        if rest is None:
            raise BadLine("is no line of Prometheus text")
        value, stamp = rest.groups()
        try:
            number = float(value)
        except ValueError:
            raise BadLine("has a value that is no number") from None
        time_ns = None if stamp is None else _time_ns(stamp, open_metrics=open_metrics)
        return MetricValue(*known, number, time_ns)

    def _learn(self, head: str) -> Head:
        match = _HEAD.fullmatch(head)
        name, labels = ("", None) if match is None else match.groups()
        known = _head(name or "", labels or "")
        self._characters += len(head)
        if len(self._heads) >= MOST_HEADS or self._characters > MOST_HEAD_CHARACTERS:
            self._heads.clear()
            self._characters = len(head)
        self._heads[head] = known
        return known


def name_of(line: str) -> str:
    """What a line that cannot be read is called: the name at its beginning, if there is one."""
    match = _HEAD.match(line)
    return (match and match[1]) or ""


def _head(name: str, text: str) -> Head:
    """Name and labels, made printable; the name may stand among the labels, in quotes."""
    labels: dict[str, str] = {}
    at, end = 0, len(text.rstrip(" \t"))
    while at < end:
        match = _LABEL.match(text, at)
        if match is None:
            raise BadLine("has labels that cannot be read")
        plain, quoted, value = match.groups()
        label = printable(plain if plain is not None else _unescaped(quoted))
        if value is None:
            if plain is not None or name:
                raise BadLine("has labels that cannot be read")
            name = label
        elif label in labels:
            raise BadLine(f"has label {label[:MOST_NAME]} twice")
        else:
            labels[label] = printable(_unescaped(value))
        at = match.end()
    if not name:
        raise BadLine("has no name")
    _check_size(name, labels)
    return name, labels


def _check_size(name: str, labels: Mapping[str, str]) -> None:
    if len(labels) > MOST_LABELS:
        raise BadLine(f"has over {MOST_LABELS} labels")
    if max(map(len, (name, *labels))) > MOST_NAME:
        raise BadLine(f"has a name of over {MOST_NAME} characters")
    if len(name) + sum(len(label) + len(value) for label, value in labels.items()) > MOST_SERIES:
        raise BadLine(f"has labels of over {MOST_SERIES} characters")


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPED.sub(lambda match: "\n" if match[1] == "n" else match[1], text)


def _time_ns(stamp: str, *, open_metrics: bool) -> int:
    """Prometheus's text format has whole ms, OpenMetrics s with a fraction."""
    if open_metrics:
        try:
            seconds = float(stamp)
        except ValueError:
            raise BadLine("has a time stamp that is no number") from None
        if not abs(seconds) < _LONGEST_SECONDS:
            raise BadLine("has a time stamp that is out of all bounds")
        return round(seconds * 1e6) * 1000
    if _MILLISECONDS.fullmatch(stamp) is None:
        raise BadLine("has a time stamp that is no whole number of ms")
    return int(stamp) * 1_000_000
