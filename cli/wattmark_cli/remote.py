"""What the commands that speak to a runner share."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wattmark_client import Client, ClientError
from wattmark_client.client import key_of
from wattmark_core.errors import RunError


def add_runner(parser: argparse.ArgumentParser) -> None:
    """Options that say which runner."""
    group = parser.add_argument_group("runner")
    add = group.add_argument
    add("--runner", default="", metavar="URL",
        help="default: $WATTMARK_RUNNER, else http://127.0.0.1:8080")  # fmt: skip
    add("--key-file", default="", metavar="FILE",
        help="file with the key to send; also $WATTMARK_KEY_FILE")  # fmt: skip
    add("--ca", type=Path, metavar="FILE", help="certificate that the runner's is signed with")


@contextmanager
def runner(arguments: argparse.Namespace) -> Iterator[Client]:
    """A client of the runner that the options name. Its errors become one line."""
    try:
        key = key_of(arguments.key_file)
        with Client(arguments.runner, key=key, ca=arguments.ca) as client:
            yield client
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
