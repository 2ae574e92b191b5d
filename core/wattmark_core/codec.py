"""Dataclasses to JSON values and back, by their type hints: what was saved comes back equal."""

import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar

T = TypeVar("T")


def to_json(value: object) -> Any:
    """Nested dictionaries, lists, strings and numbers."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: to_json(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(name): to_json(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(each) for each in value]
    return value


def from_json(kind: type[T], body: Mapping[str, Any]) -> T:
    """A dataclass of ``kind``. A field that is missing takes its default.

    Raises ``TypeError`` for a field that is unknown or missing without default, ``ValueError`` for
    a value that an enumeration does not know.
    """
    hints = _hints(kind)  # type: ignore[arg-type]  # a class is hashable
    unknown = body.keys() - hints.keys()
    if unknown:
        raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    return kind(**{name: _decode(hints[name], value) for name, value in body.items()})


@functools.cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _decode(hint: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {types.UnionType, typing.Union}:  # only "… | None" is in use
        wanted = [each for each in arguments if each is not types.NoneType]
        return None if value is None else _decode(wanted[0], value)
    if origin is tuple:
        return tuple(_decode(arguments[0], each) for each in value)
    if origin is list:
        return [_decode(arguments[0], each) for each in value]
    if origin is dict:
        return {name: _decode(arguments[1], each) for name, each in value.items()}
    if is_dataclass(hint) and isinstance(hint, type):
        return from_json(hint, value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return float(value) if hint is float else value
