"""What Grafana shows of runs beside windows and scores: names, tags and types of its points.

They repeat what a run's record holds in a form that InfluxQL and Grafana can show as it is, and
nobody reads them back: ``Score`` and ``Window`` are the results.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from wattmark_core.results import Score, Window
from wattmark_core.sample import Tags, make_tags
from wattmark_store.influx_lines import SCORE_TAGS, InfluxPoint, code, from_measurement, identifier
from wattmark_store.influx_queries import Row, Rows, chosen, exactly
from wattmark_store.protocol import ViewPoint
from wattmark_store.schema import result_columns

BATCH_POINTS: Final = 5_000


class View(NamedTuple):
    """One measurement of ``results``: its tags, and its fields with their types."""

    tags: tuple[str, ...]
    fields: Mapping[str, type[float] | type[int] | type[str]]


RESULT_VIEWS: Final[Mapping[str, View]] = {
    "phase": View(("run_id", "host"), {"phase": str}),
    "check": View(
        ("run_id", "host", "boundary", "check"),
        {"verdict": str, "rank": int, "found": str, "allowed": str, "meaning": str},
    ),
    "repeat": View(
        ("run_id", "host", "model", "workload", "variant", "place", "boundary", "phase"),
        {
            "repeat": int,
            "joules_per_inference": float,
            "joules_per_inference_low": float,
            "joules_per_inference_high": float,
            "energy_text": str,
            "deviation_ratio": float,
            "outlier": str,
            "watts": float,
            "seconds": float,
            "inferences": int,
            "start_ms": int,
            "end_ms": int,
        },
    ),
    "window_power": View(
        ("run_id", "host", "window_id", "phase", "domain", "device", "method"),
        {"watts": float, "seconds": float},
    ),
    "isoline": View(
        ("workload", "boundary", "energy", "line"),
        {"joules_per_inference": float, "accuracy": float},
    ),
}
"""``phase`` where one begins, and ``none`` where one ends; ``check`` at the run's start, ``repeat``
at its window's, ``window_power`` at each point's own time, ``isoline`` at 0, 1, 2 … ns, of scores
whose ``energy`` is ``measured`` or ``estimated``."""
NO_PHASE: Final = "none"
_HELD: Final = tuple(
    name for name, _ in result_columns(Score) if name not in {*SCORE_TAGS, "time_ns", "checks"}
)


class Views:
    """Shows points. ``ask`` puts statements to ``results``, ``send`` writes lines into it."""

    def __init__(
        self,
        ask: Callable[[Sequence[str]], list[Rows]],
        send: Callable[[Iterable[str]], None],
    ) -> None:
        self._ask = ask
        self._send = send

    def show(self, measurement: str, owner: Mapping[str, str], points: Sequence[ViewPoint]) -> None:
        """See ``protocol.Showing``. What the new points have in their series and no more is
        counted, so nothing is deleted before what replaces it is there, but for a series in which
        something is left over: that one is deleted and written again."""
        made: dict[Tags, list[InfluxPoint]] = {}
        for new in map(_point, points):
            made.setdefault(new.tags, []).append(new)
        self._write([point for series in made.values() for point in series])
        (held,) = self._ask([_counts(measurement, owner)])
        stale = [row for row in held if _more(row, made.get(row.tags, []))]
        names = {name for tags in (*made, *(row.tags for row in held)) for name, _ in tags}
        self._ask([_deletion(measurement, row.tags, names) for row in stale])
        self._write([point for row in stale for point in made.get(row.tags, [])])

    def _write(self, points: Sequence[InfluxPoint]) -> None:
        for first in range(0, len(points), BATCH_POINTS):
            self._send(point.line() for point in points[first : first + BATCH_POINTS])


def phase_points(window: Window) -> Iterator[InfluxPoint]:
    """The phase at the window's start, and none at its last ns: where another begins at its end,
    that one's point is not touched."""
    tags = {"host": window.host, "run_id": window.run_id}
    at = {window.start_ns: str(window.phase), window.end_ns - 1: NO_PHASE}
    for time_ns, phase in at.items():
        named = make_tags({name: tag for name, tag in tags.items() if tag})
        yield InfluxPoint("phase", named, {"phase": phase}, time_ns)


def energy_scores(workload: str, formula: str) -> str:
    """The scores of a workload by a formula, all but their checks, which are long."""
    fields = ", ".join(identifier(name) for name in _HELD)
    where = " AND ".join(chosen({"workload": workload, "formula": formula}))
    return f'SELECT {fields} FROM "score" WHERE {where} GROUP BY *'


def _counts(measurement: str, owner: Mapping[str, str]) -> str:
    where = " AND ".join(chosen(owner))
    return f"SELECT count(*) {from_measurement(measurement)} WHERE {where} GROUP BY *"


def _more(row: Row, points: Sequence[InfluxPoint]) -> bool:
    """Does a series hold more than these points, which were just written?"""
    (held,) = row.records()
    return any(
        count > sum(name.removeprefix("count_") in point.fields for point in points)
        for name, count in held.items()
        if name != "time"
    )


def _deletion(measurement: str, tags: Tags, names: Iterable[str]) -> str:
    """Deletes one series, and none that has more of the tags ``names``."""
    return f"DELETE {from_measurement(measurement)} WHERE {' AND '.join(exactly(tags, names))}"


def _point(shown: ViewPoint) -> InfluxPoint:
    view = RESULT_VIEWS[shown.measurement]
    held = dict(_fields(view.fields, shown.fields))
    return InfluxPoint(shown.measurement, make_tags(dict(shown.tags)), held, shown.time_ns)


def _fields(
    kinds: Mapping[str, type[float] | type[int] | type[str]],
    values: Mapping[str, float | int | str],
) -> Iterator[tuple[str, float | int | str]]:
    for name, value in values.items():
        kind = kinds[name]
        if isinstance(value, str):
            yield name, code(value)
        elif math.isfinite(value):
            yield name, kind(value)
