"""The command as a whole: help, versions, one-line errors."""

import argparse
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from wattmark_cli.__main__ import main, parser

Wattmark = Callable[..., subprocess.CompletedProcess[str]]
COMMANDS = (
    "fit", "sensors", "exec", "export", "report", "republish", "serve", "run", "runs", "cancel",
    "score", "ranking", "table1", "table2", "table3",
    "paper", "tls",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_and_json(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command's help shows how it is used, and takes --json."""
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert not end.value.code
    text = capsys.readouterr().out
    assert f"example:\n  wattmark {command}" in text
    assert "--json" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_says_what_its_value_is(command: str) -> None:
    """In words, not by its default or its type alone."""
    (commands,) = (
        action for action in parser(command)._actions
        if isinstance(action, argparse._SubParsersAction)
    )  # fmt: skip
    for action in commands.choices[command]._actions:
        text = str(action.help or "")
        assert re.match(r"[A-Za-z]", text), action
        assert not text.startswith("default"), action


def test_the_help_lists_all_commands(wattmark: Wattmark) -> None:
    """Nothing is hidden, nothing is listed that is not tested here."""
    text = wattmark("--help").stdout
    assert tuple(re.findall(r"^    (\w+)(?: |$)", text, re.MULTILINE)) == COMMANDS


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("fit", "--workload", "imagenet"), "unknown workload 'imagenet'; known are fashion-mnist"),
        (("fit", "--models", "resnet"), "has no model 'resnet'; it has mlp-small"),
        (("fit", "--exporter", "http://127.0.0.1:9"), "--exporter and --store go together"),
        (("report", "--data", "nowhere"), "nowhere"),
        (("export", "--data", "nowhere"), "nowhere"),
        (("sensors", "--exporter", "http://127.0.0.1:9", "--without", "rapl"), "--without is for"),
    ],
)
def test_bad_input_is_one_line(wattmark: Wattmark, arguments: tuple[str, ...], says: str) -> None:
    """What is wrong and what to do, a non-zero status, and nothing on standard output."""
    done = wattmark(*arguments)
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("wattmark: ")
    assert says in done.stderr


def test_a_store_that_is_none_is_refused(wattmark: Wattmark, tmp_path: Path) -> None:
    """A file that is not a store is left as it is."""
    (tmp_path / "wattmark-data").mkdir()
    other = tmp_path / "wattmark-data" / "store.sqlite"
    other.write_text("my diary\n" * 100)
    done = wattmark("fit", "--workload", "digits")
    assert done.returncode == 1
    assert "is not a" in done.stderr
    assert other.read_text() == "my diary\n" * 100
