"""What the commands that ask a runner share."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from wattmark_client import Client, ClientError
from wattmark_client.client import key_of
from wattmark_core.codec import list_from_json, to_json
from wattmark_core.errors import RunError

T = TypeVar("T")
WHICH_RUNNER: Final = "the runner's address (default: $WATTMARK_RUNNER, else http://127.0.0.1:8080)"


def add_runner(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Options that say which runner, or which several."""
    group = parser.add_argument_group("runners" if several else "runner")
    add = group.add_argument
    if several:
        add("--runner", action="append", default=[], metavar="URL",
            help=f"{WHICH_RUNNER}; may be repeated, one for each host")  # fmt: skip
    else:
        add("--runner", default="", metavar="URL", help=WHICH_RUNNER)
    add_access(group)


def add_access(group: Any) -> None:
    """Key and CA; ``group``: a parser, or a group of its options."""
    group.add_argument(
        "--key-file", default="", metavar="FILE",
        help="file with the key to send (default: $WATTMARK_KEY_FILE)",
    )  # fmt: skip
    group.add_argument(
        "--ca", type=Path, metavar="FILE",
        help="the CA certificate(s) to trust, PEM (default: the system's)",
    )  # fmt: skip


@contextmanager
def runner(arguments: argparse.Namespace) -> Iterator[Client]:
    """A client of the runner that the options name. Its errors become one line."""
    with _clients([arguments.runner], arguments) as (client,):
        yield client


@contextmanager
def runners(arguments: argparse.Namespace) -> Iterator[list[Client]]:
    """Clients of all the runners that the options name, of the usual one if none."""
    with _clients(arguments.runner or [""], arguments) as clients:
        yield clients


@contextmanager
def _clients(urls: Sequence[str], arguments: argparse.Namespace) -> Iterator[list[Client]]:
    try:
        key = key_of(arguments.key_file)
        with ExitStack() as stack:
            yield [stack.enter_context(Client(u, key=key, ca=arguments.ca)) for u in urls]
    except ClientError as error:
        raise RunError(str(error)) from error


def as_ours(kind: type[T], answers: Iterable[object]) -> list[T]:
    """The client's scores, checks, groups or records as the dataclasses of core and scoring, which
    the tables take. One with a value that this version does not know is left out."""
    try:
        return list_from_json(kind, map(to_json, answers))
    except TypeError as error:
        raise RunError(f"the runner's answer cannot be read: {error}") from error


def print_json(document: Any) -> None:
    """One JSON document on standard output; times as the runner writes them."""
    sys.stdout.write(json.dumps(document, indent=2, default=_moment) + "\n")


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} is no JSON value")


def pairs(texts: list[str], option: str, sign: str) -> dict[str, str]:
    """NAME=VALUE options. Raises ``RunError``."""
    named = {}
    for text in texts:
        name, separator, value = text.partition(sign)
        if not (separator and name):
            raise RunError(f"{option} {text}: not of the form NAME{sign}VALUE")
        named[name] = value
    return named
