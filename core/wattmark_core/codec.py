"""Dataclasses to JSON values and back, by their type hints: what was saved comes back equal.

Sensor reports, windows, scores and runs are read by programs of other versions. A reader ignores
keys that it does not know, and sets aside what holds a value that one of its enumerations does not
know, as a whole: a score whose boundary is unknown is a number without a meaning. Out of a list
(of sensors, series, windows, scores, checks) such an entry is left, with one line in the log, and
the rest is read; where it stands alone it is an ``UnknownValue``. An enumeration that takes any
text (``SensorState``) has no unknown value.

``exact`` is for what is read to be saved again, the records of ``runner.sqlite``: there an unknown
key or value is an error, because saving would lose it.
"""

import functools
import logging
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, Final, TypeVar

from wattmark_core.errors import UnknownValue

log = logging.getLogger(__name__)
T = TypeVar("T")
Decoder = Callable[[Any], Any]
SHOWN_CHARACTERS: Final = 60
REMEMBERED_LINES: Final = 256


def to_json(value: object) -> Any:
    """Nested dictionaries, lists, strings and numbers."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(name): to_json(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(held) for held in value]
    return value


def from_json(kind: type[T], body: Mapping[str, Any], *, exact: bool = False) -> T:
    """A dataclass of ``kind``. A field that is missing takes its default.

    Raises ``TypeError`` that names a field that is missing without default or holds the wrong
    type, ``UnknownValue`` for a value that an enumeration does not know. With ``exact`` also
    ``TypeError`` for an unknown key, and nothing is set aside.
    """
    if not isinstance(body, Mapping):
        raise TypeError(f"{kind.__name__} is not a JSON object but {_shown(body)}")
    decoders, required = _plan(kind, exact)  # type: ignore[arg-type]  # a class is hashable
    if exact and (unknown := body.keys() - decoders.keys()):
        raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    if missing := required - body.keys():
        raise TypeError(f"{kind.__name__} lacks {', '.join(sorted(missing))}")
    values = {}
    for name, value in body.items():
        if name in decoders:
            try:
                values[name] = decoders[name](value)
            except UnknownValue:
                raise
            except (TypeError, ValueError, AttributeError) as error:
                raise TypeError(f"{kind.__name__}.{name}: {error}") from error
    return kind(**values)


def list_from_json(kind: type[T], bodies: Iterable[Mapping[str, Any]]) -> list[T]:
    """Those of ``bodies`` that hold no unknown value. Raises ``TypeError`` as ``from_json``."""
    return list(_entries(functools.partial(from_json, kind), bodies))


@functools.cache
def _plan(kind: type[Any], exact: bool) -> tuple[dict[str, Decoder], frozenset[str]]:
    """How each field is read, and which ones have no default."""
    hints = typing.get_type_hints(kind)
    own = fields(kind)
    required = (f.name for f in own if f.default is MISSING and f.default_factory is MISSING)
    return {f.name: _decoder(hints[f.name], exact) for f in own}, frozenset(required)


def _decoder(hint: Any, exact: bool) -> Decoder:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {types.UnionType, typing.Union}:
        return _optional(arguments, exact)
    if origin is tuple and Ellipsis not in arguments:
        return _positions([_decoder(argument, exact) for argument in arguments])
    if origin in {tuple, list}:
        return _sequence(origin, _decoder(arguments[0], exact), exact)
    if origin is dict:
        return _mapping(_decoder(arguments[1], exact))
    if isinstance(hint, type) and is_dataclass(hint):
        return functools.partial(from_json, hint, exact=exact)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return functools.partial(_member, hint)
    return float if hint is float else _as_it_is


def _optional(arguments: tuple[Any, ...], exact: bool) -> Decoder:
    """``KIND | None``; a choice of several kinds, as parameters of workloads have, is kept."""
    kinds = [argument for argument in arguments if argument is not types.NoneType]
    decode = _decoder(kinds[0], exact) if len(kinds) == 1 else _as_it_is
    return lambda value: None if value is None else decode(value)


def _positions(decoders: list[Decoder]) -> Decoder:
    def decode(values: Any) -> tuple[Any, ...]:
        return tuple(d(value) for d, value in zip(decoders, values, strict=True))

    return decode


def _sequence(kind: type[Any], decode: Decoder, exact: bool) -> Decoder:
    if decode is _as_it_is:
        return kind
    if exact:
        return lambda values: kind(map(decode, values))
    return lambda values: kind(_entries(decode, values))


def _mapping(decode: Decoder) -> Decoder:
    return lambda values: {name: decode(value) for name, value in values.items()}


def _entries(decode: Decoder, values: Iterable[Any]) -> Iterator[Any]:
    """All but those with an unknown value."""
    for value in values:
        try:
            entry = decode(value)
        except UnknownValue as error:
            _log_once(str(error))
        else:
            yield entry


def _member(kind: type[Enum], value: Any) -> Enum:
    try:
        return kind(value)
    except ValueError as error:
        raise UnknownValue(f"unknown {kind.__name__.lower()} {_shown(value)}") from error


def _as_it_is(value: Any) -> Any:
    return value


def _shown(value: object) -> str:
    return repr(value)[:SHOWN_CHARACTERS]


@functools.lru_cache(REMEMBERED_LINES)
def _log_once(problem: str) -> None:
    """A report is read every 30 s; its unknown value is worth one line."""
    log.warning("%s: left out what has it; upgrade wattmark to read it", problem)
