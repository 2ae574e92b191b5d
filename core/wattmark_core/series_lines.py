"""Lines of ``line_protocol`` written and read quickly, for the series that come again and again.

``decode`` alone decides what a line is: what is read here is a part of that, with the same result.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from wattmark_core.line_protocol import decode, encode_prefix, escape
from wattmark_core.sample import AnySample, Sample, Tags

MOST_PREFIXES: Final = 50_000
"""A cache with more is emptied, so that names that never come twice cost no memory."""
_Names = tuple[tuple[str, str], ...]
"""Fields, each with its suffix."""
MOST_PATTERNS: Final = 4096
MOST_CHARACTERS: Final = 2048
"""A longer line is decoded, and nothing of it is kept: who makes up long names fills no memory."""
MOST_FIELDS: Final = 64
"""A line with more is decoded: the time to make a pattern grows with its fields."""
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


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """What the lines of one beginning and the same fields have in common. ``prefix`` is the
    beginning as it stands, ``integers`` says of each field whether integers are written."""

    prefix: str
    measurement: str
    tags: Tags
    fields: tuple[str, ...]
    integers: tuple[bool, ...]


class PlainLine(NamedTuple):
    """A sample as the line that it was read from, which reads as a ``Sample`` does.

    ``match`` is of what follows the prefix and a space; its groups are the fields' numbers, without
    suffix, and the time.
    """

    form: Form
    match: re.Match[str]
    time_ns: int

    @property
    def measurement(self) -> str:
        """As in ``Sample``."""
        return self.form.measurement

    @property
    def tags(self) -> Tags:
        """As in ``Sample``."""
        return self.form.tags

    @property
    def fields(self) -> Mapping[str, float | int]:
        """As in ``Sample``."""
        form = self.form
        numbered = zip(form.fields, form.integers, self.match.groups(), strict=False)
        return {name: int(text) if integer else float(text) for name, integer, text in numbered}

    @property
    def text(self) -> str:
        """The line, without its line feed."""
        return f"{self.form.prefix} {self.match.string}"


_plain: Final = tuple.__new__
"""Makes a ``PlainLine`` twice as fast as calling it does."""
_Known = tuple[Form, Callable[[str], re.Match[str] | None], int]
"""A form, what matches the lines of it after the prefix, and the group that is their time."""


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

    def line(self, sample: AnySample) -> str:
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

    def lines(self, samples: Iterable[AnySample]) -> Iterator[str]:
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


class LineReader:
    """``decode``, quickly for lines of series that come again and again. Threads may share it.

    ``tags`` gives the tags that samples are to have instead of those that stand in their lines; it
    is asked once for each series, and again when that was forgotten.
    """

    def __init__(self, tags: Callable[[Tags], Tags] = lambda tags: tags) -> None:
        self._tags = tags
        self._latest: dict[str, _Known] = {}
        self._known: dict[tuple[str, _Names], _Known] = {}
        self._once: set[tuple[str, _Names]] = set()
        """Forms of which one line has come: a pattern costs as much as hundreds of lines, and many
        forms never come again."""

    def read(self, line: str) -> AnySample:
        """The sample of a line. Raises ``LineFormatError``."""
        prefix, _, rest = line.partition(" ")
        known = self._latest.get(prefix)
        if known is None and prefix.endswith("\\"):  # the space is part of a name
            prefix, rest = _split(line)
            known = self._latest.get(prefix)
        if known is not None:
            form, match, time = known
            matched = match(rest)
            if matched is not None:
                return _plain(PlainLine, (form, matched, int(matched[time])))
        return self._read(line, prefix, rest)

    def _read(self, line: str, prefix: str, rest: str) -> AnySample:
        """A line of another form than the one before it, or one that is not plain."""
        names = _names(rest)
        known = self._known.get((prefix, names))
        if known is None:
            sample = decode(line)
            if names and len(line) <= MOST_CHARACTERS and self._comes_again(prefix, names):
                known = self._known[prefix, names] = self._learn(prefix, names, sample)
        if known is not None:
            self._latest[prefix] = known
            form, match, time = known
            matched = match(rest)
            if matched is not None:
                return _plain(PlainLine, (form, matched, int(matched[time])))
            sample = decode(line)
        return Sample(sample.measurement, self._tags(sample.tags), sample.fields, sample.time_ns)

    def _comes_again(self, prefix: str, names: _Names) -> bool:
        if (prefix, names) in self._once:
            self._once.discard((prefix, names))
            return True
        if len(self._once) >= MOST_PREFIXES:
            self._once.clear()
        self._once.add((prefix, names))
        return False

    def _learn(self, prefix: str, names: _Names, sample: Sample) -> _Known:
        if len(self._known) >= MOST_PREFIXES:
            self._known.clear()
            self._latest.clear()
        tags = self._tags(sample.tags)
        if tags != sample.tags:
            prefix = encode_prefix(sample.measurement, tags)
        fields, suffixes = zip(*names, strict=True)
        form = Form(prefix, sample.measurement, tags, fields, tuple(map(bool, suffixes)))
        return form, _pattern(names).fullmatch, len(names) + 1


def _split(line: str) -> tuple[str, str]:
    """What stands before the first space that is not escaped, and after it."""
    beginning = _PREFIX.match(line)
    prefix = "" if beginning is None else beginning[0]
    return prefix, line[len(prefix) + 1 :]


def _names(rest: str) -> _Names:
    """The fields of what follows a prefix; none if it is not plain, or has too many."""
    if _REST.fullmatch(rest) is None:
        return ()
    names = tuple(_NAMES.findall(rest.partition(" ")[0]))
    different = len({name for name, _ in names}) == len(names) <= MOST_FIELDS
    return names if different else ()


@lru_cache(maxsize=MOST_PATTERNS)
def _pattern(names: _Names) -> re.Pattern[str]:
    fields = ",".join(f"{re.escape(name)}={_INT if suffix else _FLOAT}" for name, suffix in names)
    return re.compile(f"{fields} {_TIME}")
