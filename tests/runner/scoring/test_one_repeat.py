"""One repeat is no surer than it was even."""

from pathlib import Path

import pytest

from tests.runner.scoring.test_run import SERIES, START, S, make_record
from wattmark_core.results import Score
from wattmark_core.sample import Sample, make_tags
from wattmark_runner.scoring.run import score_run
from wattmark_store.sqlite import SqliteStore


def score(tmp_path: Path, watts: list[float], repeats: int) -> Score:
    """The energy score of windows of 4 s, one every 5 s; ``watts`` for each second of them."""
    store = SqliteStore(tmp_path / "store.sqlite")
    tags = make_tags({"host": "host", **SERIES.tags})
    joules = 0.0
    for number in range(201):
        fields = {"joules": joules, "epoch": 1, "uncertainty_seconds": 0.0005}
        store.write([Sample("energy", tags, fields, START + number * S // 10)])
        joules += 0.1 * watts[int(number / 10 - 1) % 5]
    record = make_record()
    record.windows = record.windows[:repeats]
    (found, *_) = score_run(record, store).scores
    store.close()
    return found


def half_width(score: Score) -> float:
    """Of the interval of energy per inference, relative to it."""
    low, high = score.joules_per_inference_low, score.joules_per_inference_high
    assert low is not None
    assert high is not None
    assert score.joules_per_inference is not None
    return (high - low) / 2.0 / score.joules_per_inference


@pytest.mark.parametrize("repeats", [1, 2, 3])
def test_an_uneven_window_widens_the_interval(tmp_path: Path, repeats: int) -> None:
    """It holds each half's mean power, whether there is one window or several that are alike."""
    uneven = score(tmp_path, [80.0, 80.0, 20.0, 20.0, 50.0], repeats)
    assert half_width(uneven) > 0.6


@pytest.mark.parametrize("repeats", [1, 3])
def test_even_windows_keep_theirs(tmp_path: Path, repeats: int) -> None:
    """As narrow as the counter allows."""
    assert half_width(score(tmp_path, [50.0] * 5, repeats)) < 0.002
