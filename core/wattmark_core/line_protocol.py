r"""The line format in which samples travel: escapes, numbers, writing, reading.

A line is InfluxDB's line protocol,
``measurement,tag=value field=1.5,count=3i 1700000000000000000``: time in Unix ns, fields floats or
integers of 64 bits (suffix ``i``). Escapes: ``\,`` ``\ `` ``\=`` and, so that every value comes
back intact, ``\\`` for a backslash and ``\n`` for a line feed.

``series_lines`` does the same, quickly, for the series that come again and again.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Final

from wattmark_core.catalogue import MEASUREMENTS
from wattmark_core.errors import LineFormatError
from wattmark_core.sample import Sample, Tags

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
    r" (?P<time>-?[0-9]+)",
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
    if not text.isascii():  # Python would take digits of other scripts
        raise ValueError(text)
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
