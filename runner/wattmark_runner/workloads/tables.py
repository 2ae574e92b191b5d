"""The tables of ``workloads.toml``: which keys there are, and of what type their values."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from wattmark_core.errors import ConfigurationError
from wattmark_core.printable import printable

LARGEST: Final = 2**63 - 1
NAMES: Final = "must be a list of strings that are not empty"
MESSAGES: Final = {
    "string_type": "must be a string",
    "list_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "too_short": NAMES,
    "string_too_short": NAMES,
}
"""Kinds of pydantic's errors in the words of TOML."""


@dataclass(frozen=True, slots=True)
class Place:
    """A table of a file. Every error is one line that names file and key."""

    path: Path
    keys: tuple[str, ...] = ()

    def within(self, *keys: str) -> "Place":
        """The place of a table within this one."""
        return Place(self.path, (*self.keys, *keys))

    def wrong(self, key: str, message: str) -> ConfigurationError:
        """The error about a key, or with ``key`` empty about the table itself."""
        keys = (*self.keys, key) if key else self.keys
        return ConfigurationError(f"{self.path}: {printable('.'.join(keys))}: {printable(message)}")


class TomlTable(BaseModel):
    """A table whose keys are all known, and nothing in it is converted."""

    model_config = ConfigDict(strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _know_all_keys(cls, values: Any) -> Any:
        keys = values if isinstance(values, dict) else ()
        if unknown := [key for key in keys if key not in cls.model_fields]:
            known = ", ".join(sorted(cls.model_fields))
            raise _wrong(f"unknown key; known are {known}", key=unknown[0])
        return values


T = TypeVar("T", bound=TomlTable)


def read_table(kind: type[T], place: Place, values: Mapping[str, Any]) -> T:
    """The table at ``place``. Raises ``ConfigurationError``."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        detail = error.errors()[0]
    # A list's item is not named: its message is about the whole list.
    keys = [part for part in detail["loc"] if isinstance(part, str)]
    in_list = len(keys) < len(detail["loc"])
    message = NAMES if in_list else MESSAGES.get(detail["type"], detail["msg"])
    key = detail.get("ctx", {}).get("key")
    raise place.within(*keys, *([key] if key else [])).wrong("", message)


def _wrong(message: str, **context: str) -> PydanticCustomError:
    return PydanticCustomError("toml", "{message}", {"message": message, **context})


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong("must be a number")
    if abs(value) > LARGEST or not math.isfinite(value):
        raise _wrong(f"must be within ±{LARGEST}")
    return float(value)


def _above_zero(value: object) -> object:
    number = _number(value)
    if isinstance(number, float) and number <= 0:
        raise _wrong("must be above 0")
    return number


def _count(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
        raise _wrong(f"must be a whole number from 1 to {LARGEST}")
    return value


Number = Annotated[float, BeforeValidator(_number)]
"""A finite number."""
AboveZero = Annotated[float, BeforeValidator(_above_zero)]
"""A finite number above 0."""
Count = Annotated[int, BeforeValidator(_count)]
"""A whole number above 0."""
Names = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
"""A list of strings; neither it nor they are empty."""


class LimitsTable(TomlTable):
    """``[workloads.NAME.limits]``"""

    seconds: AboveZero | None = None
    memory_bytes: Count | None = None


class ParameterTable(TomlTable):
    """``[workloads.NAME.parameters.PARAMETER]``"""

    type: str = ""
    default: Any = None
    minimum: Number | None = None
    maximum: Number | None = None
    choices: list[Any] = Field(default=[])
    meaning: str = ""


class WorkloadTable(TomlTable):
    """``[workloads.NAME]``"""

    meaning: str | None = None
    models: Names | None = None
    builtin: str | None = None
    entry_point: str | None = None
    command: Names | None = None
    keras: str | None = None
    limits: LimitsTable = LimitsTable()
    parameters: dict[str, ParameterTable] = Field(default={})


class KerasTable(WorkloadTable):
    """``[workloads.NAME]`` with the images and weights of a ``keras`` workload.

    [workloads."keras:imagenet"]
    keras = "ilsvrc2012"
    path = "/data/ilsvrc2012/val"
    labels = "/data/ilsvrc2012/ILSVRC2012_devkit_t12"

    [workloads."keras:imagenet".weights]
    MobileNetV3Small = "/data/weights/mobilenet_v3_small.weights.h5"
    """

    keras: str = ""
    path: str = ""
    labels: str = ""
    images: Count | None = None
    weights: dict[str, str] = Field(default={})


class FileTable(TomlTable):
    """The whole file; the tables of workloads depend on their kind and are read one by one."""

    workloads: dict[str, dict[str, Any]] = Field(default={})
    scores: dict[str, str] = Field(default={})
