"""What programs log is one printable line, whatever foreign text is in it."""

import logging

import pytest

from wattmark_core.errors import ConfigurationError
from wattmark_core.logs import PrintableFormatter, tell_error


def record(message: str, *args: object, exc_info: object = None) -> logging.LogRecord:
    """As a program logs it."""
    return logging.LogRecord("x", logging.WARNING, "f.py", 1, message, args, exc_info)  # type: ignore[arg-type]


def test_a_message_is_one_line_without_escape_sequences() -> None:
    """A name cannot colour a terminal, forge a second line or turn the direction."""
    line = PrintableFormatter("program: %(message)s").format(
        record("target %s: %s", "h\x1b[2J", "a\nroot logged in\u202e")
    )
    assert line == "program: target h\\x1b[2J: a\\x0aroot logged in\\u202e"


def test_a_traceback_keeps_its_lines_and_no_controls() -> None:
    """It has as many lines as Python's own."""
    try:
        raise ValueError("page said \x1b[31mred\x00")
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    lines = PrintableFormatter("%(message)s").format(record("failed", exc_info=info)).split("\n")
    assert lines[:2] == ["failed", "Traceback (most recent call last):"]
    assert lines[-1] == "ValueError: page said \\x1b[31mred\\x00"
    assert len(lines) == 5


def test_an_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Undecodable names are escaped rather than raising."""
    tell_error("wattmark", ConfigurationError("no file caf\udce9\nx"))
    assert capsys.readouterr().err == "wattmark: no file caf\\xe9\\x0ax\n"
