"""``workloads.toml``: what may run here. A request chooses among it and brings nothing of its own.

[workloads.sorting]
meaning = "sorts numbers"
command = ["python3", "sort.py", "--size", "{size}"]
models = ["quick", "heap"]

[workloads.sorting.parameters.size]
type = "integer"
default = 1000
minimum = 1
maximum = 1000000
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from wattmark_core.errors import ConfigurationError
from wattmark_runner.errors import ParameterError
from wattmark_runner.workloads.images import ImageFiles, read_images
from wattmark_runner.workloads.keras import ARCHITECTURES, KERAS_PARAMETERS
from wattmark_runner.workloads.parameters import Parameter, Value, shown_value
from wattmark_runner.workloads.reading import Table
from wattmark_runner.workloads.registry import BUILT_IN_PARAMETERS, WORKLOADS

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
PLACE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""Where a value goes into an argument of a command."""
ENTRY_POINT: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
KINDS: Final = ("builtin", "entry_point", "command", "keras")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker may take; None: no limit. ``seconds`` from loading to the last window,
    ``memory_bytes`` of data (RLIMIT_DATA) in each process."""

    seconds: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """Something that may run: exactly one of ``builtin``, ``keras``, ``entry_point``, ``command``.

    ``builtin`` names a built-in workload, ``keras`` the images for Keras's architectures,
    ``entry_point`` is ``package.module:callable``, ``command`` the arguments of a program, with
    ``{model}`` and ``{parameter}`` in them.
    """

    name: str
    meaning: str
    models: tuple[str, ...]
    parameters: tuple[Parameter, ...] = ()
    builtin: str = ""
    entry_point: str = ""
    command: tuple[str, ...] = ()
    limits: Limits = field(default=Limits())
    keras: ImageFiles | None = None

    def require(self, model: str) -> str:
        """``model``, if the workload has it. Raises ``ParameterError`` naming those it has."""
        if model not in self.models:
            raise ParameterError(
                "model",
                f"workload {self.name} has no model {model!r}; it has {', '.join(self.models)}",
            )
        return model

    def check(self, model: str, given: Mapping[str, Any]) -> dict[str, Value]:
        """All parameters, those not given at their defaults. Raises ``ParameterError``."""
        self.require(model)
        known = {each.name: each for each in self.parameters}
        for name in given:
            if name not in known:
                raise ParameterError(
                    f"parameters.{name}",
                    f"workload {self.name} has no parameter {name!r}; it has"
                    f" {', '.join(known) or 'none'}",
                )
        return {
            name: each.check(given[name]) if name in given else each.default
            for name, each in known.items()
        }

    def arguments(self, model: str, parameters: Mapping[str, Value]) -> list[str]:
        """The command with its values: each stays within one argument, and no shell sees it."""
        values = {"model": model, **parameters}

        def value(match: re.Match[str]) -> str:
            return shown_value(values[match[1]])

        return [PLACE.sub(value, argument) for argument in self.command]


@dataclass(frozen=True, slots=True)
class RunnerConfig:
    """What may run, and the scores beside the built-in ones (name → formula)."""

    workloads: tuple[Workload, ...]
    formulas: Mapping[str, str] = field(default_factory=dict)

    def find(self, name: str) -> Workload:
        """The workload called ``name``. Raises ``ParameterError`` naming the known ones."""
        for workload in self.workloads:
            if workload.name == name:
                return workload
        known = ", ".join(workload.name for workload in self.workloads)
        raise ParameterError("workload", f"unknown workload {name!r}; known are {known}")


def keras_workload(name: str, files: ImageFiles) -> Workload:
    """All architectures on a data set."""
    meaning = f"architectures of Keras on {files.kind} images"
    return Workload(name, meaning, tuple(ARCHITECTURES), KERAS_PARAMETERS, keras=files)


BUILT_IN: Final = RunnerConfig(
    (
        *(
            Workload(each.name, each.meaning, each.models, BUILT_IN_PARAMETERS, builtin=each.name)
            for each in WORKLOADS
        ),
        keras_workload("keras:synthetic", ImageFiles("synthetic")),
    )
)


def find_workload(name: str) -> Workload:
    """The built-in workload called ``name``. Raises ``ParameterError`` naming the known ones."""
    return BUILT_IN.find(name)


def load_config(path: Path | None) -> RunnerConfig:
    """What a file names; None: the built-in workloads. Raises ``ConfigurationError``."""
    if path is None:
        return BUILT_IN
    top = Table(str(path), _read(path))
    workloads = tuple(_workload(name, table) for name, table in top.tables("workloads").items())
    formulas = top.table("scores").texts()
    top.done()
    if not workloads:
        raise ConfigurationError(f"{path} names no workload; add [workloads.NAME]")
    return RunnerConfig(workloads, formulas)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from error


def _workload(name: str, table: Table) -> Workload:
    if not NAME.fullmatch(name):
        raise table.wrong("", "names are letters, digits and . _ : -")
    kinds = [kind for kind in KINDS if kind in table]
    if len(kinds) != 1:
        raise table.wrong("", f"needs exactly one of {', '.join(KINDS)}")
    limits = table.table("limits")
    built_in = _keras(name, table) if "keras" in table else _built_in(table)
    own = tuple(_parameter(n, t) for n, t in table.tables("parameters").items())
    workload = Workload(
        name,
        table.text("meaning", built_in.meaning if built_in else ""),
        table.names("models", built_in.models if built_in else ()),
        (*(built_in.parameters if built_in else ()), *own),
        built_in.builtin if built_in else "",
        table.text("entry_point", ""),
        table.names("command", ()),
        Limits(limits.above_zero("seconds"), limits.integer("memory_bytes")),
        built_in.keras if built_in else None,
    )
    limits.done()
    table.done()
    _check(workload, table)
    return workload


def _built_in(table: Table) -> Workload | None:
    if "builtin" not in table:
        return None
    try:
        found = find_workload(table.text("builtin", ""))
    except ParameterError as error:
        raise table.wrong("builtin", str(error)) from error
    if found.keras:
        raise table.wrong("builtin", f'is written keras = "{found.keras.kind}"')
    return found


def _keras(name: str, table: Table) -> Workload:
    return keras_workload(name, read_images(table))


def _check(workload: Workload, table: Table) -> None:
    _check_names(workload, table)
    if workload.builtin:
        _check_parts(workload, find_workload(workload.builtin), table)
    if workload.keras:
        _check_parts(workload, _keras(workload.name, table), table)
    if "entry_point" in table and not ENTRY_POINT.fullmatch(workload.entry_point):
        raise table.wrong("entry_point", "is not of the form package.module:callable")
    known = {"model", *(each.name for each in workload.parameters)}
    for argument in workload.command:
        for place in PLACE.findall(argument):
            if place not in known:
                raise table.wrong("command", f"{{{place}}} is no parameter of the workload")
        if "\0" in argument:
            raise table.wrong("command", "an argument cannot hold a NUL character")
    if workload.command and PLACE.search(workload.command[0]):
        raise table.wrong("command", "the program itself cannot be a parameter")


def _check_parts(workload: Workload, built_in: Workload, table: Table) -> None:
    for model in workload.models:
        if model not in built_in.models:
            kind = workload.builtin or "keras"
            raise table.wrong("models", f"{kind} has no model {model!r}")
    if workload.parameters != built_in.parameters:
        raise table.wrong("parameters", "a built-in workload declares its own")


def _check_names(workload: Workload, table: Table) -> None:
    """Scores are told apart by the names of workload and model."""
    if not workload.models:
        raise table.wrong("models", "is needed: what the scores are told apart by")
    for model in workload.models:
        if not model.isprintable():
            raise table.wrong("models", f"{model!r} cannot be printed")
    built_in = [each.name for each in WORKLOADS]
    if workload.name in built_in and workload.builtin != workload.name:
        raise table.wrong("", "is the name of a built-in workload; choose another")


def _parameter(name: str, table: Table) -> Parameter:
    if not name.isidentifier() or name == "model":
        raise table.wrong("", "parameters are named like variables, and not model")
    parameter = Parameter(
        name, table.text("type", ""), table.value("default"), table.number("minimum"),
        table.number("maximum"), table.several("choices") or (), table.text("meaning", ""),
    )  # fmt: skip
    table.done()
    try:
        parameter.check_itself()
    except ValueError as error:
        raise table.wrong("", str(error)) from error
    return parameter
