"""Windows of code that runs elsewhere."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

S = 1_000_000_000


def energy_score(run: Any) -> Any:
    """The run's score by energy, within its own boundary."""
    return run["score"]


def exclusive(run: Any) -> Any:
    """The check of whether anything else was measured."""
    return next(c for c in run["record"]["checks"] if c["name"] == "exclusive")


def ranked(api: Any, workload: str) -> list[str]:
    """The runs that are ranked."""
    return [s["run_id"] for g in api.get("/ranking", workload=workload)["groups"]
            for s in g["ranked"]]  # fmt: skip


def test_nested_windows_are_measured_and_marked(api: Any) -> None:
    """Of two nested windows of two clients both are measured and marked; neither is ranked. One
    that is alone is."""
    about = {"workload": "nesting"}
    outer = api.post("/windows", {**about, "model": "outer"})
    time.sleep(0.3)
    inner = api.post("/windows", {**about, "model": "inner"})
    time.sleep(1.1)
    api.close_window(inner, inferences=10, correct=9)
    first = api.ended(inner["run_id"])
    api.close_window(outer, inferences=10, correct=9)
    second = api.ended(outer["run_id"])
    alone = api.post("/windows", {**about, "model": "alone"})
    time.sleep(1.1)
    api.close_window(alone, inferences=10, correct=9)
    third = api.ended(alone["run_id"])
    for run, window in ((first, inner), (second, outer)):
        (item,) = api.get("/windows", run_id=run["run_id"])["windows"]
        assert item["overlapping"], run
        assert item["joules"] > 0
        assert any("shares its time" in text for text in item["warnings"])
        score = api.ended(window["run_id"])["score"]
        assert score["verdict"] == "invalid"
        assert "exclusive" in [c["name"] for c in score["checks"] if c["verdict"] == "invalid"]
    assert third["score"]["verdict"] == "warned"
    assert ranked(api, "nesting") == [third["run_id"]]
    spent = third["record"]["constants"]  # what measuring it took
    assert 0.0 < spent["overhead.exporter_cpu_seconds"] < spent["overhead.seconds"]
    assert 0.0 < spent["overhead.ratio"] < 0.5


def test_windows_that_overlap_in_part_are_marked(api: Any) -> None:
    """Neither lies within the other, and the first is scored before the second closes."""
    first = api.post("/windows", {"workload": "partly", "model": "a"})
    time.sleep(0.6)
    second = api.post("/windows", {"workload": "partly", "model": "b"})
    time.sleep(0.6)
    api.close_window(first, inferences=1, correct=1)
    assert api.ended(first["run_id"])["score"]["verdict"] == "invalid"
    api.close_window(second, inferences=1, correct=1)
    assert api.ended(second["run_id"])["score"]["verdict"] == "invalid"


