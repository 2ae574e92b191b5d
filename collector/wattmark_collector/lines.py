"""Samples to lines and back, fast for the series that come again and again.

A dictionary of the beginnings of lines seen before spares most of the work; it is emptied when it
has grown, so that names that never come twice cost no memory.
"""

from contextlib import suppress
from typing import Final

from wattmark_core.sample import Sample, Tags, decode, encode_fields, series_prefix

MOST_PREFIXES: Final = 50_000
_TOO_LARGE: Final = 2**63


class LineWriter:
    """Encodes samples. Threads may share it."""

    def __init__(self) -> None:
        self._prefixes: dict[tuple[str, Tags], str] = {}

    def line(self, sample: Sample) -> str:
        """The sample as a line; empty if none of its fields is finite."""
        fields = encode_fields(sample.fields)
        if not fields:
            return ""
        key = sample.measurement, sample.tags
        prefix = self._prefixes.get(key)
        if prefix is None:
            if len(self._prefixes) >= MOST_PREFIXES:
                self._prefixes.clear()
            prefix = self._prefixes[key] = series_prefix(sample.measurement, sample.tags)
        return f"{prefix} {fields} {sample.time_ns}"


class LineReader:
    """``sample.decode``, quickly for series that were seen before."""

    def __init__(self) -> None:
        self._series: dict[str, tuple[str, Tags]] = {}

    def sample(self, line: str) -> Sample:
        """The sample of a line. Raises ``LineFormatError``."""
        prefix, _, rest = line.partition(" ")
        known = self._series.get(prefix)
        if known is not None and "\\" not in rest:
            fields, _, time_ns = rest.partition(" ")
            with suppress(_NotPlain, ValueError):
                return Sample(*known, _fields(fields), _time_ns(time_ns))
        sample = decode(line)
        if "\\" not in line:  # so that no space of a name is taken for the end of the prefix
            if len(self._series) >= MOST_PREFIXES:
                self._series.clear()
            self._series[prefix] = sample.measurement, sample.tags
        return sample


class _NotPlain(Exception):
    """Nothing that the short way can read; ``decode`` knows whether it is a line."""


def _fields(text: str) -> dict[str, float | int]:
    fields: dict[str, float | int] = {}
    for pair in text.split(","):
        name, _, number = pair.partition("=")
        value = int(number[:-1]) if number.endswith("i") else float(number)
        if not name or not -_TOO_LARGE <= value < _TOO_LARGE:  # NaN is not
            raise _NotPlain
        fields[name] = value
    return fields


def _time_ns(text: str) -> int:
    if not text.isdecimal() or (time_ns := int(text)) >= _TOO_LARGE:
        raise _NotPlain
    return time_ns
