"""What a newer runner answers is understood; what no runner answers is one line."""

from typing import Any

import pytest

from tests.newer_runner import API, PAGES, SCORE, answering
from wattmark_client import Client, ClientError, Score


def test_a_newer_runners_answers_are_understood() -> None:
    """Keys are left out; values of enumerations are text here, so all of them are read."""
    with answering(PAGES) as url, Client(url) as client:
        first, second = client.ranking()
        scores = client.checked_scores("r1")
        (run,) = client.runs()
    assert [score.model for score in first.ranked] == [
        "cnn-small", "odd-boundary", "odd-method", "odd-verdict",
    ]  # fmt: skip
    assert (first.ranked[0].value, second.boundary) == (SCORE["value"], "node")
    assert [check.verdict for check in scores.checks] == ["warned", "odd"]
    assert (run.state, run.source, run.ended) == ("parked", "robot", False)
    assert run.score == first.ranked[0]
    assert isinstance(run.score, Score)


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (b"<html>", "does not answer as a runner does"),
        (b"[1]", "does not answer as a runner does"),
        ({"groups": None}, "has no list of groups"),
        ({}, "has no list of groups"),
        ({"groups": [1]}, "holds no RankedGroup but 1"),
        ({"groups": [{"workload": "w"}]},
         "RankedGroup lacks boundary, estimated, formula, ranked, unranked"),
    ],
)  # fmt: skip
def test_what_is_no_answer_of_a_runner_is_one_line(page: Any, says: str) -> None:
    """As a ``ClientError``, which callers catch."""
    with (
        answering({f"{API}/ranking": page}) as url,
        Client(url) as client,
        pytest.raises(ClientError, match=says) as caught,
    ):
        client.ranking()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["lab7:8080", "nonsense://x", "ftp://lab7"])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    """Before anything is asked."""
    with pytest.raises(ClientError, match="is not http://HOST:PORT"):
        Client(url)
