"""What dashboards read of a run beside windows and scores, as points made from its record."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from wattmark_core.results import ENERGY_SCORE, Score
from wattmark_core.sample import make_tags
from wattmark_runner.records.model import RunRecord
from wattmark_runner.views.isolines import isolines
from wattmark_runner.views.power import window_power
from wattmark_runner.views.repeats import repeats
from wattmark_scoring import words
from wattmark_scoring.score_words import check_texts
from wattmark_scoring.window_data import WindowData
from wattmark_store import ViewPoint


@dataclass(frozen=True, slots=True)
class Shown:
    """Points of one measurement: all that have the tags ``owner``."""

    measurement: str
    owner: Mapping[str, str]
    points: Sequence[ViewPoint]


def run_points(
    record: RunRecord, data: Mapping[str, WindowData], known: Sequence[Score]
) -> Iterator[Shown]:
    """All points of a run, and the lines of equal score of its workload.

    ``data``: what was read of the windows, by their ids. ``known``: the workload's energy scores,
    the run's own among them.
    """
    run = {"run_id": record.run_id}
    energy = [score for score in record.scores if score.formula == ENERGY_SCORE]
    yield Shown("check", run, [point for score in energy for point in checks(score)])
    yield Shown("repeat", run, [p for score in energy for p in repeats(record, score)])
    for window, points in window_power(record, data):
        yield Shown("window_power", {**run, "window_id": window.window_id}, points)
    for score in energy:
        owner = {"workload": score.workload, "boundary": str(score.boundary)}
        same = [other for other in known if other.boundary is score.boundary]
        yield Shown("isoline", owner, isolines(owner, same))


def checks(score: Score) -> Iterator[ViewPoint]:
    """The checks of a score in words."""
    for check in score.checks:
        texts = check_texts(check)
        tags = make_tags({
            "run_id": score.run_id, "host": score.host, "boundary": score.boundary,
            "check": texts.name,
        })  # fmt: skip
        fields: dict[str, str | int] = {
            "verdict": str(check.verdict), "rank": words.RANKS[check.verdict],
            "found": texts.found, "allowed": texts.allowed, "meaning": texts.meaning,
        }  # fmt: skip
        yield ViewPoint("check", tags, fields, score.time_ns)
