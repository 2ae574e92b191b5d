"""The commands that speak to a runner, and those that start one."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from wattmark_core.labels import VERDICTS
from wattmark_core.results import Verdict
from wattmark_runner.records.model import RunRecord
from wattmark_store import open_store

Wattmark = Callable[..., subprocess.CompletedProcess[str]]
QUICK = ("--repeats", "2", "--seconds", "1", "--idle-before-seconds", "1",
         "--idle-after-seconds", "1")  # fmt: skip


def any_invalid(runs: str) -> bool:
    """Is a score invalid, of several runs as JSON? The machine may do other things meanwhile."""
    return any(run["score"]["verdict"] == "invalid" for run in json.loads(runs))


@pytest.fixture
def remote(wattmark: Wattmark, service: Any) -> Wattmark:
    """Runs ``wattmark …`` against the shared runner."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return wattmark(*arguments, env={"WATTMARK_RUNNER": service.url})

    return run


def test_a_run_from_start_to_ranking(remote: Wattmark) -> None:
    """Started, followed with time left, shown as a table; then listed, scored again, ranked."""
    done = remote("run", "quick", "other", *QUICK, "--label", "from=cli", "--parameter", "how=busy")
    assert "ESTIMATED energy" in done.stdout
    assert "is done" in done.stdout
    assert "left" in done.stderr
    (body,) = json.loads(remote("runs", "--label", "from=cli", "--json").stdout)
    assert (body["state"], body["model"]) == ("done", "other")
    assert body["verdict"] in {"warned", "invalid"}  # the machine may do other things
    assert done.returncode == (body["verdict"] == "invalid"), done.stderr
    score = remote("score", body["run_id"], "--again")
    assert score.returncode == 0, score.stderr
    assert "accuracy² / energy" in score.stdout
    assert "no other window" in score.stdout
    assert f"ESTIMATED, {VERDICTS[Verdict(body['verdict'])]}" in score.stdout
    ranking = json.loads(remote("ranking", "--workload", "quick", "--json").stdout)
    assert body["run_id"] in [s["run_id"] for g in ranking["groups"]
                              for s in (*g["ranked"], *g["unranked"])]  # fmt: skip


def test_several_models_are_measured_one_after_the_other_and_ranked(remote: Wattmark) -> None:
    """One request for all: queued together, followed in turn, shown in one table."""
    done = remote("run", "quick", "other", "steady", *QUICK, "--label", "from=several", "--json")
    assert done.returncode == any_invalid(done.stdout), done.stderr
    assert "1/2 " in done.stderr
    assert "2/2 " in done.stderr
    first, second = json.loads(done.stdout)
    assert [(run["model"], run["state"]) for run in (first, second)] == [
        ("other", "done"), ("steady", "done"),
    ]  # fmt: skip
    assert first["record"]["windows"][-1]["end_ns"] <= second["record"]["windows"][0]["start_ns"]


def test_one_request_measures_on_several_hosts(
    wattmark: Wattmark, service: Any, make_rooms: Callable[..., Any]
) -> None:
    """Queued with every runner, followed one after the other; the tables hold both hosts."""
    other = make_rooms("otherhost")
    both = ("--runner", service.url, "--runner", other.url)
    done = wattmark("run", "quick", "other", *QUICK, *both, "--json")
    assert done.returncode == any_invalid(done.stdout), done.stderr
    assert f"1/2 {service.url.removeprefix('http://')} " in done.stderr
    assert [run["host"] for run in json.loads(done.stdout)] == ["testhost", "otherhost"]
    table = wattmark("table1", "--workload", "quick", *both)
    assert {"testhost", "otherhost"} <= set(table.stdout.split())


def test_if_one_model_is_refused_none_is_measured(remote: Wattmark) -> None:
    """What was queued before it is cancelled; the reason is the error."""
    done = remote("run", "quick", "steady", "nope", *QUICK, "--label", "from=refused")
    assert done.returncode != 0
    assert "has no model 'nope'" in done.stderr
    (body,) = json.loads(remote("runs", "--label", "from=refused", "--json").stdout)
    assert body["state"] in {"queued", "running", "cancelled"}  # it may take a moment to end
    assert f"run {body['run_id']} is cancelled" in done.stderr


def test_a_failed_run_says_why(remote: Wattmark) -> None:
    """Status 1, and the reason that the worker gave."""
    done = remote("run", "quick", "steady", *QUICK, "--parameter", "how=fails")
    assert done.returncode == 1
    assert "the workload's own reason" in done.stdout


