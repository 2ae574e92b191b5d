"""The samples, windows and scores of an earlier version, in today's store."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from wattmark_store import Store, open_store

EVER = (0, 2**62)


@pytest.fixture
def store(old_data: Path) -> Iterator[Store]:
    """The old file, opened today."""
    opened = open_store(f"sqlite:///{old_data / 'store.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def rows(copy_left: Any, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another copy of it, as plain SQL shows it."""
    path = copy_left(tmp_path / "plain") / "store.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def test_every_sample_is_there(store: Store, rows: sqlite3.Connection) -> None:
    """Of each measurement: series by series with all values and times."""
    series = rows.execute("SELECT id, measurement, tags FROM series").fetchall()
    assert len(series) > 10
    for number, measurement, tags in series:
        table = rows.execute(f'SELECT * FROM "{measurement}" WHERE series = ?', (number,))
        names = [column[0] for column in table.description]
        before = [dict(zip(names, row, strict=True)) for row in table]
        found = store.series(measurement, *EVER, dict(json.loads(tags)))
        (data,) = [series for series in found if dict(series.tags) == dict(json.loads(tags))]
        assert list(data.times_ns) == [row["time_ns"] for row in before]
        for field, values in data.fields.items():
            assert list(values) == [row[field] for row in before]


@pytest.mark.parametrize(
    ("table", "key"), [("window", ("window_id",)), ("score", ("run_id", "boundary", "formula"))]
)
def test_every_window_and_score_is_there(
    store: Store, rows: sqlite3.Connection, table: str, key: tuple[str, ...]
) -> None:
    """With all that was known of it, to the last digit."""
    results: list[Any] = [*(store.windows() if table == "window" else store.scores())]
    found = {tuple(getattr(result, name) for name in key): result for result in results}
    stored = rows.execute(f'SELECT * FROM "{table}"')
    stored.row_factory = sqlite3.Row
    before = stored.fetchall()
    assert len(before) == len(found) > 5
    for row in before:
        result = found[tuple(row[name] for name in key)]
        for name in row.keys():  # noqa: SIM118 - a row's own iteration gives its values
            value = getattr(result, name)
            assert (len(value) if isinstance(value, tuple) else value) == (
                len(json.loads(row[name])) if isinstance(value, tuple) else row[name]
            ), name
