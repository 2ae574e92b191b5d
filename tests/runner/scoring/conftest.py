"""Runs whose samples are made by hand."""

import pytest

from tests.runner.scoring.by_hand import GPU, make_run, make_samples
from wattmark_core.sample import Sample
from wattmark_runner.records.model import RunRecord


@pytest.fixture(params=["", GPU.device], ids=["cpu", "gpu"])
def run(request: pytest.FixtureRequest) -> RunRecord:
    """On the CPU and on a GPU."""
    return make_run(request.param)


@pytest.fixture
def samples() -> list[Sample]:
    """All that scoring reads, by time."""
    return make_samples()
