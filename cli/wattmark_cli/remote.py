"""What the commands that speak to a runner share."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from wattmark_client import Client, ClientError
from wattmark_client.client import key_of
from wattmark_core.errors import RunError


def add_runner(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Options that say which runner, or which several."""
    group = parser.add_argument_group("runners" if several else "runner")
    add = group.add_argument
    told = "default: $WATTMARK_RUNNER, else http://127.0.0.1:8080"
    if several:
        add("--runner", action="append", default=[], metavar="URL",
            help=f"may be repeated, for as many hosts ({told})")  # fmt: skip
    else:
        add("--runner", default="", metavar="URL", help=told)
    add("--key-file", default="", metavar="FILE",
        help="file with the key to send; also $WATTMARK_KEY_FILE")  # fmt: skip
    add("--ca", type=Path, metavar="FILE", help="certificate that the runner's is signed with")


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


def say_json(document: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def pairs(given: list[str], option: str, sign: str) -> dict[str, str]:
    """NAME=VALUE options. Raises ``RunError``."""
    found = {}
    for text in given:
        name, there, value = text.partition(sign)
        if not (there and name):
            raise RunError(f"{option} {text}: not of the form NAME{sign}VALUE")
        found[name] = value
    return found
