r"""The line format in which samples travel: escapes, numbers, writing, reading.

A line is InfluxDB's line protocol,
``measurement,tag=value field=1.5,count=3i 1700000000000000000``: time in Unix ns, fields floats or
integers of 64 bits (suffix ``i``). Escapes: ``\,`` ``\ `` ``\=`` and, so that every value comes
back intact, ``\\`` for a backslash and ``\n`` for a line feed.

``decode`` decides what a line is. ``PlainLines`` is for the series that come again and again: it
takes apart a part of what ``decode`` takes, with the same result.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Generic, TypeVar

from wattmark_core.catalogue import MEASUREMENTS
from wattmark_core.errors import LineFormatError
from wattmark_core.sample import Sample, Tags

MOST_PREFIXES: Final = 50_000
"""A cache with more is emptied, so that names that never come twice cost no memory."""

_ESCAPES: Final = str.maketrans(
    {"\\": "\\\\", ",": "\\,", " ": "\\ ", "=": "\\=", "\n": "\\n", "\r": "\\r"}
)
_UNESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_CONTROL: Final = {"n": "\n", "r": "\r"}
_PART: Final = r"(?:\\.|[^\\,= ])"
_LINE: Final = re.compile(
    rf"(?P<measurement>{_PART}+)"
    rf"(?P<tags>(?:,{_PART}+={_PART}+)*)"
    rf" (?P<fields>{_PART}+=[^,= ]+(?:,{_PART}+=[^,= ]+)*)"
    r" (?P<time>-?\d+)",
    re.DOTALL,
)
_PAIR: Final = re.compile(rf"({_PART}+)=((?:{_PART})+)", re.DOTALL)
_INTEGERS: Final = {
    measurement: frozenset(metric.field for metric in metrics if metric.integer)
    for measurement, metrics in MEASUREMENTS.items()
}


def escape(text: str) -> str:
    """A measurement, tag or field name, or a tag value, as it stands in a line."""
    return text.translate(_ESCAPES)


def unescape(text: str) -> str:
    """The inverse of ``escape``."""
    if "\\" not in text:
        return text
    return _UNESCAPED.sub(lambda match: _CONTROL.get(match[1], match[1]), text)


def is_integer(measurement: str, field: str) -> bool:
    """Whether a store that keeps one type for each field keeps integers in this one."""
    known = _INTEGERS.get(measurement)
    if known is not None:
        return field in known
    return field.endswith(("_ns", "_ms")) or field == "epoch"


def encode_prefix(measurement: str, tags: Tags) -> str:
    """The part of a line that does not change from sample to sample: it ends before the space."""
    return ",".join([escape(measurement), *(f"{escape(n)}={escape(v)}" for n, v in tags)])


def encode_fields(fields: Mapping[str, float | int]) -> str:
    """The fields as they stand in a line. NaN and infinities are dropped."""
    return ",".join(
        f"{escape(name)}={value}i" if isinstance(value, int) else f"{escape(name)}={value!r}"
        for name, value in fields.items()
        if math.isfinite(value)
    )


def encode(sample: Sample) -> str:
    """One line, without line feed. Raises ``LineFormatError`` if no finite field is left."""
    fields = encode_fields(sample.fields)
    if not fields:
        raise LineFormatError(f"a sample of {sample.measurement!r} has no finite field")
    return f"{encode_prefix(sample.measurement, sample.tags)} {fields} {sample.time_ns}"


def decode(line: str) -> Sample:
    """The sample of one line. Raises ``LineFormatError`` with the line's beginning."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise LineFormatError(f"not a line of samples: {line[:80]!r}")
    tags = [(unescape(n), unescape(v)) for n, v in _PAIR.findall(match["tags"])]
    try:
        fields = {unescape(n): _number(v) for n, v in _PAIR.findall(match["fields"])}
        time_ns = _integer(match["time"])
    except ValueError as error:
        raise LineFormatError(
            f"a field is no finite number, or an integer has over 64 bits: {line[:80]!r}"
        ) from error
    return Sample(unescape(match["measurement"]), tuple(sorted(tags)), fields, time_ns)


def decode_lines(text: str) -> Iterable[Sample]:
    """The samples of many lines; empty lines are passed over."""
    return (decode(line) for line in text.split("\n") if line)


def _number(text: str) -> float | int:
    if text.endswith("i"):
        return _integer(text[:-1])
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _integer(text: str) -> int:
    value = int(text)
    if not -(2**63) <= value < 2**63:
        raise ValueError(text)
    return value


class LineWriter:
    """Encodes samples, with the prefixes of series that it has seen. Threads may share it.

    ``prefix`` and ``name`` write the names; ``integer(measurement, field)`` says which numbers are
    written as integers, by default those that are.
    """

    def __init__(
        self, prefix: Callable[[str, Tags], str] = encode_prefix,
        name: Callable[[str], str] = escape,
        integer: Callable[[str, str], bool] | None = None,
    ) -> None:  # fmt: skip
        self._prefix = prefix
        self._name = name
        self._integer = integer
        self._prefixes: dict[tuple[str, Tags], str] = {}

    def line(self, sample: Sample) -> str:
        """The sample as a line; empty if none of its fields is finite."""
        fields = self._fields(sample.measurement, sample.fields)
        if not fields:
            return ""
        key = sample.measurement, sample.tags
        prefix = self._prefixes.get(key)
        if prefix is None:
            if len(self._prefixes) >= MOST_PREFIXES:
                self._prefixes.clear()
            prefix = self._prefixes[key] = self._prefix(sample.measurement, sample.tags)
        return f"{prefix} {fields} {sample.time_ns}"

    def lines(self, samples: Iterable[Sample]) -> Iterator[str]:
        """A line for each sample that has a finite field."""
        return filter(None, map(self.line, samples))

    def _fields(self, measurement: str, fields: Mapping[str, float | int]) -> str:
        texts = []
        for name, value in fields.items():
            if not math.isfinite(value):
                continue
            if self._integer is None:
                integer = isinstance(value, int)
            else:
                integer = self._integer(measurement, name)
            number = f"{int(value)}i" if integer else repr(float(value))
            texts.append(f"{self._name(name)}={number}")
        return ",".join(texts)


