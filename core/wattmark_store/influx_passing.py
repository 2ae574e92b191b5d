"""Samples as lines for InfluxDB: those that were read from lines mostly pass as they are."""

from collections.abc import Iterable, Iterator
from typing import Final

from wattmark_core.line_protocol import is_integer
from wattmark_core.sample import AnySample
from wattmark_core.series_lines import MOST_PREFIXES, Form, PlainLine
from wattmark_store.influx_lines import code, encode_prefix, sample_writer

OTHERWISE: Final = ""
"""For a prefix: the lines are to be written from their samples."""


class Passing:
    """Threads may share it."""

    def __init__(self) -> None:
        self._prefixes: dict[Form, str] = {}
        self._writer = sample_writer()

    def lines(self, samples: Iterable[AnySample]) -> Iterator[str]:
        """A line for each sample that has a finite field."""
        for sample in samples:
            if isinstance(sample, PlainLine):
                prefix = self._prefixes.get(sample.form)
                if prefix is None:
                    prefix = self._learn(sample.form)
                if prefix:
                    yield f"{prefix} {sample.match.string}"
                    continue
            line = self._writer.line(sample)
            if line:
                yield line

    def _learn(self, form: Form) -> str:
        if len(self._prefixes) >= MOST_PREFIXES:
            self._prefixes.clear()
        prefix = self._prefixes[form] = _prefix(form)
        return prefix


def _prefix(form: Form) -> str:
    """How lines of a form begin whose rest needs no change; otherwise ``OTHERWISE``."""
    for field, integer in zip(form.fields, form.integers, strict=True):
        if integer != is_integer(form.measurement, field) or code(field) != field:
            return OTHERWISE
    return encode_prefix(form.measurement, form.tags)
