"""What may run: workloads with their models, parameters and limits, and the built-in ones."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from wattmark_runner.errors import ParameterError
from wattmark_runner.workloads.images import ImageFiles
from wattmark_runner.workloads.keras import ARCHITECTURES, KERAS_PARAMETERS
from wattmark_runner.workloads.parameters import Parameter, Value, shown_value
from wattmark_runner.workloads.registry import BUILT_IN_PARAMETERS, WORKLOADS

PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""Where a value goes into an argument of a command."""


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

    def check(self, model: str, values: Mapping[str, Any]) -> dict[str, Value]:
        """All parameters, those without a value at their defaults. Raises ``ParameterError``."""
        self.require(model)
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in values:
            if name not in known:
                raise ParameterError(
                    f"parameters.{name}",
                    f"workload {self.name} has no parameter {name!r}; it has"
                    f" {', '.join(known) or 'none'}",
                )
        return {
            name: parameter.check(values[name]) if name in values else parameter.default
            for name, parameter in known.items()
        }

    def arguments(self, model: str, parameters: Mapping[str, Value]) -> list[str]:
        """The command with its values: each stays within one argument, and no shell sees it."""
        values = {"model": model, **parameters}

        def value(match: re.Match[str]) -> str:
            return shown_value(values[match[1]])

        return [PLACEHOLDER.sub(value, argument) for argument in self.command]


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
            Workload(
                known.name, known.meaning, known.models, BUILT_IN_PARAMETERS, builtin=known.name
            )
            for known in WORKLOADS
        ),
        keras_workload("keras:synthetic", ImageFiles("synthetic")),
    )
)


def find_workload(name: str) -> Workload:
    """The built-in workload called ``name``. Raises ``ParameterError`` naming the known ones."""
    return BUILT_IN.find(name)