@dataclass(frozen=True, slots=True)
class Form:
    """What the lines of one beginning and the same fields have in common. ``prefix`` is the
    beginning as it stands, ``integers`` tells of each field whether integers are written."""

    prefix: str
    measurement: str
    tags: Tags
    fields: tuple[str, ...]
    integers: tuple[bool, ...]


Plan = TypeVar("Plan")
_Names = tuple[tuple[str, str], ...]
"""Fields, each with its suffix."""
MOST_PATTERNS: Final = 4096
_PREFIX: Final = re.compile(r"(?:[^\\ ]+|\\.)+", re.DOTALL)
_REST: Final = re.compile(
    r"(?:[^\\,= ]+=-?[0-9][0-9.e+-]*i?)(?:,[^\\,= ]+=-?[0-9][0-9.e+-]*i?)* [0-9]+"
)
_NAMES: Final = re.compile(r"([^\\,= ]+)=-?[0-9][0-9.e+-]*(i?)")
_FLOAT: Final = r"(-?[0-9]{1,25}(?:\.[0-9]{1,25})?(?:e[+-]?[0-9]{1,2})?)"
"""Finite whatever the digits; ``decode`` sees to longer ones."""
_INT: Final = r"(-?[0-9]{1,18})i"
_TIME: Final = r"([1-8][0-9]{18}|0|[1-9][0-9]{0,17})"
"""Below 2**63."""


class PlainLines(Generic[Plan]):
    """Takes lines apart by what is known of their series. One thread at a time.

    ``plan(form)`` is asked once for each form, which may be after it was forgotten.
    """

    def __init__(self, plan: Callable[[Form], Plan]) -> None:
        self._plan = plan
        self._latest: dict[str, tuple[re.Pattern[str], Plan]] = {}
        self._forms: dict[tuple[str, _Names], tuple[re.Pattern[str], Plan]] = {}

    def match(self, line: str) -> tuple[Plan, re.Match[str]] | None:
        """The plan of the line's form, and a match of what follows the prefix and a space: its
        groups are the fields' numbers, without suffix, and the time. None if it is not plain: then
        ``decode`` tells whether it is a line, and what it says."""
        if "\\" in line:
            beginning = _PREFIX.match(line)
            if beginning is None:
                return None
            prefix, rest = beginning[0], line[beginning.end() + 1 :]
        else:
            prefix, _, rest = line.partition(" ")
        known = self._latest.get(prefix)
        if known is not None:
            match = known[0].fullmatch(rest)
            if match is not None:
                return known[1], match
        known = self._learn(line, prefix, rest)
        if known is None:
            return None
        match = known[0].fullmatch(rest)
        return None if match is None else (known[1], match)

    def _learn(self, line: str, prefix: str, rest: str) -> tuple[re.Pattern[str], Plan] | None:
        if _REST.fullmatch(rest) is None:
            return None
        names = tuple(_NAMES.findall(rest[: rest.index(" ")]))
        known = self._forms.get((prefix, names))
        if known is None:
            known = self._form(line, prefix, names)
            if known is None:
                return None
            if len(self._forms) >= MOST_PREFIXES:
                self._forms.clear()
                self._latest.clear()
            self._forms[prefix, names] = known
        self._latest[prefix] = known
        return known

    def _form(self, line: str, prefix: str, names: _Names) -> tuple[re.Pattern[str], Plan] | None:
        fields = tuple(name for name, _ in names)
        if len(set(fields)) < len(fields):
            return None
        try:
            sample = decode(line)
        except LineFormatError:
            return None
        integers = tuple(bool(suffix) for _, suffix in names)
        form = Form(prefix, sample.measurement, sample.tags, fields, integers)
        return _pattern(names), self._plan(form)


@lru_cache(maxsize=MOST_PATTERNS)
def _pattern(names: _Names) -> re.Pattern[str]:
    fields = ",".join(f"{re.escape(name)}={_INT if suffix else _FLOAT}" for name, suffix in names)
    return re.compile(f"{fields} {_TIME}")


class LineReader:
    """``decode``, quickly for series that were seen before. One thread at a time."""

    def __init__(self) -> None:
        self._plain = PlainLines(lambda form: form)

    def sample(self, line: str) -> Sample:
        """The sample of a line. Raises ``LineFormatError``."""
        found = self._plain.match(line)
        if found is None:
            return decode(line)
        form, match = found
        time_ns = int(match[match.re.groups])
        return Sample(form.measurement, form.tags, numbers(form, match), time_ns)


def numbers(form: Form, match: re.Match[str]) -> dict[str, float | int]:
    """The fields of a plain line."""
    return {
        name: int(text) if integer else float(text)
        for name, integer, text in zip(form.fields, form.integers, match.groups(), strict=False)
    }
