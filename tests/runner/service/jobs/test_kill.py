"""SIGKILL of the worker, of the service, and of both, in every phase of a run."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from tests.machine import verdict_of_the_rest

PHASES = ("idle before", "load", "measure", "idle after", "scoring")
WITH_WORKER = ("load", "measure")
NEXT = {"repeats": 1, "seconds": 0.5, "idle_before_seconds": 0.5, "idle_after_seconds": 0.5}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rooms(service: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Rooms that these tests kill in turn."""
    made = type(service)(tmp_path_factory.mktemp("kill"))
    yield made
    made.end_all()


def body_of(rooms: Any, phase: str) -> dict[str, Any]:
    """A run that stays in the phase for a while."""
    body = {**rooms.quick, "repeats": 3, "seconds": 0.7}
    if phase == "load":  # importing a framework takes seconds
        body |= {"workload": "digits", "model": "mlp-small", "idle_before_seconds": 0.0}
    if phase.startswith("idle"):
        body[phase.replace(" ", "_") + "_seconds"] = 20.0
    return body


def phase_of(run: Any) -> str:
    """The phase that a run is in, from what the API returns."""
    phases = [window["phase"] for window in run["record"]["windows"]]
    stage = (run["progress"] or {}).get("stage", "")
    if run["state"] != "running":
        return str(run["state"])
    if phases.count("inference") == run["record"]["request"]["repeats"]:
        return "idle after"
    if "inference" in phases:
        return "measure"
    if stage.startswith("loading"):
        return "load"
    return "idle before" if stage == "idle baseline" else stage


def workers(rooms: Any) -> list[psutil.Process]:
    """Everything that the runner has started."""
    runner = psutil.Process(rooms.processes["wattmark_runner"].pid)
    return runner.children(recursive=True)


def kill(rooms: Any, who: str) -> list[psutil.Process]:
    """Kill it; what had been started until then."""
    started = workers(rooms)
    if who in {"worker", "both"}:
        os.kill(started[0].pid, signal.SIGKILL)
    if who in {"service", "both"}:
        rooms.end("wattmark_runner", kill=True)
    return started


@pytest.mark.parametrize(
    ("who", "phase"),
    [("service", phase) for phase in PHASES]
    + [(who, phase) for who in ("worker", "both") for phase in WITH_WORKER],
)
def test_the_truth_is_recorded_and_the_next_run_is_measured(
    rooms: Any, api_of: Callable[..., Any], waiting: Any, who: str, phase: str
) -> None:
    """Afterwards the run says what became of it, nothing of it is left alive, and the run that
    waited behind it is measured whole."""
    api = api_of(rooms.url)
    collector = psutil.Process(rooms.processes["wattmark_collector"].pid)
    run_id = api.post("/runs", body_of(rooms, phase))["run_id"]
    behind = api.post("/runs", {**rooms.quick, **NEXT})["run_id"]
    if phase == "scoring":  # without samples it waits there
        waiting(lambda: phase_of(api.get(f"/runs/{run_id}")) == "idle after")
        collector.suspend()
    waiting(lambda: phase_of(api.get(f"/runs/{run_id}")) == phase)
    started = kill(rooms, who)
    if who != "worker":
        api = api_of(rooms.start_runner())
    collector.resume()
    ended = api.ended(run_id)
    if phase == "scoring":
        assert (ended["state"], ended["reason"]) == ("done", "")
        assert verdict_of_the_rest(ended["score"]) == "warned"
    elif who == "worker":
        assert ended["state"] == "failed"
        assert "SIGKILL" in ended["reason"]
        assert not ended["score"]
    else:
        assert ended["state"] == "interrupted"
        assert "start the run again" in ended["reason"]
        assert not ended["score"]
    after = api.ended(behind)
    assert (after["state"], after["reason"]) == ("done", "")
    assert all(w["complete"] and not w["overlapping"] for w in after["record"]["windows"])
    waiting(lambda: not any(process.is_running() and process.status() != "zombie"
                            for process in started))  # fmt: skip


def test_a_kill_between_repeats_keeps_the_windows_that_had_closed(
    rooms: Any, api_of: Callable[..., Any], waiting: Any
) -> None:
    """The interrupted run has them, with what was known of the network, and its power shows
    them."""
    api = api_of(rooms.url)
    run_id = api.post("/runs", {**rooms.quick, "repeats": 50})["run_id"]

    def measured() -> Any:
        run = api.get(f"/runs/{run_id}")
        return run if len(run["record"]["windows"]) >= 4 else None

    before = waiting(measured)["record"]
    kill(rooms, "service")
    api = api_of(rooms.start_runner())
    after = api.get(f"/runs/{run_id}")
    assert after["state"] == "interrupted"
    assert after["record"]["windows"][: len(before["windows"])] == before["windows"]
    assert after["record"]["environment"] == before["environment"]
    assert after["record"]["notices"] == before["notices"]
    shown = api.get(f"/runs/{run_id}/power")["windows"]
    assert len(shown) == len(after["record"]["windows"])


def test_a_stopped_service_leaves_its_queue(
    make_rooms: Callable[[], Any], api_of: Callable[..., Any], waiting: Any
) -> None:
    """SIGTERM ends the run under way, which is interrupted, in order; what waits is carried out by
    the next service."""
    own = make_rooms()
    api = api_of(own.url)
    first = api.post("/runs", {**own.quick, "idle_before_seconds": 300.0})["run_id"]
    second = api.post("/runs", {**own.quick, **NEXT})["run_id"]
    waiting(lambda: api.get(f"/runs/{first}")["state"] == "running")
    assert api.get(f"/runs/{second}")["queue_position"] == 0
    assert own.end("wattmark_runner") == 0
    api = api_of(own.start_runner())
    assert api.get(f"/runs/{first}")["state"] == "interrupted"
    assert api.ended(second)["state"] == "done"


def test_a_service_stopped_while_scoring_leaves_it_to_the_next(
    rooms: Any, api_of: Callable[..., Any], waiting: Any
) -> None:
    """What is measured is not lost by SIGTERM while its samples are still to come."""
    api = api_of(rooms.url)
    collector = psutil.Process(rooms.processes["wattmark_collector"].pid)
    run_id = api.post("/runs", {**rooms.quick, **NEXT, "idle_after_seconds": 2.0})["run_id"]
    waiting(lambda: phase_of(api.get(f"/runs/{run_id}")) == "idle after")
    collector.suspend()
    try:
        waiting(lambda: api.get(f"/runs/{run_id}")["state"] == "scoring")
        assert rooms.end("wattmark_runner") == 0
        api = api_of(rooms.start_runner())
        assert api.get(f"/runs/{run_id}")["state"] == "scoring"
    finally:
        collector.resume()
    ended = api.ended(run_id)
    assert (ended["state"], ended["reason"]) == ("done", "")


def test_two_services_do_not_share_a_folder(make_rooms: Callable[[], Any]) -> None:
    """The second is refused in one line: both would carry out the queue."""
    own = make_rooms()
    with pytest.raises(AssertionError, match="another runner works on"):
        own.start_runner()
