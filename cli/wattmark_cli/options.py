"""Options that several commands share."""

import argparse
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from wattmark_cli.embedded import Rooms, StoreOptions, open_rooms
from wattmark_core.errors import ConfigurationError
from wattmark_exporters.choice import add_sensor_options, sensor_arguments

DATA: Final = Path("wattmark-data")
Subparsers = Any
"""What ``add_subparsers`` returns; argparse keeps its type private."""


def add_command(
    subparsers: Subparsers, name: str, help_text: str, example: str,
    run: Callable[[argparse.Namespace], int], *, data: bool = True,
) -> argparse.ArgumentParser:  # fmt: skip
    """A subcommand with an example in its help, ``--json`` and, unless it has none, ``--data``."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name, help=help_text, description=help_text, epilog=f"example:\n  {example}",
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
    add("--exporter", default="", metavar="URL", help="use this exporter (with --store)")
    add("--store", default="", metavar="URL", help="and the store its samples arrive in")
    add_store_options(group)
    add("--sysfs", type=Path, metavar="ROOT", help="where sysfs is mounted")
    add("--procfs", type=Path, metavar="ROOT", help="where procfs is mounted")
    add("--sensor", action="append", default=[], metavar="MODULE:CLASS",
        help="a sensor of your own; may be repeated")  # fmt: skip
    add("--without", action="append", default=[], metavar="NAME", help="leave a sensor out")
    add_sensor_options(group)


def add_store_options(group: Any) -> None:
    """What a store in InfluxDB wants; ``group``: a parser, or a group of its options."""
    group.add_argument(
        "--store-password-file", type=Path, metavar="FILE", help="InfluxDB's password"
    )
    group.add_argument(
        "--store-ca", type=Path, metavar="FILE", help="who signed InfluxDB's certificate, PEM"
    )


def store_options(arguments: argparse.Namespace) -> StoreOptions:
    """What the options say of the store."""
    return StoreOptions(arguments.store_password_file, arguments.store_ca)


def rooms(arguments: argparse.Namespace) -> AbstractContextManager[Rooms]:
    """The rooms that the options ask for."""
    return open_rooms(
        arguments.data, exporter_options(arguments),
        exporter_url=arguments.exporter, store_url=arguments.store,
        store_options=store_options(arguments),
    )  # fmt: skip


def exporter_options(arguments: argparse.Namespace) -> list[str]:
    """The options handed on to the exporter. Raises ``ConfigurationError`` beside --exporter."""
    options: list[str] = []
    for name in ("sysfs", "procfs"):
        value = getattr(arguments, name)
        if value is not None:
            options += [f"--{name}", str(value)]
    for name in ("sensor", "without"):
        for value in getattr(arguments, name):
            options += [f"--{name}", value]
    options += sensor_arguments(arguments)
    if options and arguments.exporter:
        raise ConfigurationError(f"{options[0]} is for an exporter of our own, not for --exporter")
    return options
