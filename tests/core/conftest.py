"""Fixtures for the vocabulary and the store."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.influxdb.servers import KINDS, server_of
from tests.small_disk import small_disk as small_disk_at
from wattmark_core.sample import Sample, make_tags
from wattmark_store import Store, open_store
from wattmark_store.sqlite import SqliteStore

START_NS = 1_700_000_000_000_000_000


@pytest.fixture(params=["sqlite", *KINDS])
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Of each kind: a call gives a store with nothing in it."""
    made: list[Store] = []
    server = None
    if request.param != "sqlite":
        pytest.importorskip("influxdb_client", reason="needs the extra influxdb")
        server = server_of(request)
        made.append(open_store(server.url("admin"), server.password_file("admin")))

    def give() -> Store:
        if server is not None:
            server.make_databases()
        else:
            made.append(SqliteStore(tmp_path / f"store{len(made)}.sqlite"))
        return made[-1]

    yield give
    for store in made:
        store.close()


@pytest.fixture
def store(empty_store: Callable[[], Store]) -> Store:
    """An empty store; the test runs on each kind."""
    return empty_store()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty SQLite store."""
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


@pytest.fixture
def opened(influx: Any) -> Iterator[Callable[[], Any]]:
    """Stores opened as the collector's user."""
    stores: list[Any] = []

    def give() -> Any:
        stores.append(open_store(influx.url("collector"), influx.password_file("collector")))
        return stores[-1]

    yield give
    for store in stores:
        store.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 4 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    with small_disk_at(folder, "4m"):
        yield folder
