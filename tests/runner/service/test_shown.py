"""What people read, beside the numbers of an answer."""

from typing import Any

import httpx
import pytest

from tests.machine import verdict_of_the_rest
from wattmark_core.labels import VERDICTS
from wattmark_core.results import Verdict


@pytest.fixture(scope="module")
def run(service: Any) -> Any:
    """A run that is done."""
    with httpx.Client(base_url=f"{service.url}/api/v1", timeout=60) as http:
        started = http.post("/runs", json=service.quick).json()
        http.get(f"/runs/{started['run_id']}/events", timeout=120)
        return http.get(f"/runs/{started['run_id']}").json()


def test_a_run_is_shown_in_words(run: Any) -> None:
    """Its score, checks (what did not pass first), windows and facts."""
    assert run["final"] is True
    assert run["score_texts"]["energy"].startswith("≈ ")
    assert run["score_texts"]["method"] == "ESTIMATED"
    assert run["score_texts"]["verdict"] == VERDICTS[Verdict(run["score"]["verdict"])]
    assert verdict_of_the_rest(run["score"]) == "warned"
    shown = run["shown"]
    assert [score["texts"]["formula"] for score in shown["scores"]] == [
        "accuracy² / energy", "accuracy-per-joule",
    ]  # fmt: skip
    verdicts = [check["verdict"] for check in shown["checks"]]
    assert verdicts == sorted(verdicts, key=["invalid", "warned", "valid"].index)
    assert len(verdicts) == len(run["record"]["checks"])
    names = [window["texts"]["name"] for window in shown["windows"]]
    assert names == ["idle", "inference 1", "inference 2", "idle"]
    assert dict(shown["facts"])["own idle baselines"] == "1 s before, 1 s after"


def test_its_score_is_as_earlier_readers_know_it(run: Any) -> None:
    """No text in it, nor in the record: they decode both field by field."""
    assert not {"texts", "rank"} & set(run["score"])
    assert run["score"] in run["record"]["scores"]


def test_the_ranking_has_titles_and_ranks_where_asked_for(api: Any, run: Any) -> None:
    """In the order of the groups, ranks from 1, and a picture; else nothing is made of them."""
    assert api.get("/ranking", workload="quick")["shown"] == []
    answer = api.get("/ranking", workload="quick", shown=True)
    for group, shown in zip(answer["groups"], answer["shown"], strict=True):
        ids = [score["run_id"] for score in (*group["ranked"], *group["unranked"])]
        assert [score["run_id"] for score in shown["scores"]] == ids
        ranks = [score["rank"] for score in shown["scores"]]
        assert ranks == [*range(1, len(group["ranked"]) + 1), *([None] * len(group["unranked"]))]
        assert shown["title"].startswith("quick · boundary cpu · ESTIMATED energy")
        assert shown["picture"].count('class="dot"') == len(group["ranked"])
    assert run["run_id"] in str(answer["shown"])


def test_a_state_says_whether_it_is_final(api: Any, run: Any) -> None:
    """Each event of a state, so that nobody needs a list of them."""
    text = api.http.get(f"/runs/{run['run_id']}/events", params={"follow": False}).text
    assert text.count('"final": false') == 3
    assert text.count('"final": true') == 1


def test_the_page_gets_colours_and_labels_from_python(api: Any) -> None:
    """As files beside its own, without a key."""
    root = str(api.http.base_url).removesuffix("/").removesuffix("/api/v1")
    style = api.http.get(f"{root}/static/drawing.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "--package: #D55E00;" in style.text
    labels = api.http.get(f"{root}/static/labels.js")
    assert labels.headers["content-type"].startswith("text/javascript")
    assert '["cpu", "CPU and memory"]' in labels.text
