"""The commands that ask a runner, of a version to come."""

import json
import subprocess
from collections.abc import Callable

import pytest

from tests.newer_runner import PAGES, answering

Wattmark = Callable[..., subprocess.CompletedProcess[str]]
ODD = ("odd-boundary", "odd-method", "odd-verdict")


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [(("ranking",), "cnn-small"), (("score", "r1"), "accuracy² / energy"), (("runs",), "parked")],
)
def test_what_is_known_is_shown(wattmark: Wattmark, arguments: tuple[str, ...], shown: str) -> None:
    """A score with an unknown boundary, method or verdict is not, and standard error says so."""
    with answering(PAGES) as url:
        done = wattmark(*arguments, "--runner", url)
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout
    assert not [name for name in ODD if name in done.stdout]
    if arguments[0] != "runs":
        for problem in ("boundary 'node'", "method 'guessed'", "verdict 'doubtful'"):
            assert done.stderr.count(f"unknown {problem}: left out") == 1


def test_as_json_it_is_what_the_client_understands(wattmark: Wattmark) -> None:
    """Every score, for programs that know more than this one."""
    with answering(PAGES) as url:
        done = wattmark("ranking", "--json", "--runner", url)
    groups = json.loads(done.stdout)["groups"]
    assert [score["model"] for score in groups[0]["ranked"]] == ["cnn-small", *ODD]
    assert "carbon_grams" not in groups[0]["ranked"][0]
