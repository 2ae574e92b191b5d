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
from wattmark_core.printable import printable, quoted, unprintable
from wattmark_core.regular_file import require_regular
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
    for name, formula in top.scores.items():
        for text in (name, formula):
            _check_printable(text, Place(path, ("scores", name)), "")
    workloads = tuple(
        _workload(name, values, Place(path, ("workloads", name)))
        for name, values in top.workloads.items()
    )
    return RunnerConfig(workloads, top.scores)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
        return tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        reason = f"line {line} holds byte 0x{content[error.start]:02x}, which is not UTF-8"
        raise ConfigurationError(f"{path} is not TOML: {reason}") from error
    except ValueError as error:  # of TOML, or of a number with thousands of digits
        raise ConfigurationError(f"{path} is not TOML: {printable(str(error))}") from error
    except RecursionError as error:
        raise ConfigurationError(f"{path} is not TOML: lists or tables lie too deep") from error


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
        if file:
            _check_file(Path(file), place, key)
    return ImageFiles(kind, path, table.labels, table.images, table.weights)


def _check_file(path: Path, place: Place, key: str) -> None:
    """It is there, and a file or a folder: a named pipe would be waited for, for ever."""
    try:
        if path.is_dir():
            return
        require_regular(path)
    except FileNotFoundError as error:
        raise place.wrong(key, f"{path} is not there") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise place.wrong(key, f"{path} cannot be used: {reason}") from error


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
        _check_printable(model, place, "models")
    _check_printable(workload.meaning, place, "meaning")
    built_in = [known.name for known in WORKLOADS]
    if workload.name in built_in and workload.builtin != workload.name:
        raise place.wrong("", "is the name of a built-in workload; choose another")


def _check_printable(text: str, place: Place, key: str) -> None:
    """It is shown in terminals and pages, and stands in records."""
    if character := unprintable(text):
        raise place.wrong(key, f"{quoted(text)} holds {character}, which cannot be printed")


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
    for key, text in {"meaning": table.meaning, "default": table.default}.items():
        if isinstance(text, str):
            _check_printable(text, place, key)
    for choice in table.choices:
        if isinstance(choice, str):
            _check_printable(choice, place, "choices")
    parameter = Parameter(
        name, table.type, table.default, table.minimum, table.maximum, tuple(table.choices),
        table.meaning,
    )  # fmt: skip
    try:
        parameter.check_itself()
    except ValueError as error:
        raise place.wrong("", str(error)) from error
    return parameter
