"""Which sensors there are, their options, and those that a command line asks for."""

import argparse
import importlib
import inspect
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from wattmark_core.errors import ConfigurationError
from wattmark_exporters.readings import Sensor
from wattmark_exporters.sensors import BUILT_IN

Kind = type[Sensor] | Sensor
"""A sensor's class, or a sensor of the user's own in its process."""
_HEAD: Final = "| sensor | measures | needs | options |\n|---|---|---|---|\n"


@cache
def built_in() -> tuple[type[Sensor], ...]:
    """The classes of the package's own sensors."""
    return tuple(_class(f"wattmark_exporters.sensors.{name}") for name in BUILT_IN)


def add_sensor_options(parser: Any, own: Sequence[Kind] = ()) -> None:
    """Add the options of all sensors, and of the user's ``own``; ``parser``: a parser, or a group
    of its options. Raises ``ConfigurationError`` for an option that there is already."""
    kinds: Sequence[Kind] = (*built_in(), *own)
    for kind in kinds:
        for option in kind.options:
            try:
                if option.kind is None:
                    parser.add_argument(option.flag, action="store_true", help=option.help)
                else:
                    parser.add_argument(
                        option.flag, metavar=option.metavar, type=option.kind, help=option.help
                    )
            except argparse.ArgumentError as error:
                raise ConfigurationError(
                    f"sensor {kind.name}: {option.flag} is an option already; name it otherwise"
                ) from error


def own_names(arguments: Sequence[str]) -> list[str]:
    """What ``--sensor`` names in a command line."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--sensor", action="append", default=[])
    try:
        names = parser.parse_known_args(arguments)[0].sensor
    except argparse.ArgumentError:  # --sensor without a value: the whole parser says so
        return []
    return list(dict.fromkeys(names))


def own_sensors(arguments: Sequence[str]) -> list[Sensor]:
    """The sensors that ``--sensor`` names, each in a process of its own that has said what it is.
    Raises ``ConfigurationError``."""
    names = own_names(arguments)
    if not names:
        return []
    from wattmark_exporters.own_sensor import OwnSensor  # 1 MiB, for those who have one

    return [OwnSensor(name, arguments) for name in names]


def sensor_arguments(options: argparse.Namespace) -> list[str]:
    """The options of sensors that are set, to be handed on to another program."""
    arguments: list[str] = []
    for option in (option for kind in built_in() for option in kind.options):
        value = getattr(options, option.flag.lstrip("-").replace("-", "_"))
        if option.kind is None:
            arguments += [option.flag] if value else []
        elif value is not None:
            arguments += [option.flag, str(value)]
    return arguments


def choose(options: argparse.Namespace) -> list[Sensor]:
    """The sensors asked for, by their order; ``options.own``: the user's own. Raises
    ``ConfigurationError`` for a name that none of them has, or that two have."""
    kinds: list[Kind] = [*built_in(), *options.own]
    names = [kind.name for kind in kinds]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"two sensors are called {name!r}; give each its own name")
    if unknown := sorted(set(options.without).difference(names)):
        raise ConfigurationError(
            f"--without {unknown[0]}: no such sensor; there are {', '.join(names)}"
        )
    chosen = [kind for kind in kinds if kind.name not in options.without]
    made = [_made(kind, options) for kind in sorted(chosen, key=lambda kind: kind.order)]
    return [sensor for sensor in made if sensor is not None]


def load(name: str) -> type[Sensor]:
    """The sensor ``package.module:Class``; the working directory may hold the module.

    Raises ``ConfigurationError`` if there is none, or if it is no complete sensor.
    """
    module_name, _, class_name = name.partition(":")
    if not module_name or not class_name:
        raise ConfigurationError(f"--sensor {name}: not of the form package.module:Class")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        kind = _class(name)
    except Exception as error:
        raise ConfigurationError(f"--sensor {name}: {type(error).__name__}: {error}") from error
    if not (isinstance(kind, type) and issubclass(kind, Sensor)):
        raise ConfigurationError(f"--sensor {name}: not a subclass of wattmark_exporters.Sensor")
    if inspect.isabstract(kind):
        raise ConfigurationError(f"--sensor {name}: an abstract class; give it a read()")
    if not getattr(kind, "name", "") or not kind.interval_seconds > 0:
        raise ConfigurationError(f"--sensor {name}: needs a name and an interval above 0 s")
    return kind


def page(kinds: Sequence[type[Sensor]]) -> str:
    """What each sensor says of itself, as a table in Markdown."""
    return _HEAD + "".join(
        f"| `{kind.name}` | {kind.measures} | {kind.needs} |"
        f" {', '.join(f'`{option.flag}`' for option in kind.options)} |\n"
        for kind in sorted(kinds, key=lambda kind: kind.order)
    )


def _class(name: str) -> Any:
    module_name, _, class_name = name.partition(":")
    return getattr(importlib.import_module(module_name), class_name)


def _made(kind: Kind, options: argparse.Namespace) -> Sensor | None:
    if not isinstance(kind, type):
        from wattmark_exporters.own_sensor import OwnSensor

        return kind if not isinstance(kind, OwnSensor) or kind.wanted() else None
    try:
        return kind.make(options)
    except ConfigurationError:
        raise
    except Exception as error:
        raise ConfigurationError(
            f"sensor {kind.__name__}: {type(error).__name__}: {error}"
        ) from error