def test_a_detached_run_can_be_cancelled(remote: Wattmark) -> None:
    """Its name is all that is said; cancel takes it."""
    detached = remote("run", "quick", "steady", "--idle-before-seconds", "300", "--detach")
    run_id = detached.stdout.strip()
    assert remote("cancel", run_id).returncode == 0
    assert remote("score", run_id).returncode == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "quick", "nope"), "has no model 'nope'"),
        (("run", "quick", "steady", "--parameter", "how=other"), "how must be one of"),
        (("run", "quick", "steady", "--parameter", "how"), "not of the form NAME=VALUE"),
        (("cancel", "nope"), "no run 'nope'"),
        (("runs", "--state", "nope"), "state"),
        (("runs", "--runner", "http://127.0.0.1:9"), "start one with `wattmark serve`"),
        (("runs", "--runner", "nonsense://x"), "nonsense"),
    ],
)
def test_what_goes_wrong_is_one_line(
    remote: Wattmark, arguments: tuple[str, ...], says: str
) -> None:
    """What is wrong and what to do, and a non-zero status."""
    done = remote(*arguments)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert says in done.stderr


def start_serving(folder: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    """``wattmark serve`` on a port of its own: its process and URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wattmark_cli", "serve", "--json", "--listen", "127.0.0.1:0",
         *options],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    text = ""
    while not text.endswith("}\n"):
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        text += line
    return process, json.loads(text)["api"].removesuffix("/api/v1")


def test_serve_starts_all_and_ends_all(tmp_path: Path) -> None:
    """Page, API and readiness are there; SIGTERM ends every room in order."""
    process, url = start_serving(tmp_path)
    try:
        assert httpx.get(f"{url}/readyz").text == "ok\n"
        assert httpx.get(f"{url}/").status_code == 200
        names = [w["name"] for w in httpx.get(f"{url}/api/v1/workloads").json()["workloads"]]
        assert names == ["fashion-mnist", "digits", "keras:synthetic"]
    finally:
        process.send_signal(signal.SIGTERM)
        errors = process.communicate(timeout=30)[1]
    assert process.returncode == 0, errors
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/readyz")


def test_serve_ends_when_a_room_does(tmp_path: Path) -> None:
    """A room that died is named, with its log, and the status is not zero."""
    process, url = start_serving(tmp_path)
    exporter = httpx.get(f"{url}/api/v1/sensors").json()["exporter"]
    pid = _pid_listening(int(exporter.rpartition(":")[2]))
    subprocess.run(["kill", "-KILL", str(pid)], check=True)
    errors = process.communicate(timeout=30)[1]
    assert process.returncode == 1
    assert "wattmark_exporters has ended" in errors


def test_serve_refuses_what_the_runner_refuses(wattmark: Wattmark, tmp_path: Path) -> None:
    """Off loopback without keys, or with a configuration that is wrong: one line."""
    done = wattmark("serve", "--listen", "0.0.0.0:0")
    assert done.returncode == 2
    assert "give --key-file" in done.stderr
    (tmp_path / "w.toml").write_text("[workloads.x]\ncolour = 1\n")
    done = wattmark("serve", "--listen", "127.0.0.1:0", "--config", "w.toml")
    assert done.returncode == 2
    assert "needs exactly one of builtin" in done.stderr


def test_republish_fills_a_new_store(
    wattmark: Wattmark, data: Path, records: list[RunRecord], tmp_path: Path
) -> None:
    """Windows and scores of saved runs come into a store that is empty, as they were."""
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    done = wattmark("republish", "--data", str(data), "--store", url, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["runs"] == len(records)
    store = open_store(url)
    try:
        for record in records:
            assert store.scores(run_id=record.run_id) == list(record.scores)
            assert {w.window_id for w in store.windows(run_id=record.run_id)} == {
                window.window_id for window in record.windows
            }
    finally:
        store.close()


def _pid_listening(port: int) -> int:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for connection in psutil.net_connections("tcp"):
            if connection.status == "LISTEN" and connection.pid and connection.laddr[1:] == (port,):
                return int(connection.pid)
    raise AssertionError(f"nobody listens on {port}")


def test_republish_fills_an_influxdb(wattmark: Wattmark, data: Path, influx: Any) -> None:
    """Every run of the folder, by its name, as the user who may write results; without a password
    nothing is asked."""
    url, password = influx.url("runner"), str(influx.password_file("runner"))
    refused = wattmark("republish", "--data", str(data), "--store", url)
    assert refused.returncode == 2
    assert "--store-password-file" in refused.stderr
    done = wattmark(
        "republish", "--data", str(data), "--store", url, "--store-password-file", password
    )
    assert done.returncode == 0, done.stderr
    answer = influx.query("results", 'SELECT * FROM "score"', user="grafana")["series"][0]
    models = {row[answer["columns"].index("model")] for row in answer["values"]}
    assert models == {'<b>&"quoted"[/x]', "broken", "guessed"}
    for name in ("check", "repeat", "isoline"):
        assert influx.query("results", f'SELECT * FROM "{name}"', user="grafana")["series"]
