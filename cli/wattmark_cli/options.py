"""Options that several commands share."""

import argparse
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final

from wattmark_cli.commands import COMMANDS
from wattmark_cli.embedded import (
    Rooms,
    StoreOptions,
    named_rooms,
    named_rooms_alone,
    open_rooms,
    own_or_joined_exporter,
    store_url_in,
)
from wattmark_core.errors import ConfigurationError
from wattmark_core.exporter_api import ExporterAddress, ExporterClient
from wattmark_exporters.choice import add_sensor_options, sensor_arguments
from wattmark_runner.records.data_folder import check_place
from wattmark_runner.windows.lease import name_folder
from wattmark_store import check_store

DATA: Final = Path("wattmark-data")
Subparsers = Any
"""What ``add_subparsers`` returns; argparse keeps its type private."""


def add_command(
    subparsers: Subparsers, name: str, example: str, run: Callable[[argparse.Namespace], int],
    *, data: bool = True,
) -> argparse.ArgumentParser:  # fmt: skip
    """A subcommand with an example in its help, ``--json`` and, unless it has none, ``--data``."""
    summary = COMMANDS[name].summary
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name, help=summary, description=summary, epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")
    if not data:
        return parser
    parser.add_argument(
        "--data", type=Path, default=DATA, metavar="DIR",
        help="folder of store, runs and logs (default: %(default)s)",
    )  # fmt: skip
    return parser


def add_rooms(parser: argparse.ArgumentParser) -> None:
    """Options of the exporter, or of services that already run."""
    group = parser.add_argument_group("measuring")
    add = group.add_argument
    add("--exporter", default="", metavar="URL",
        help="address of a running exporter to use (with --store)")  # fmt: skip
    add("--store", default="", metavar="URL",
        help="the store that the exporter's samples arrive in")  # fmt: skip
    add_store_options(group)
    add("--sysfs", type=Path, metavar="ROOT", help="folder where sysfs is mounted")
    add("--procfs", type=Path, metavar="ROOT", help="folder where procfs is mounted")
    add("--sensor", action="append", default=[], metavar="MODULE:CLASS",
        help="a sensor of your own; may be repeated")  # fmt: skip
    add("--without", action="append", default=[], metavar="NAME",
        help="name of a sensor to leave out; may be repeated")  # fmt: skip
    add_sensor_options(group)


def add_store_options(group: Any) -> None:
    """Password and CA of a store in InfluxDB; ``group``: a parser, or a group of its options."""
    group.add_argument(
        "--store-password-file", type=Path, metavar="FILE", help="file with InfluxDB's password"
    )
    group.add_argument(
        "--store-ca", type=Path, metavar="FILE",
        help="the CA certificate(s) to trust for InfluxDB, PEM (default: the system's)",
    )  # fmt: skip


def store_options(arguments: argparse.Namespace) -> StoreOptions:
    """Password and CA of the store, from the options."""
    return StoreOptions(arguments.store_password_file, arguments.store_ca)


def check_rooms(arguments: argparse.Namespace, *, folder: bool = True) -> None:
    """Raise ``ConfigurationError`` or ``StoreError`` for options with which a room would not start,
    before one does, and before anything is made. ``folder``: the data folder is needed, too."""
    if bool(arguments.exporter) != bool(arguments.store):
        raise ConfigurationError("--exporter and --store go together: give both, or neither")
    for option in () if arguments.store else store_options(arguments).arguments()[:1]:
        raise ConfigurationError(f"{option} is for a store of --store, not for our own; leave it")
    _check_exporter(arguments)
    if arguments.exporter:
        ExporterClient(arguments.exporter).close()
    if folder:
        check_place(arguments.data)
    url = arguments.store or store_url_in(arguments.data)
    if arguments.store or arguments.data.exists():  # our own is made where there is none
        check_store(url, arguments.store_password_file, arguments.store_ca)


def check_numbers(
    arguments: argparse.Namespace, *, above_zero: Sequence[str] = (), not_below_zero: Sequence[str]
) -> None:
    """Raise ``ConfigurationError`` for a number among these options that is out of bounds."""
    for name in (*above_zero, *not_below_zero):
        value = getattr(arguments, name)
        if value is None:
            continue
        if not math.isfinite(value) or value < 0 or (value == 0 and name in above_zero):
            bound = "above 0" if name in above_zero else "0 or more"
            raise ConfigurationError(f"--{name.replace('_', '-')} {value:g}: give {bound}")


def rooms(
    arguments: argparse.Namespace, *, join: bool = False, folder: bool = True
) -> AbstractContextManager[Rooms]:
    """The rooms that the options ask for, which ``check_rooms`` has let pass. ``join``: those of
    the program that works on the data folder, if one does; ``folder``: as for ``check_rooms``. Who
    else measures at the exporter reads of their folder."""
    name_folder(arguments.data)
    if not arguments.exporter:
        return open_rooms(arguments.data, exporter_options(arguments), join=join)
    named = named_rooms_alone if join and folder else named_rooms
    return named(arguments.data, arguments.exporter, arguments.store, store_options(arguments))


def exporter_of(arguments: argparse.Namespace) -> AbstractContextManager[ExporterAddress]:
    """The exporter that the options name, that of the program which works on the data folder, or
    one that runs meanwhile. Raises ``ConfigurationError``, before it is started."""
    _check_exporter(arguments)
    if arguments.exporter:
        return nullcontext(ExporterAddress(arguments.exporter))
    return own_or_joined_exporter(arguments.data, exporter_options(arguments))


def exporter_options(arguments: argparse.Namespace) -> list[str]:
    """The options handed on to the exporter."""
    options: list[str] = []
    for name in ("sysfs", "procfs"):
        value = getattr(arguments, name)
        if value is not None:
            options += [f"--{name}", str(value)]
    for name in ("sensor", "without"):
        for value in getattr(arguments, name):
            options += [f"--{name}", value]
    options += sensor_arguments(arguments)
    return options


def _check_exporter(arguments: argparse.Namespace) -> None:
    """Raise ``ConfigurationError`` for options that the exporter refuses, or that stand beside
    --exporter."""
    options = exporter_options(arguments)
    if not options:
        return
    if arguments.exporter:
        raise ConfigurationError(f"{options[0]} is for an exporter of our own, not for --exporter")
    from wattmark_exporters.__main__ import check

    check(options)
