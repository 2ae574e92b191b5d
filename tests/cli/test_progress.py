"""How far a long piece of work is, on a terminal and elsewhere."""

import io
import os
import pty
import sys

import pytest

from wattmark_cli.progress import reporting


def test_a_terminal_gets_one_line_that_is_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each news takes the place of the last, within the terminal's width; nothing stays."""
    monkeypatch.setenv("COLUMNS", "80")
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with reporting() as reporter:
            reporter.report("measuring mlp-small", 0.0, 90.0)
            reporter.report("measuring mlp-small", 0.5, 45.0)
            reporter.report(
                "a stage whose name is longer than there is room for in its column", 1.0, 0.0
            )
        monkeypatch.undo()
    written = os.read(ours, 65536).decode()
    os.close(ours)
    assert "\n" not in written
    first, half, long, last = (part.strip("\r") for part in written.split("\x1b[2K")[1:])
    assert first.startswith("measuring mlp-small ")
    assert first.endswith("  0%  1:30 left")
    assert (first.count("━"), half.count("━")) == (0, 14)
    assert max(map(len, (first, half, long))) < 80
    assert last == ""


def test_elsewhere_a_line_is_written_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each new stage; a file is not filled with the same one."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    with reporting() as reporter:
        for percent in range(10):
            reporter.report("measuring mlp-small", percent / 100, 90.0)
        reporter.report("scoring mlp-small", 0.9, 3.0)
    monkeypatch.undo()
    assert [line.split("%")[0].strip() for line in written.getvalue().splitlines()] == ["0", "90"]
