"""Fixtures for the vocabulary and the store."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wattmark_core.sample import Sample, make_tags
from wattmark_store.sqlite import SqliteStore

START_NS = 1_700_000_000_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A new store."""
    made = SqliteStore(tmp_path / "store.sqlite")
    yield made
    made.close()


@pytest.fixture
def start_ns() -> int:
    """A time of the past, on a whole minute."""
    return START_NS // 60_000_000_000 * 60_000_000_000


@pytest.fixture
def energy() -> Callable[..., Sample]:
    """Makes samples of ``energy``: ``energy(time_ns, joules, epoch=1, **tags)``."""

    def make(time_ns: int, joules: float, epoch: int = 1, **tags: str) -> Sample:
        defaults = {"host": "h1", "domain": "package", "device": "socket0", "source": "rapl",
                    "method": "counter"}  # fmt: skip
        fields = {"joules": joules, "epoch": epoch, "uncertainty_seconds": 0.001}
        return Sample("energy", make_tags({**defaults, **tags}), fields, time_ns)

    return make
