"""Addresses to listen on, and files that hold secrets."""

import random
import socket
import string
from pathlib import Path

import pytest

from wattmark_core.errors import ConfigurationError, PortInUse
from wattmark_core.net import (
    host_port,
    in_url,
    is_loopback,
    listening_error,
    read_secret,
    read_text,
    weakness,
)


@pytest.mark.parametrize(
    ("text", "parts"),
    [("127.0.0.1:80", ("127.0.0.1", 80)), ("[::1]:0", ("::1", 0)), (":65535", ("", 65535))],
)
def test_an_address_has_two_parts(text: str, parts: tuple[str, int]) -> None:
    """An IPv6 address stands in brackets."""
    assert host_port(text) == parts


@pytest.mark.parametrize("text", ["9110", "h:", "h:x", "h:65536", "h:-1", "h:٣"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """The message names the option."""
    with pytest.raises(ConfigurationError, match=rf"^--listen {text}: not of the form HOST:PORT$"):
        host_port(text)


@pytest.mark.parametrize("host", ["localhost", "LocalHost", "127.8.9.1", "::1"])
def test_loopback_is_this_machine_alone(host: str) -> None:
    """No name is looked up."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "192.168.0.1", "localhost.example.org"])  # noqa: S104
def test_any_other_name_is_not(host: str) -> None:
    """Nor are all addresses at once."""
    assert not is_loopback(host)


def test_a_port_in_use_is_an_error_of_its_own() -> None:
    """Any other is one of the configuration."""
    assert in_url("::1") == "[::1]"
    with socket.create_server(("127.0.0.1", 0)) as first, socket.socket() as second:
        port = first.getsockname()[1]
        with pytest.raises(OSError) as caught:  # noqa: PT011 - its number is what counts
            second.bind(("127.0.0.1", port))
    error = listening_error(caught.value, "127.0.0.1", port)
    assert isinstance(error, PortInUse)
    assert str(error).startswith(f"another program listens on 127.0.0.1:{port}; choose another")
    assert isinstance(listening_error(OSError(99, "no"), "h", 1), ConfigurationError)


def test_a_secret_is_the_file_without_the_end_of_its_line(tmp_path: Path) -> None:
    """Spaces may be part of a password."""
    file = tmp_path / "secret"
    file.write_text(" pass word \r\n")
    assert read_secret(file, "password file", "the password") == " pass word "


def test_a_file_without_a_secret_is_refused(tmp_path: Path) -> None:
    """Missing, empty, or not text; the message says what to do and repeats nothing."""
    file = tmp_path / "secret"
    with pytest.raises(ConfigurationError, match=r"^token file .*: No such file or directory$"):
        read_secret(file, "token file", "a token")
    file.write_text("\n")
    with pytest.raises(ConfigurationError, match=r"is empty; write a token into it$"):
        read_secret(file, "token file", "a token")
    file.write_text("gehüm", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"is not ASCII text$"):
        read_secret(file, "token file", "a token")


def test_a_file_that_others_can_read_is_refused_where_that_matters(tmp_path: Path) -> None:
    """With the command that mends it."""
    file = tmp_path / "keys"
    file.write_text("run key")
    file.chmod(0o640)
    assert read_text(file, "key file") == "run key"
    with pytest.raises(ConfigurationError, match=rf"^others can read key file {file}; chmod 600 "):
        read_text(file, "key file", owner_only=True)
    file.chmod(0o600)
    assert read_text(file, "key file", owner_only=True) == "run key"


def test_random_keys_are_not_weak() -> None:
    """In hexadecimal digits, and in letters and digits."""
    chance = random.Random(1)  # noqa: S311 - no secret
    for alphabet, length in (("0123456789abcdef", 32), (string.ascii_letters, 16)):
        for _ in range(2_000):
            assert weakness("".join(chance.choices(alphabet, k=length))) is None


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("x", "at least 16 characters"), ("0123456789abcde", "at least 16 characters"),
        ("x" * 40, "different characters"), ("ab" * 20, "different characters"),
        ("secret-" * 6, "a piece that is repeated"), ("abcdefghijklmnopq", "a run of characters"),
        ("qponmlkjihgfedcba", "a run of characters"),
    ],
)  # fmt: skip
def test_keys_that_are_easily_guessed_are_weak(key: str, reason: str) -> None:
    """And it is said why."""
    assert reason in (weakness(key) or "")
