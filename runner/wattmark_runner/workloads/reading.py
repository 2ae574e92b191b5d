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
from pathlib import Path
from typing import Any, Final

from wattmark_core.errors import ConfigurationError
from wattmark_runner.errors import ParameterError
from wattmark_runner.workloads.config import (
    BUILT_IN,
    PLACEHOLDER,
    Limits,
    RunnerConfig,
    Workload,
    find_workload,
    keras_workload,
)
from wattmark_runner.workloads.images import ImageFiles
from wattmark_runner.workloads.keras import ARCHITECTURES, DATASETS
from wattmark_runner.workloads.parameters import Parameter
from wattmark_runner.workloads.registry import WORKLOADS
from wattmark_runner.workloads.tables import (
    FileTable,
    KerasTable,
    ParameterTable,
    Place,
    WorkloadTable,
    read_table,
)

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
ENTRY_POINT: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
KINDS: Final = ("builtin", "entry_point", "command", "keras")


def load_config(path: Path | None) -> RunnerConfig:
    """What a file names; None: the built-in workloads. Raises ``ConfigurationError``."""
    if path is None:
        return BUILT_IN
    top = read_table(FileTable, Place(path), _read(path))
    if not top.workloads:
        raise ConfigurationError(f"{path} names no workload; add [workloads.NAME]")
    workloads = tuple(
        _workload(name, values, Place(path, ("workloads", name)))
        for name, values in top.workloads.items()
    )
    return RunnerConfig(workloads, top.scores)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from error


def _workload(name: str, values: dict[str, Any], place: Place) -> Workload:
    if not NAME.fullmatch(name):
        raise place.wrong("", "names are letters, digits and . _ : -")
    if sum(kind in values for kind in KINDS) != 1:
        raise place.wrong("", f"needs exactly one of {', '.join(KINDS)}")
    table = read_table(KerasTable if "keras" in values else WorkloadTable, place, values)
    base = _base(name, table, place)
    own = tuple(
        _parameter(key, declared, place.within("parameters", key))
        for key, declared in table.parameters.items()
    )
    workload = Workload(
        name,
        base.meaning if table.meaning is None else table.meaning,
        base.models if table.models is None else tuple(table.models),
        (*base.parameters, *own),
        base.builtin,
        table.entry_point or "",
        tuple(table.command or ()),
        Limits(table.limits.seconds, table.limits.memory_bytes),
        base.keras,
    )
    _check(workload, base, table, place)
    return workload


def _base(name: str, table: WorkloadTable, place: Place) -> Workload:
    """What the table narrows: a built-in workload, a data set for Keras's, or nothing at all."""
    if isinstance(table, KerasTable):
        return keras_workload(name, _image_files(table, place))
    if table.builtin is None:
        return Workload(name, "", ())
    try:
        built_in = find_workload(table.builtin)
    except ParameterError as error:
        raise place.wrong("builtin", str(error)) from error
    if built_in.keras:
        raise place.wrong("builtin", f'is written keras = "{built_in.keras.kind}"')
    return built_in


def _image_files(table: KerasTable, place: Place) -> ImageFiles:
    kind, path = table.keras, table.path
    if kind not in DATASETS:
        raise place.wrong("keras", f"no data set {kind!r}; known are {', '.join(DATASETS)}")
    if DATASETS[kind].needs_path != bool(path):
        raise place.wrong("path", f"{kind} has no files" if path else "is needed")
    for architecture in table.weights:
        if architecture not in ARCHITECTURES:
            raise place.wrong(f"weights.{architecture}", "is no architecture that is known")
    weights = {f"weights.{name}": file for name, file in table.weights.items()}
    for key, file in {"path": path, "labels": table.labels, **weights}.items():
        if file and not Path(file).exists():
            raise place.wrong(key, f"{file} is not there")
    return ImageFiles(kind, path, table.labels, table.images, table.weights)


def _check(workload: Workload, base: Workload, table: WorkloadTable, place: Place) -> None:
    _check_names(workload, place)
    if workload.builtin or workload.keras:
        for model in workload.models:
            if model not in base.models:
                kind = workload.builtin or "keras"
                raise place.wrong("models", f"{kind} has no model {model!r}")
        if workload.parameters != base.parameters:
            raise place.wrong("parameters", "a built-in workload declares its own")
    if table.entry_point is not None and not ENTRY_POINT.fullmatch(table.entry_point):
        raise place.wrong("entry_point", "is not of the form package.module:callable")
    _check_command(workload, place)


def _check_names(workload: Workload, place: Place) -> None:
    """Scores are told apart by the names of workload and model."""
    if not workload.models:
        raise place.wrong("models", "is needed: what the scores are told apart by")
    for model in workload.models:
        if not model.isprintable():
            raise place.wrong("models", f"{model!r} cannot be printed")
    built_in = [known.name for known in WORKLOADS]
    if workload.name in built_in and workload.builtin != workload.name:
        raise place.wrong("", "is the name of a built-in workload; choose another")


def _check_command(workload: Workload, place: Place) -> None:
    known = {"model", *(parameter.name for parameter in workload.parameters)}
    for argument in workload.command:
        for name in PLACEHOLDER.findall(argument):
            if name not in known:
                raise place.wrong("command", f"{{{name}}} is no parameter of the workload")
        if "\0" in argument:
            raise place.wrong("command", "an argument cannot hold a NUL character")
    if workload.command and PLACEHOLDER.search(workload.command[0]):
        raise place.wrong("command", "the program itself cannot be a parameter")


def _parameter(name: str, table: ParameterTable, place: Place) -> Parameter:
    if not name.isidentifier() or name == "model":
        raise place.wrong("", "parameters are named like variables, and not model")
    parameter = Parameter(
        name, table.type, table.default, table.minimum, table.maximum, tuple(table.choices),
        table.meaning,
    )  # fmt: skip
    try:
        parameter.check_itself()
    except ValueError as error:
        raise place.wrong("", str(error)) from error
    return parameter
