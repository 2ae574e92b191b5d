"""Samples, windows and scores as InfluxDB's line protocol, and names as InfluxQL.

Line protocol has no way to write a backslash at the end of a tag's value, or a line feed in it
(InfluxDB 1.6 and 2.7 look at one byte before a delimiter), so those stand behind a mark of ours:
any text comes back as it was, and any text is safe in a query. So do a ``#`` and a tab where a line
begins with them: the one would make it a comment, which is left out without a word, the other is
skipped.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Final

from wattmark_core.line_protocol import is_integer
from wattmark_core.results import Check, Score, Verdict, Window
from wattmark_core.sample import Tags, make_tags
from wattmark_core.series_lines import LineWriter
from wattmark_store.result_tables import BOOLEANS
from wattmark_store.schema import result_columns

MARK: Final = "␛"
_LETTERS: Final = {MARK: MARK, "\\": "b", "\n": "n", "\r": "r", "\0": "0"}
_CODE: Final = str.maketrans({plain: MARK + letter for plain, letter in _LETTERS.items()})
_FIRST: Final = {"#": "h", "\t": "t"}
"""What a line may not begin with."""
_DECODED: Final = {MARK + letter: plain for plain, letter in {**_LETTERS, **_FIRST}.items()}
_CODES: Final = re.compile(f"{MARK}.", re.DOTALL)
_LINE: Final = str.maketrans({",": "\\,", " ": "\\ ", "=": "\\="})
_NAME: Final = str.maketrans({",": "\\,", " ": "\\ "})
"""A measurement's name. In it 2.x takes ``\\=`` for two letters, 1.x for one."""

WINDOW_TAGS: Final = ("host", "model", "workload", "phase", "run_id")
SCORE_TAGS: Final = ("host", "model", "workload", "boundary", "formula", "run_id")
RESULT_EXTRAS: Final = {
    "window": frozenset({"start_ms", "end_ms"}),
    "score": frozenset({
        "invalid_checks", "warned_checks", "variant", "place", "energy_text", "accuracy_text",
        "score_text", "previous_text", "previous_run_id", "findings", "from_ms", "to_ms", "main",
    }),
}  # fmt: skip
"""Fields and tags for Grafana alone, which repeat others in a form that it can show."""
SCORE_EXTRA_TAGS: Final = ("variant", "place")
"""What a table's rows and columns are grouped by, where one name has to do."""


def code(text: str) -> str:
    """A text without what line protocol cannot hold."""
    return text.translate(_CODE)


def code_measurement(name: str) -> str:
    """A measurement's name without what line protocol cannot hold where a line begins."""
    first = _FIRST.get(name[:1])
    return code(name) if first is None else MARK + first + code(name[1:])


def decode(text: str) -> str:
    """What ``code``, or ``code_measurement``, was given."""
    if MARK not in text:
        return text
    return _CODES.sub(lambda match: _DECODED.get(match[0], match[0]), text)


def identifier(name: str) -> str:
    """A tag or field in InfluxQL."""
    return _quoted(code(name))


def from_measurement(name: str) -> str:
    """``FROM`` a measurement, in InfluxQL."""
    return f"FROM {_quoted(code_measurement(name))}"


def literal(text: str) -> str:
    """A tag's value in InfluxQL."""
    return "'" + code(text).replace("'", "\\'") + "'"


def encode_prefix(measurement: str, tags: Tags) -> str:
    """``line_protocol.encode_prefix`` as InfluxDB spells names."""
    named = (f"{_escaped(name)}={_escaped(value)}" for name, value in tags if value)
    return ",".join([code_measurement(measurement).translate(_NAME), *named])


def sample_writer(integer: Callable[[str, str], bool] = is_integer) -> LineWriter:
    """Writes samples for InfluxDB, where the first line that comes decides a field's type: all who
    write a database need one answer of ``integer``."""
    return LineWriter(encode_prefix, _escaped, integer)


@dataclass(frozen=True, slots=True)
class InfluxPoint:
    """A window or score as it is kept: its fields are bool, int, float or coded text."""

    measurement: str
    tags: Tags
    fields: Mapping[str, bool | int | float | str]
    time_ns: int

    def line(self) -> str:
        """The point in line protocol, without a line feed."""
        held = ",".join(f"{name}={_value(value)}" for name, value in self.fields.items())
        return f"{encode_prefix(self.measurement, self.tags)} {held} {self.time_ns}"


def window_point(window: Window) -> InfluxPoint:
    """A window at its start, with the times that Grafana's annotations want in ms."""
    tags, held = _split(window, WINDOW_TAGS)
    del held["start_ns"]
    held["start_ms"], held["end_ms"] = window.start_ns // 1_000_000, window.end_ns // 1_000_000
    return InfluxPoint("window", tags, held, window.start_ns)


def score_point(
    score: Score, extras: Mapping[str, str | int] = MappingProxyType({})
) -> InfluxPoint:
    """A score at its run's start; the checks as JSON. ``extras``: fields for Grafana alone."""
    tags, held = _split(score, SCORE_TAGS + SCORE_EXTRA_TAGS)
    del held["time_ns"]
    checks = [asdict(check) for check in score.checks]
    held["checks"] = code(json.dumps(checks, ensure_ascii=False))
    for verdict in (Verdict.INVALID, Verdict.WARNED):
        failed = [check for check in score.checks if check.verdict is verdict]
        held[f"{verdict}_checks"] = code("; ".join(map(_sentence, failed)) or "none")
    for name, extra in extras.items():
        held[name] = code(extra) if isinstance(extra, str) else int(extra)
    return InfluxPoint("score", tags, held, score.time_ns)


def _sentence(check: Check) -> str:
    if check.value is None:
        return f"{check.name}: {check.message}"
    limit = "" if check.limit is None else f", limit {check.limit:g}"
    return f"{check.name} {check.value:.3g} {check.unit}{limit}"


def _split(
    result: Window | Score, tag_names: tuple[str, ...]
) -> tuple[Tags, dict[str, bool | int | float | str]]:
    """What is known of a result, as tags and fields; numbers may be numpy's."""
    held: dict[str, bool | int | float | str] = {}
    for name, kind in result_columns(type(result)):
        value = getattr(result, name)
        if name in tag_names or name == "checks" or value is None:
            continue
        if name in BOOLEANS:
            held[name] = bool(value)
        elif kind == "INTEGER":
            held[name] = int(value)
        elif kind == "TEXT":
            held[name] = code(str(value))
        elif math.isfinite(value):
            held[name] = float(value)
    tags = {name: getattr(result, name) for name in tag_names}
    return make_tags({name: str(value) for name, value in tags.items() if value}), held


def _value(value: bool | int | float | str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}i"
    if isinstance(value, float):
        return repr(value)
    return '"' + value.replace('"', '\\"') + '"'


def _quoted(coded: str) -> str:
    return '"' + coded.replace('"', '\\"') + '"'


def _escaped(text: str) -> str:
    return code(text).translate(_LINE)
