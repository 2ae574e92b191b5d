"""What InfluxDB holds for people to look at: written again it is the same, and nothing is left."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("influxdb_client", reason="needs the extra influxdb")

from tests.influxdb.results import rows
from wattmark_core.catalogue import Method
from wattmark_core.results import Boundary, Check, Score, Verdict
from wattmark_core.sample import make_tags
from wattmark_store import Showing, ViewPoint, open_store
from wattmark_store.influx import InfluxStore
from wattmark_store.influx_lines import RESULT_EXTRAS

RUN = {"run_id": "r 1"}
SCORE = Score(
    "r1", "h", "model", "digits", Boundary.CPU, "accuracy^2/energy", 1_000, Method.COUNTER,
    Verdict.WARNED, 9.0, 8.0, 10.0, joules_per_inference=0.3, joules_per_inference_low=0.2,
    joules_per_inference_high=0.4, settings="batch_size=1",
    checks=(Check("drift", Verdict.WARNED, 0.5, 0.02, "ratio", "x"),),
)  # fmt: skip


@pytest.fixture
def shown(influx: Any) -> Iterator[InfluxStore]:
    """The store, empty, as the runner's user opens it."""
    store = open_store(influx.url("runner"), influx.password_file("runner"))
    assert isinstance(store, InfluxStore)
    assert isinstance(store, Showing)
    yield store
    store.close()


def repeat(number: int, **fields: float | int | str) -> ViewPoint:
    """A point of ``repeat``, its tags as nasty as people's names are."""
    tags = make_tags({**RUN, "host": 'h"\\', "model": "m, n", "phase": "inference"})
    return ViewPoint("repeat", tags, {"repeat": number, **fields}, 1_000 * number)


def show(store: InfluxStore, points: Sequence[ViewPoint]) -> None:
    """Show them as the run's repeats."""
    store.show("repeat", RUN, points)


def test_points_shown_again_are_the_same(influx: Any, shown: InfluxStore) -> None:
    """Text comes back as it was, an integer stays one, and what is not finite is left out."""
    points = [
        repeat(1, outlier="outlier: 38 % \\", watts=float("nan"), inferences=7, seconds=2),
        repeat(2, energy_text='≈ 170 µJ "x"'),
    ]
    show(shown, points)
    first = rows(influx, 'SELECT * FROM "repeat"')
    show(shown, points)
    assert rows(influx, 'SELECT * FROM "repeat"') == first
    assert [(row["time"], row["repeat"], row.get("inferences")) for row in first] == [
        (1_000, 1, 7), (2_000, 2, None)
    ]  # fmt: skip
    assert first[0]["seconds"] == 2.0
    assert "watts" not in first[0]
    assert first[1]["energy_text"] == '≈ 170 µJ "x"'


def test_what_is_not_shown_any_more_is_gone(influx: Any, shown: InfluxStore) -> None:
    """A point, a field of a point, and a whole series; other runs' points stay."""
    other = replace(repeat(5), tags=make_tags({"run_id": "another", "host": "h"}))
    shown.show("repeat", {"run_id": "another"}, [other])
    moved = replace(repeat(3), tags=make_tags({**RUN, "host": "elsewhere"}))
    show(shown, [repeat(1, outlier="outlier"), repeat(2, watts=3.0), moved])
    show(shown, [repeat(1), repeat(4, watts=4.0)])
    found = rows(influx, 'SELECT * FROM "repeat"')
    assert [(row["repeat"], row.get("watts"), row.get("outlier")) for row in found] == [
        (1, None, None), (4, 4.0, None), (5, None, None)
    ]  # fmt: skip
    show(shown, [])
    assert [row["repeat"] for row in rows(influx, 'SELECT * FROM "repeat"')] == [5]


def test_many_points_go_in_several_requests(influx: Any, shown: InfluxStore) -> None:
    """All of them arrive."""
    tags = make_tags({**RUN, "window_id": "w"})
    points = [ViewPoint("window_power", tags, {"watts": 1.0 * i}, i) for i in range(12_001)]
    shown.show("window_power", RUN, points)
    assert rows(influx, 'SELECT count("watts") FROM "window_power"')[0]["count"] == 12_001


def test_a_score_has_texts_that_go_with_it(influx: Any, shown: InfluxStore) -> None:
    """They are in the same point, and a text that is no more leaves nothing; the score itself
    reads back as it was, with its checks or, of a whole workload, without."""
    shown.put_shown_score(SCORE, dict.fromkeys(("energy_text", "previous_text"), "×1.4 \\"))
    shown.put_shown_score(SCORE, {"energy_text": "300 ± 100 mJ"})
    (row,) = rows(influx, 'SELECT * FROM "score"')
    assert row["energy_text"] == "300 ± 100 mJ"
    assert "previous_text" not in row
    assert {"energy_text", "previous_text"} <= RESULT_EXTRAS["score"]
    assert shown.scores() == [SCORE]
    assert shown.energy_scores("digits", SCORE.formula) == [replace(SCORE, checks=())]
    assert shown.energy_scores("other", SCORE.formula) == []
