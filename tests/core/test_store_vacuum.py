"""What a store forgets, its disk gets back."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from wattmark_core.sample import Sample
from wattmark_store.retention import DAY_NS
from wattmark_store.sqlite import SqliteStore
from wattmark_store.vacuum import allow_vacuum, give_back

NOW = 1_700_000_000 * 10**9


def filled(path: Path) -> None:
    """20,000 samples of 30 days ago, and one of now."""
    store = SqliteStore(path)
    old = NOW - 30 * DAY_NS
    store.write(Sample("power", (), {"watts": 1.0}, old + n * 10**7) for n in range(20_000))
    store.write([Sample("power", (), {"watts": 2.0}, NOW)])
    store.close()


def pruned(path: Path) -> int:
    """How many samples are left of all."""
    store = SqliteStore(path)
    store.roll_up(NOW)
    store.prune(NOW)
    (data,) = store.series("power", 0, 2**62, {})
    store.close()
    return len(data.times_ns)


def without_pages_given_back(path: Path) -> None:
    """As earlier versions made their files."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA auto_vacuum=0")
        connection.execute("VACUUM")


def test_forgetting_makes_the_file_small(tmp_path: Path) -> None:
    """By pages, while others may use it."""
    path = tmp_path / "s.sqlite"
    filled(path)
    before = path.stat().st_size
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM power").fetchone() == (20_001,)
        assert pruned(path) == 1
    assert path.stat().st_size < before / 2


def test_a_file_of_before_is_changed_once(tmp_path: Path) -> None:
    """And then shrinks as a new one does."""
    path = tmp_path / "s.sqlite"
    filled(path)
    without_pages_given_back(path)
    before = path.stat().st_size
    assert pruned(path) == 1
    assert path.stat().st_size < before / 2


@pytest.mark.parametrize(
    ("hindrance", "limits"),
    [("MiB", {"most_bytes": 1000}), ("room", {"sizes": 1e12}), ("locked", {"wait_seconds": 0.01})],
)
def test_a_file_that_cannot_be_changed_now_is_used_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, hindrance: str, limits: Any
) -> None:
    """The log says why; free pages are used again."""
    path = tmp_path / "s.sqlite"
    filled(path)
    without_pages_given_back(path)
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        closing(sqlite3.connect(path, isolation_level=None)) as connection,
        caplog.at_level(logging.INFO),
    ):
        if hindrance == "locked":
            other.execute("BEGIN IMMEDIATE")
        allow_vacuum(connection, path, **limits)
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (0,)
        assert give_back(connection) == 0
    (told,) = caplog.messages
    assert "are used again, not given back" in told
    assert hindrance in told