def test_a_window_posted_later_warns_a_run_that_was_scored(api: Any, waiting: Any) -> None:
    """Times of a client's over a window that was stamped here: both are warned and name each other,
    none is invalid; and once it is withdrawn nothing is left of it."""
    window = api.post("/windows", {"workload": "later", "model": "first", "owner": "ann"})
    time.sleep(1.2)
    closed = api.close_window(window, inferences=1, correct=1)
    assert api.ended(window["run_id"])["score"]["verdict"] == "warned"
    posted = api.post("/windows", {
        "workload": "later", "model": "second", "inferences": 1, "correct": 1,
        "start_ns": closed["start_ns"] + S // 10, "end_ns": closed["end_ns"] - S // 10,
        "owner": "bob",
    })  # fmt: skip
    run = api.ended(posted["run_id"])
    assert run["score"]["verdict"] == "warned"
    assert window["window_id"] in exclusive(run)["message"]
    assert "of ann" in exclusive(run)["message"]

    def first() -> Any:
        return api.get(f"/runs/{window['run_id']}")

    waiting(lambda: exclusive(first())["verdict"] == "warned")
    assert first()["score"]["verdict"] == "warned"
    assert posted["window_id"] in exclusive(first())["message"]
    assert "of bob" in exclusive(first())["message"]
    assert "facts" not in first()["record"]  # an older command line would refuse it
    (item,) = api.get("/windows", run_id=window["run_id"])["windows"]
    assert not item["overlapping"]
    assert posted["window_id"] in item["warnings"][0]

    path = f"/windows/{posted['window_id']}"
    refused = api.http.delete(path, params={"owner": "ann"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "owner")
    assert api.http.delete(path, params={"owner": "bob"}).json()["state"] == "withdrawn"
    waiting(lambda: exclusive(first())["verdict"] == "valid")
    assert api.get("/windows", run_id=window["run_id"])["windows"][0]["warnings"] == []
    gone = api.get(f"/runs/{posted['run_id']}")
    assert (gone["state"], gone["reason"], gone["score"]) == (
        "cancelled", "its windows were withdrawn", None,
    )  # fmt: skip
    assert ranked(api, "later") == [window["run_id"]]


def test_a_window_withdrawn_while_it_is_scored_does_not_come_back(api: Any, waiting: Any) -> None:
    """Scoring, which waits for samples, writes what it was made of; that is taken back, too:
    another window of the same time is alone."""
    end = time.time_ns()
    about = {"workload": "taken back", "start_ns": end - 2 * S, "end_ns": end, "inferences": 1}
    first = api.post("/windows", {**about, "model": "first"})
    assert api.http.delete(f"/windows/{first['window_id']}").json()["state"] == "withdrawn"
    second = api.post("/windows", {**about, "model": "second"})
    api.ended(second["run_id"])
    waiting(lambda: not api.get("/windows", run_id=second["run_id"])["windows"][0]["overlapping"])
    assert exclusive(api.ended(second["run_id"]))["verdict"] == "valid"
    assert api.get(f"/runs/{first['run_id']}")["state"] == "cancelled"


def test_a_withdrawn_window_takes_its_marks_along(api: Any, waiting: Any) -> None:
    """Of two that were stamped here and share time the one that stays is as good as alone. A window
    that is open can be withdrawn, too, and twice is once."""
    outer = api.post("/windows", {"workload": "withdrawn", "model": "outer"})
    inner = api.post("/windows", {"workload": "withdrawn", "model": "inner"})
    time.sleep(1.2)
    api.close_window(inner, inferences=1, correct=1)
    api.close_window(outer, inferences=1, correct=1)
    assert api.ended(outer["run_id"])["score"]["verdict"] == "invalid"
    still_open = api.post("/windows", {"workload": "withdrawn", "model": "open"})
    for window in (inner, inner, still_open):
        item = api.http.delete(f"/windows/{window['window_id']}").json()
        assert item["state"] == "withdrawn"
    waiting(lambda: exclusive(api.get(f"/runs/{outer['run_id']}"))["verdict"] == "valid")
    run = api.ended(outer["run_id"])
    assert run["score"]["verdict"] == "warned"
    assert not run["record"]["windows"][0]["overlapping"]
    assert api.ended(still_open["run_id"])["state"] == "cancelled"
    late = api.http.patch(f"/windows/{still_open['window_id']}", json={})
    assert (late.status_code, "withdrawn" in late.json()["detail"]) == (409, True)
    assert len(api.get("/windows", state="withdrawn")["windows"]) >= 2


@pytest.mark.parametrize("counts", [{"inferences": 2**53}, {"inferences": 1, "correct": 2}])
def test_counts_that_cannot_be_are_refused(api: Any, counts: dict[str, int]) -> None:
    """2^53 inferences in a few seconds: 422, whether a window is closed or posted, and an open one
    stays so for better ones."""
    window = api.post("/windows", {"workload": "counts", "model": "m"})
    path = f"/windows/{window['window_id']}"
    assert api.http.patch(path, json=counts).status_code == 422
    assert api.get(path)["state"] == "open"
    end = time.time_ns()
    whole = {"workload": "counts", "model": "m", "start_ns": end - 3 * S, "end_ns": end}
    refused = api.http.post("/windows", json={**whole, **counts})
    assert refused.status_code == 422
    assert api.http.delete(path).status_code == 200
    if counts["inferences"] == 2**53:
        assert "more than 1e9 a second: 9007199254740992 in 3 s" in refused.json()["detail"]


def test_times_of_the_clients_are_marked(api: Any) -> None:
    """Measured and scored like any other, with a check that warns of the clock."""
    end = time.time_ns()
    posted = api.post("/windows", {
        "workload": "clock", "model": "m", "inferences": 100, "correct": 90,
        "start_ns": end - 2 * S, "end_ns": end, "cpu_seconds": 0.5, "test_images": 100,
    })  # fmt: skip
    assert posted["clock"] == "client"
    assert posted["state"] == "closed"
    run = api.ended(posted["run_id"])
    checks = {check["name"]: check["verdict"] for check in run["record"]["checks"]}
    assert checks["clock"] == "warned"
    assert run["score"]["accuracy"] == 0.9
    assert run["score"]["population_low"] < run["score"]["low"]


def test_the_service_stamps_a_window(api: Any) -> None:
    """Its length is what passed between the two calls; cpu_seconds make foreign load known."""
    before = time.time_ns()
    window = api.post("/windows", {"workload": "stamps", "model": "m"})
    opened = time.time_ns()
    time.sleep(1.0)
    closing = time.time_ns()
    closed = api.close_window(window, inferences=5, cpu_seconds=0.01, label="named later")
    after = time.time_ns()
    slack = S // 20  # between the wall clock and the exporter's time base
    assert before - slack < closed["start_ns"] < opened + slack
    assert closing - slack < closed["end_ns"] < after + slack
    assert closed["label"] == "named later"
    run = api.ended(window["run_id"])
    assert run["source"] == "external"
    checks = {check["name"]: check["value"] for check in run["record"]["checks"]}
    assert checks["foreign CPU"] is not None
    assert run["score"]["value"] is None  # nobody said how many were right
    assert run["score"]["joules_per_inference"] > 0


def test_events_are_replayed_and_end_with_the_run(api: Any) -> None:
    """A stream followed from the first event ends with the final state; taken up after any event
    it gives exactly those that came later."""
    window = api.post("/windows", {"workload": "events", "model": "m"})
    time.sleep(1.0)
    api.close_window(window, inferences=1, correct=1)
    path = f"/runs/{window['run_id']}/events"
    followed = events(api, path)
    kinds = [kind for _, kind, _ in followed]
    assert kinds == ["state", "window", "state", "state"]
    states = [data["state"] for _, kind, data in followed if kind == "state"]
    assert states == ["running", "scoring", "done"]
    for place, (number, _, _) in enumerate(followed):
        assert events(api, path, {"last-event-id": str(number)}) == followed[place + 1 :]


def events(api: Any, path: str, headers: dict[str, str] | None = None) -> list[Any]:
    """Number, kind and data of each event, until the stream ends."""
    found = []
    for block in api.http.get(path, headers=headers).text.split("\n\n"):
        if block.startswith("id: "):
            number, kind, data = (line.partition(": ")[2] for line in block.split("\n"))
            found.append((int(number), kind, json.loads(data)))
    return found


def test_an_open_window_is_abandoned(api: Any) -> None:
    """After its max_seconds it is closed to all, and its run says why it failed."""
    window = api.post("/windows", {"workload": "lost", "model": "m", "max_seconds": 0.5})
    run = api.ended(window["run_id"])
    assert run["state"] == "failed"
    assert "not closed within 0.5 s" in run["reason"]
    assert api.get(f"/windows/{window['window_id']}")["state"] == "abandoned"
    late = api.http.patch(f"/windows/{window['window_id']}", json={})
    assert late.status_code == 409
    assert "abandoned" in late.json()["detail"]


@pytest.mark.parametrize("ending", ["expired", "cancelled"])
def test_a_window_beside_an_abandoned_one_is_marked(api: Any, waiting: Any, ending: str) -> None:
    """That nobody closed the other does not mean that it was idle: neither is ranked."""
    limit = 0.3 if ending == "expired" else 60.0
    lost = api.post("/windows", {"workload": ending, "model": "lost", "max_seconds": limit})
    beside = api.post("/windows", {"workload": ending, "model": "beside"})
    time.sleep(0.5)
    if ending == "cancelled":
        api.post(f"/runs/{lost['run_id']}/cancel")
    waiting(lambda: api.get(f"/windows/{lost['window_id']}")["state"] == "abandoned")
    time.sleep(0.5)
    api.close_window(beside, inferences=1, correct=1)
    assert api.ended(beside["run_id"])["score"]["verdict"] == "invalid"
    assert ranked(api, ending) == []
    after = api.post("/windows", {"workload": ending, "model": "after"})
    time.sleep(1.0)
    api.close_window(after, inferences=1, correct=1)
    assert api.ended(after["run_id"])["score"]["verdict"] == "warned"


def test_a_run_of_several_windows_with_a_baseline(api: Any) -> None:
    """An idle baseline first, then two repeats: one run, scored with net energy."""
    idle = api.post("/windows", {"phase": "idle"})
    run_id = idle["run_id"]
    time.sleep(1.0)
    api.close_window(idle)
    for repeat in range(2):
        window = api.post(
            "/windows", {"run_id": run_id, "workload": "several", "model": "m", "test_images": 50}
        )
        assert window["run_id"] == run_id
        time.sleep(1.0)
        closed = api.close_window(window, inferences=50, correct=40 + repeat)
        assert closed["inferences"] == 50
    after = api.post("/windows", {"run_id": run_id, "phase": "idle"})
    assert (after["model"], after["workload"]) == ("m", "several")
    time.sleep(1.0)
    api.close_window(after)
    run = api.ended(run_id)
    assert (run["model"], run["workload"], run["state"]) == ("m", "several", "done")
    assert [w["phase"] for w in run["record"]["windows"]] == [
        "idle", "inference", "inference", "idle",
    ]  # fmt: skip
    assert run["score"]["accuracy"] == 0.81
    assert run["score"]["net_joules_per_inference"] is not None
    assert run["record"]["request"]["repeats"] == 2


@pytest.mark.parametrize("ending", ["terminate", "kill"])
def test_a_window_that_the_service_did_not_survive(
    make_rooms: Callable[[], Any], api_of: Callable[..., Any], ending: str
) -> None:
    """The window is abandoned and its run interrupted, however the service ended; the next window
    is measured."""
    rooms = make_rooms()
    window = api_of(rooms.url).post("/windows", {"workload": "w", "model": "m"})
    rooms.end("wattmark_runner", kill=ending == "kill")
    api = api_of(rooms.start_runner())
    run = api.get(f"/runs/{window['run_id']}")
    assert run["state"] == "interrupted"
    assert "stopped while a window was open" in run["reason"]
    assert api.get(f"/windows/{window['window_id']}")["state"] == "abandoned"
    again = api.post("/windows", {"workload": "w", "model": "m"})
    time.sleep(1.1)
    api.close_window(again, inferences=1, correct=1)
    assert api.ended(again["run_id"])["state"] == "done"


def test_a_run_of_the_runners_own_sees_windows_beside_it(api: Any, service: Any) -> None:
    """A window of another program that is open during a run marks the run, and is marked by it."""
    window = api.post("/windows", {"workload": "beside", "model": "m"})
    started = api.post("/runs", service.quick)
    run = api.ended(started["run_id"])
    assert run["score"]["verdict"] == "invalid"
    assert all(w["overlapping"] for w in run["record"]["windows"])
    api.close_window(window, inferences=1, correct=1)
    assert api.ended(window["run_id"])["score"]["verdict"] == "invalid"
