"""The runs of an earlier version, in today's runner."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import Rooms
from tests.machine import verdict_of_the_rest
from tests.versions.leave_behind import Runner

NOBODY = "http://127.0.0.1:9"


class Opened(NamedTuple):
    """A runner of today on the files of the earlier version; no exporter answers it."""

    data: Path
    runner: Runner
    log: Path


@pytest.fixture(scope="module")
def opened(
    copy_left: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Opened]:
    """Nothing collects samples here: those that are there are the old ones, for good."""
    data = copy_left(tmp_path_factory.mktemp("opened"))
    config = data / "workloads.toml"
    config.write_text(
        '[workloads.digits]\nbuiltin = "digits"\n'
        '[scores]\n"accuracy-per-joule" = "accuracy / energy_joules_per_inference"\n'
    )
    with (data / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "wattmark_runner", "--listen", "127.0.0.1:0",
             "--exporter", NOBODY, "--store", f"sqlite:///{data / 'store.sqlite'}",
             "--data", str(data), "--config", str(config)],
            stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    with process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("READY").strip()
        assert url, (data / "log").read_text()
        yield Opened(data, Runner(url), data / "log")
        process.terminate()


def assert_kept(new: Any, old: Any, where: str = "") -> None:
    """All that was in an answer is in it still, to the last digit; keys may be added."""
    if isinstance(old, dict):
        assert old.keys() <= new.keys(), where
        for name, value in old.items():
            assert_kept(new[name], value, f"{where}.{name}")
    elif isinstance(old, list):
        assert len(new) == len(old), where
        for number, value in enumerate(old):
            assert_kept(new[number], value, f"{where}[{number}]")
    else:
        assert new == old, where


def ended(answer: Any) -> list[Any]:
    """The runs of a list that had ended when the runner was killed."""
    return [run for run in answer["runs"] if run["ended_at"]]


def test_runs_that_had_ended_are_listed_as_before(opened: Opened, left: Any) -> None:
    """Names, states, reasons and scores; each with its whole record and its events."""
    before = ended(left["answers"]["/runs"])
    assert {run["state"] for run in before} == {"done", "failed", "cancelled", "interrupted"}
    names = {run["run_id"] for run in before}
    now = [run for run in opened.runner.ask("/runs")["runs"] if run["run_id"] in names]
    assert_kept(now, before)
    for name in names:
        path = f"/runs/{name}"
        assert_kept(opened.runner.ask(path), left["answers"][path])
        events = [json.loads(event) for event in opened.runner.events(name)]
        assert_kept(events, [json.loads(event) for event in left["answers"][f"{path}/events"]])


@pytest.mark.parametrize("path", ["/scores", "/ranking", "/tables/1", "/tables/2", "/tables/3"])
def test_scores_are_listed_ranked_and_tabulated_as_before(
    opened: Opened, left: Any, path: str
) -> None:
    """To the last digit."""
    assert_kept(opened.runner.ask(path), left["answers"][path])


def test_a_window_that_was_open_is_abandoned_and_others_are_kept(opened: Opened, left: Any) -> None:
    """Nobody measured its end; the run that it belongs to is interrupted, and says why."""
    before = left["answers"]["/windows"]["windows"]
    now = {window["window_id"]: window for window in opened.runner.ask("/windows")["windows"]}
    assert len(now) == len(before)
    for window in before:
        if window["window_id"] != left["open_window"]["window_id"]:
            assert_kept(now[window["window_id"]], window)
    assert now[left["open_window"]["window_id"]]["state"] == "abandoned"
    run = opened.runner.ask(f"/runs/{left['open_window']['run_id']}")
    assert run["state"] == "interrupted"
    assert "stopped while a window was open" in run["reason"]


def test_a_run_that_was_under_way_is_interrupted(opened: Opened, left: Any) -> None:
    """As after any kill of the runner."""
    run = opened.runner.ask(f"/runs/{left['under_way']}")
    assert run["state"] == "interrupted"
    assert "stopped while the run was under way" in run["reason"]


def test_a_request_that_was_answered_gets_the_same_answer(opened: Opened, left: Any) -> None:
    """The idempotency key of the earlier version's answer holds: no second run is made."""
    count = len(opened.runner.ask("/runs")["runs"])
    key = {"Idempotency-Key": left["key"]}
    again = opened.runner.ask("/runs", left["queued_with"], **key)
    assert again["run_id"] == left["queued"]
    assert len(opened.runner.ask("/runs")["runs"]) == count


def test_an_old_run_is_scored_again_from_its_samples(opened: Opened, left: Any) -> None:
    """Each score has the value that the earlier version gave it, and the verdict, but for checks of
    the machine that could not fail then. Its interval may differ by some millionths: how many
    samples beyond an edge counted depended then on when the run was scored. That of a single
    repeat is wider: it holds what the window was uneven by. That of several is a little narrower:
    the instrument's random error is in their scatter, and is not added once more."""
    done = [run["run_id"] for run in ended(left["answers"]["/runs"]) if run["state"] == "done"]
    assert len(done) > 3
    for name in done:
        again = opened.runner.ask(f"/runs/{name}/score", {})["scores"]
        before = left["answers"]["/scores"]["scores"]
        found, expected = found_in(again), found_in(s for s in before if s["run_id"] == name)
        assert found.keys() == expected.keys()
        windows = opened.runner.ask(f"/runs/{name}")["record"]["windows"]
        alone = sum(window["phase"] == "inference" for window in windows) == 1
        for key, (value, low, high, verdict, accuracy) in expected.items():
            now, lower, higher, *rest = found[key]
            assert (now, *rest) == (value, verdict, accuracy)
            if alone and value is not None:
                assert lower <= low * (1.0 + 1e-5)
                assert higher >= high * (1.0 - 1e-5)
            else:
                assert [lower, higher] == [
                    pytest.approx(low, rel=1e-3), pytest.approx(high, rel=1e-3),
                ]  # fmt: skip
                assert value is None or (lower >= low * (1 - 1e-5) and higher <= high * (1 + 1e-5))


def found_in(scores: Iterable[Any]) -> dict[tuple[str, str], list[Any]]:
    """What was found, by boundary and formula."""
    return {
        (score["boundary"], score["formula"]): [
            *(score[name] for name in ("value", "low", "high")),
            verdict_of_the_rest(score) if score["checks"] else score["verdict"],
            score["accuracy"],
        ]
        for score in scores
    }


@pytest.mark.parametrize("name", ["runner.sqlite", "store.sqlite"])
def test_a_file_is_copied_before_its_tables_change(
    opened: Opened, old_data: Path, content: Callable[[Path], list[str]], name: str
) -> None:
    """One line of the log names the copy, which holds what the earlier version left."""
    copy = opened.data / f"{name}.before-{version('wattmark')}"
    assert content(copy) == content(old_data / name)
    (line,) = [
        log_line for log_line in opened.log.read_text().splitlines() if str(copy) in log_line
    ]
    assert "is of an older version" in line


@pytest.mark.slow
def test_a_run_that_waited_is_carried_out(old_data: Path, left: Any) -> None:
    """With what it was asked for; its measured windows are in the store."""
    rooms = Rooms(old_data, "lab1")
    try:
        runner = Runner(rooms.url)
        runner.wait(left["queued"], "done", "failed", "cancelled", "interrupted")
        run = runner.ask(f"/runs/{left['queued']}")
    finally:
        rooms.end_all()
    assert (run["state"], run["reason"], run["owner"]) == ("done", "", "ada")
    assert run["score"]["accuracy"] == 0.9
    assert [w["phase"] for w in run["record"]["windows"]].count("inference") == 1
