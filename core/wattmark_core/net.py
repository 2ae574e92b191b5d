"""Addresses to listen on, and files that hold secrets."""

import ipaddress
import os
import stat
from errno import EADDRINUSE
from itertools import pairwise
from pathlib import Path
from typing import Final

from wattmark_core.errors import ConfigurationError, PortInUse, WattmarkError

LARGEST_PORT: Final = 65535
CONTAINER_SECRETS: Final = Path("/run/secrets")
"""Mounted for one service, readable by whatever user that runs as."""
HOST_NAME: Final = r"\[[0-9a-fA-F:.]+\]|[^\s:@/?#\\\[\]'\"]+"
"""The pattern of a host as it stands in a URL or a ``Host`` header, without the port."""
LEAST_CHARACTERS: Final = 16
LEAST_DIFFERENT: Final = 6
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def host_port(text: str) -> tuple[str, int]:
    """The parts of ``HOST:PORT``; an IPv6 address may stand in brackets. Raises
    ``ConfigurationError``, which names the option ``--listen``."""
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > LARGEST_PORT:
        raise ConfigurationError(f"--listen {text}: not of the form HOST:PORT")
    return host.strip("[]"), int(port)


def in_url(host: str) -> str:
    """A host as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def is_loopback(host: str) -> bool:
    """Whether a name or address means this machine alone; no name is looked up."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_address(host: str) -> bool:
    """Whether it is an IP address, without brackets."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def listening_error(error: OSError, host: str, port: int) -> WattmarkError:
    """Why a program cannot listen there, to be raised from ``error``."""
    address = f"{in_url(host)}:{port}"
    if error.errno == EADDRINUSE:
        return PortInUse(
            f"another program listens on {address}; choose another with --listen HOST:PORT"
        )
    return ConfigurationError(f"cannot listen on {address}: {error}")


def weakness(key: str) -> str | None:
    """Why a key or token is too easily guessed; None if it is not.

    A guesser who may try a thousand a second needs, for 16 characters out of ten, 300,000 years,
    for 8 out of 36 half a century, and for the words and runs that people type, minutes. Of
    a million random keys of 16 digits 3,500 have fewer than 6 different ones, of hexadecimal digits
    20.
    """
    if len(key) < LEAST_CHARACTERS:
        return f"a key has at least {LEAST_CHARACTERS} characters"
    if len(set(key)) < LEAST_DIFFERENT:
        return f"a key has at least {LEAST_DIFFERENT} different characters"
    if key in (key + key)[1:-1]:
        return "the key is a piece that is repeated"
    if len({ord(b) - ord(a) for a, b in pairwise(key)}) == 1:
        return "the key is a run of characters in their order"
    return None


def check_owner_only(path: Path, what: str) -> None:
    """Raise ``ConfigurationError``, with the command that mends it, for a file that is there and
    that others than its owner can read or change."""
    try:
        mode = path.stat().st_mode
    except OSError:  # who opens it says so
        return
    _refuse_shared(mode, path, what)


def _refuse_shared(mode: int, path: Path, what: str) -> None:
    if mode & OTHERS and path.parent != CONTAINER_SECRETS:
        raise ConfigurationError(f"others can read {what} {path}; chmod 600 {path}")


def read_secret(
    path: Path, what: str, content: str, *, encoding: str = "ascii", owner_only: bool = False
) -> str:
    """The text of a file without the end of its line. Raises ``ConfigurationError`` as
    ``read_text`` does, and where it is empty; ``content`` names what it is to hold."""
    text = read_text(path, what, encoding=encoding, owner_only=owner_only).strip("\r\n")
    if not text.strip():
        raise ConfigurationError(f"{what} {path} is empty; write {content} into it")
    return text


def read_text(path: Path, what: str, *, encoding: str = "ascii", owner_only: bool = False) -> str:
    """The text of a file, which messages call ``what``.

    Raises ``ConfigurationError``, which never repeats the text, where it cannot be read; with
    ``owner_only`` also where others can read it.
    """
    try:
        with path.open(encoding=encoding) as stream:
            if owner_only:
                _refuse_shared(os.fstat(stream.fileno()).st_mode, path, what)
            return stream.read()
    except OSError as error:
        raise ConfigurationError(f"{what} {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{what} {path} is not {encoding.upper()} text") from error
