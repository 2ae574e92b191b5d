"""The embedded default: exporter and collector as child processes on loopback, a SQLite store."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wattmark_cli.child import Child, started
from wattmark_cli.output import remark
from wattmark_core.errors import ConfigurationError
from wattmark_core.exporter_api import ExporterAddress
from wattmark_runner.records.data_folder import alone, alone_or_joined
from wattmark_runner.records.in_use import InUse, published
from wattmark_runner.records.joining import after_joined
from wattmark_store import Store, open_store

POLL_SECONDS: Final = 2.0
"""How often samples are fetched. Here the collector shares the machine that is measured, and each
poll costs the two rooms as much as half a second of sampling; the exporter keeps ten minutes."""


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """Password and CA certificates of a store that is a server."""

    password_file: Path | None = None
    ca: Path | None = None

    def arguments(self) -> list[str]:
        """The options of a room that opens the same store."""
        options = {"--store-password-file": self.password_file, "--store-ca": self.ca}
        return [word for name, path in options.items() if path for word in (name, str(path))]


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the commands work with: an exporter, a store that its samples arrive in, a folder.

    ``children``: the rooms that were started for it. ``joined``: who works on the folder already,
    and whose rooms these are; None: nobody else.
    """

    exporter: ExporterAddress
    store_url: str
    store: Store
    data: Path
    children: tuple[Child, ...] = ()
    store_options: StoreOptions = StoreOptions()
    joined: InUse | None = None

    @property
    def exporter_url(self) -> str:
        """The exporter's URL."""
        return self.exporter.url


@contextmanager
def open_rooms(
    data: Path, exporter_options: Sequence[str] = (), *, join: bool = False
) -> Iterator[Rooms]:
    """Start exporter and collector for as long as the context lasts, under the lock of the data
    folder; with ``join``, where another program works on it, use that one's. Who joined ours is
    waited for at a good end.

    The options are those that ``options.check_rooms`` has let pass. Raises ``ConfigurationError``,
    ``StoreError``, or ``RunError`` if a room does not start.
    """
    with (alone_or_joined if join else _alone)(data) as joined:
        if joined is not None:
            with joined_rooms(data, joined, exporter_options) as rooms:
                yield rooms
            return
        url = store_url_in(data)
        with (
            closing(open_store(url)) as store,
            running_exporter(data, exporter_options) as exporter,
            _collector(data, exporter.ready, url) as collector,
            ExitStack() as ending,
            published(data, InUse(os.getpid(), exporter.ready, url)),
        ):
            address = ExporterAddress(exporter.ready)
            yield Rooms(address, url, store, data, (exporter, collector))
            if join:
                with suppress(KeyboardInterrupt):
                    ending.enter_context(after_joined(data, _waits))


@contextmanager
def named_rooms(
    data: Path, exporter_url: str, store_url: str, store_options: StoreOptions
) -> Iterator[Rooms]:
    """Rooms that run already, as they are named. Nothing of the data folder is touched. Raises
    ``StoreError``."""
    store = open_store(store_url, store_options.password_file, store_options.ca)
    with closing(store):
        address = ExporterAddress(exporter_url)
        yield Rooms(address, store_url, store, data, store_options=store_options)


@contextmanager
def named_rooms_alone(
    data: Path, exporter_url: str, store_url: str, store_options: StoreOptions
) -> Iterator[Rooms]:
    """The same under the lock of the data folder; where a service works on it that measures by the
    exporter which is named, that service's. Raises as ``open_rooms`` does."""
    with alone_or_joined(data) as joined:
        if joined is None:
            rooms = named_rooms(data, exporter_url, store_url, store_options)
        elif joined.exporter.rstrip("/") == exporter_url.rstrip("/"):
            rooms = joined_rooms(data, joined)
        else:
            raise ConfigurationError(
                f"{data} is in use by {joined} with another exporter, {joined.exporter}; leave"
                " --exporter and --store, or name another folder with --data"
            )
        with rooms as opened:
            yield opened


@contextmanager
def joined_rooms(
    data: Path, joined: InUse, exporter_options: Sequence[str] = ()
) -> Iterator[Rooms]:
    """The rooms of the program that works on the folder. Raises ``ConfigurationError`` for options
    that its exporter would have needed."""
    _no_options(data, joined, exporter_options)
    files = (joined.store_password_file, joined.store_ca)
    password_file, ca = (Path(name) if name else None for name in files)
    with closing(open_store(joined.store, password_file, ca)) as store:
        yield Rooms(joined.exporter_address, joined.store, store, data, joined=joined)


@contextmanager
def own_or_joined_exporter(data: Path, options: Sequence[str]) -> Iterator[ExporterAddress]:
    """An exporter alone: that of the program which works on the folder, or one that is started.
    Raises as ``open_rooms`` does."""
    with alone_or_joined(data) as joined:
        if joined is not None:
            _no_options(data, joined, options)
            yield joined.exporter_address
            return
        with running_exporter(data, options) as exporter:
            yield ExporterAddress(exporter.ready)


def _waits() -> None:
    remark(
        "wattmark: another command measures with this one's exporter, which runs on until that one"
        " has ended; Ctrl-C ends it now"
    )


def _no_options(data: Path, joined: InUse, options: Sequence[str]) -> None:
    if options:
        raise ConfigurationError(
            f"{options[0]} is for an exporter of our own, and {data} is in use by {joined}, whose"
            " exporter measures; leave it, or name another folder with --data"
        )


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    with alone(data):
        yield


def store_url_in(data: Path) -> str:
    """The store of a data folder."""
    return f"sqlite:///{data.absolute() / 'store.sqlite'}"


@contextmanager
def running_exporter(data: Path, options: Sequence[str] = ()) -> Iterator[Child]:
    """An exporter on a free port of loopback."""
    command = ["wattmark_exporters", "--listen", "127.0.0.1:0", *options]
    with started(command, data / "exporter.log") as child:
        yield child


@contextmanager
def running_runner(rooms: Rooms, options: Sequence[str]) -> Iterator[Child]:
    """A runner over the rooms."""
    command = ["wattmark_runner", "--exporter", rooms.exporter_url, "--store", rooms.store_url,
               "--data", str(rooms.data), *rooms.store_options.arguments(),
               *options]  # fmt: skip
    with started(command, rooms.data / "runner.log") as child:
        yield child


@contextmanager
def _collector(data: Path, address: str, store_url: str) -> Iterator[Child]:
    targets = data / "targets.yml"
    targets.write_text(
        "# made by wattmark at every start\n"
        f"global: {{scrape_interval: {POLL_SECONDS:g}s}}\n"
        "scrape_configs:\n"
        "  - job_name: wattmark\n"
        "    metrics_path: /samples\n"
        "    static_configs:\n"
        f"      - targets: ['{address.removeprefix('http://')}']\n",
        encoding="utf-8",
    )
    command = ["wattmark_collector", "--config", str(targets), "--store", store_url]
    with started(command, data / "collector.log") as child:
        yield child
