"""The collector, the client and the command line of an earlier version, with today's exporter and
runner."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.versions.leave_behind import Runner
from wattmark_core.exporter_api import ExporterClient
from wattmark_store import open_store

Exporter = Callable[..., str]
RunOld = Callable[..., str]
TWO_SOCKETS = Path(__file__).parents[1] / "exporters/cases/xeon-e5-2680v4-two-sockets"
CLIENT = """\
import json, sys
import wattmark_client
from wattmark_client import Client
assert wattmark_client.__file__.startswith(sys.argv[2]), wattmark_client.__file__
with Client(sys.argv[1]) as client:
    quick = json.loads(sys.argv[3])
    heard = []
    started = client.start_run(**quick, owner="old client")
    ended = client.wait(started.run_id, heard.append, timeout_seconds=60)
    with client.window(model="m", workload="w") as window:
        sum(range(1_000_000))
        window.record(inferences=10, correct=9)
    print(json.dumps({
        "state": ended.state, "reason": ended.reason,
        "heard": [event.body["state"] for event in heard if event.kind == "state"],
        "listed": [run.run_id for run in client.runs(owner="old client")],
        "windows": [each.run_id for each in client.windows()],
        "window_run": window.run_id,
        "value": ended.score.value,
        "scores": [score.value for score in client.score(ended.run_id)],
        "again": [score.value for score in client.score_again(ended.run_id)],
        "of_model": [score.value for score in client.scores(run_id=ended.run_id)],
        "ranked": [s.run_id for g in client.ranking() for s in (*g.ranked, *g.unranked)],
        "workloads": [workload["name"] for workload in client.workloads()],
        "sensors": [sensor["name"] for sensor in client.sensors()["sensors"]],
        "log": client.log(ended.run_id),
        "cancelled": client.cancel(client.start_run(**quick).run_id).state,
        "run_id": ended.run_id,
    }))
"""


@pytest.fixture
def rooms_of_old(run_old: RunOld) -> str:
    """Where the old rooms are."""
    code = "import wattmark_core, pathlib; print(pathlib.Path(wattmark_core.__file__).parents[1])"
    return run_old("-c", code).strip()


@pytest.mark.parametrize(
    "hardware",
    [["--sysfs", str(TWO_SOCKETS / "sys"), "--procfs", str(TWO_SOCKETS / "proc")], []],
    ids=["two-sockets", "estimate"],
)
def test_the_old_collector_takes_every_energy_series_of_todays_exporter(
    run_old: RunOld, exporter: Exporter, tmp_path: Path, hardware: list[str]
) -> None:
    """Each with its tags, and samples in the order of their times."""
    url = exporter(*hardware)
    client = ExporterClient(url)
    series = client.sensors().energy
    assert series
    for _ in range(2):
        client.sample_now()
    client.close()
    (tmp_path / "targets.yml").write_text(
        "scrape_configs:\n- job_name: t\n  metrics_path: /samples\n"
        f"  static_configs: [{{targets: ['{url.removeprefix('http://')}']}}]\n"
    )
    store_url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    run_old("-m", "wattmark_collector", "--config", str(tmp_path / "targets.yml"),
            "--store", store_url, "--once")  # fmt: skip
    store = open_store(store_url)
    found = {frozenset(data.tags): data for data in store.series("energy", 0, 2**62, {})}
    store.close()
    assert found.keys() == {
        frozenset({"host": "lab1", **counter.tags}.items()) for counter in series
    }
    for data in found.values():
        assert len(data.times_ns) >= 2
        assert list(data.times_ns) == sorted(data.times_ns)


def test_the_old_client_works_with_todays_runner(
    run_old: RunOld, service: Any, rooms_of_old: str
) -> None:
    """It starts a run, follows it, and reads its scores, the ranking and all else as today's."""
    body = {**service.quick, "repeats": 1, "idle_before_seconds": 0.5, "idle_after_seconds": 0.5}
    answer = run_old("-c", CLIENT, service.url, rooms_of_old, json.dumps(body))
    seen = json.loads(answer)
    today = Runner(service.url)
    run_id = seen["run_id"]
    assert (seen["state"], seen["reason"]) == ("done", "")
    assert seen["heard"] == ["queued", "running", "scoring", "done"]
    assert seen["listed"] == [run_id]
    assert seen["window_run"] in seen["windows"]
    assert seen["value"] in seen["scores"]
    scores = today.ask(f"/runs/{run_id}/score")["scores"]
    assert seen["again"] == [score["value"] for score in scores]
    assert sorted(seen["of_model"]) == sorted(seen["again"])
    assert run_id in seen["ranked"]
    assert seen["workloads"] == [w["name"] for w in today.ask("/workloads")["workloads"]]
    assert seen["sensors"] == [s["name"] for s in today.ask("/sensors")["sensors"]]
    assert "a line for the log" in seen["log"]
    assert seen["cancelled"] in {"queued", "running", "cancelled"}  # it ends soon afterwards


@pytest.fixture(scope="module")
def done(service: Any) -> str:
    """A run that has its scores."""
    today = Runner(service.url)
    run_id = today.start("quick", "steady", repeats=1)
    today.wait(run_id, "done")
    return run_id


@pytest.mark.parametrize("command", ["runs", "score", "ranking", "table1", "table2", "table3"])
def test_the_old_command_line_reads_todays_runner(
    run_old: RunOld, service: Any, done: str, command: str
) -> None:
    """It refuses a score or a record with a field that it does not know, so neither has one."""
    words = ("-m", "wattmark_cli", command, *([done] if command == "score" else []))
    shown = {"runs": done, "score": "accuracy^2/energy"}.get(command, "steady")
    statuses = (0, 1) if command == "ranking" else (0,)  # 1: invalid, on a machine that is busy
    assert shown in run_old(*words, "--runner", service.url, statuses=statuses)
