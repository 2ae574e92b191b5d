"""What the Wattmark of a checkout leaves behind: its files, and what its runner answered.

Run once for a version, with the checkout's rooms and root in ``PYTHONPATH``; the README beside the
data has the commands. It needs TensorFlow and about two minutes.

    python leave_behind.py DATA OUT

``DATA`` is the folder that the programs work in, ``OUT`` gets what is kept of it.
"""

import contextlib
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

from tests.conftest import Rooms

KEY: Final = "kept-by-the-tests"
SHORT: Final = {
    "repeats": 2, "seconds": 1.0, "warmup_seconds": 0.5,
    "idle_before_seconds": 1.0, "idle_after_seconds": 1.0,
}  # fmt: skip
QUEUED: Final = {**SHORT, "workload": "quick", "model": "steady", "repeats": 1, "owner": "ada"}
ASKED: Final = (
    "/runs", "/scores", "/windows", "/ranking", "/workloads", "/sensors",
    "/tables/1", "/tables/2", "/tables/3",
)  # fmt: skip
UNSENT_SECONDS: Final = 6.0
DEAD_STORE: Final = "influxdb://collector@127.0.0.1:9"


class Runner:
    """The REST API of a runner."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/api/v1"

    def ask(self, path: str, body: Any = None, method: str = "", **headers: str) -> Any:
        """The JSON of an answer; a body makes it a POST."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **headers}
        request = Request(self.url + path, data, headers, method=method or None)
        with urlopen(request, timeout=60.0) as answer:
            return json.load(answer)

    def start(self, workload: str, model: str, **more: Any) -> str:
        """Queue a short run; its name."""
        body = {**SHORT, "workload": workload, "model": model, **more}
        return str(self.ask("/runs", body)["run_id"])

    def state(self, run_id: str) -> str:
        """The state of a run."""
        return str(self.ask(f"/runs/{run_id}")["state"])

    def wait(self, run_id: str, *states: str) -> None:
        """Until the run is in one of the states."""
        await_that(lambda: self.state(run_id) in states)

    def events(self, run_id: str) -> list[Any]:
        """What happened in a run that has ended."""
        with urlopen(f"{self.url}/runs/{run_id}/events", timeout=60.0) as answer:
            text = answer.read().decode()
        return [line.removeprefix("data:").strip() for line in text.splitlines()
                if line.startswith("data:")]  # fmt: skip


def await_that(found: Callable[[], object]) -> None:
    """Until it is true."""
    deadline = time.monotonic() + 120.0
    while not found():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come about")
        time.sleep(0.1)


def work(seconds: float) -> None:
    """Keep a core busy."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(1000))


def put_runs(runner: Runner, rooms: Rooms) -> Runner:
    """Runs in every state in which a run can end, and windows from elsewhere."""
    ended = [
        runner.start("digits", "cnn-small", owner="ada", labels={"project": "thesis"}),
        runner.start("quick", "steady", labels={"project": "thesis"}),
        runner.start("quick", "other", parameters={"how": "idle"}),
        runner.start("quick", "other", parameters={"how": "fails"}),
    ]
    cancelled = runner.start("quick", "steady")
    runner.ask(f"/runs/{cancelled}/cancel", {})
    for run_id in ended:
        runner.wait(run_id, "done", "failed")
    put_window(runner)
    stopped = runner.start("quick", "steady", seconds=30.0)
    runner.wait(stopped, "running")
    rooms.end("wattmark_runner")
    runner = Runner(rooms.start_runner())
    runner.wait(stopped, "interrupted")
    time.sleep(5.0)
    for run in runner.ask("/runs")["runs"]:
        if run["state"] == "done":  # once more, now that its last samples are there
            runner.ask(f"/runs/{run['run_id']}/score", {})
    return runner


def put_window(runner: Runner) -> None:
    """A run of two windows from elsewhere: stamped by the runner, and at a client's times."""
    named = {"workload": "my-test-set", "model": "my-network", "label": "batch 64"}
    window = runner.ask("/windows", named)
    work(1.0)
    counts = {"inferences": 1000, "correct": 900}
    runner.ask(f"/windows/{window['window_id']}", counts, "PATCH")
    runner.wait(window["run_id"], "done")
    start_ns = time.time_ns()
    work(1.0)
    posted = {"start_ns": start_ns, "end_ns": time.time_ns(), **counts}
    runner.ask("/windows", {**named, "run_id": window["run_id"], **posted})
    runner.wait(window["run_id"], "scoring")
    runner.wait(window["run_id"], "done")


def leave(runner: Runner) -> dict[str, Any]:
    """One run under way, one that waits and an open window; what the runner answers then."""
    under_way = runner.start("quick", "steady", seconds=60.0)
    runner.wait(under_way, "running")
    queued = runner.ask("/runs", QUEUED, **{"Idempotency-Key": KEY})
    window = runner.ask("/windows", {"workload": "my-test-set", "model": "my-network"})
    answers = {path: runner.ask(path) for path in ASKED}
    with urlopen(runner.url.replace("/api/v1", "/openapi.json")) as answer:
        openapi = json.load(answer)
    runs = [run for run in answers["/runs"]["runs"] if run["ended_at"]]
    for run in runs:
        path = f"/runs/{run['run_id']}"
        answers[path] = runner.ask(path)
        answers[f"{path}/events"] = runner.events(run["run_id"])
    return {
        "under_way": under_way, "queued": queued["run_id"], "queued_with": QUEUED, "key": KEY,
        "open_window": window, "answers": answers, "openapi": openapi,
    }  # fmt: skip


def leave_spool(exporter_url: str, data: Path) -> None:
    """What a collector keeps whose InfluxDB is away, killed in the middle."""
    (data / "password").write_text("none")
    (data / "spool.yml").write_text(
        "global: {scrape_interval: 1s}\n"
        "scrape_configs:\n- job_name: wattmark\n  metrics_path: /samples\n"
        f"  static_configs: [{{targets: ['{exporter_url.removeprefix('http://')}']}}]\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "wattmark_collector", "--config", str(data / "spool.yml"),
         "--store", DEAD_STORE, "--store-password-file", str(data / "password"),
         "--spool", str(data / "spool")],
    )  # fmt: skip
    time.sleep(UNSENT_SECONDS)
    process.send_signal(signal.SIGKILL)
    process.wait()


def keep(source: Path, copy: Path) -> None:
    """A database in one file, without its free pages."""
    with contextlib.closing(sqlite3.connect(source)) as connection:
        connection.execute("VACUUM")
    shutil.copy(source, copy)


def main(data: Path, out: Path) -> None:
    """Leave it all behind."""
    data.mkdir(parents=True, exist_ok=True)
    rooms = Rooms(data, "lab1")
    try:
        time.sleep(2.0)
        runner = put_runs(Runner(rooms.url), rooms)
        answers = leave(runner)
        rooms.end("wattmark_runner", kill=True)
        time.sleep(3.0)
        rooms.end("wattmark_collector")
    finally:
        rooms.end_all()
    short = Rooms.__new__(Rooms)
    short.data, short.host, short.processes = data, "lab1", {}
    try:  # a fresh exporter, whose ring holds little
        leave_spool(short.start("wattmark_exporters", "--listen", "127.0.0.1:0"), data)
    finally:
        short.end_all()
    out.mkdir(parents=True, exist_ok=True)
    for name in ("runner.sqlite", "store.sqlite"):
        keep(data / name, out / name)
    shutil.copytree(data / "spool", out / "spool")
    openapi = answers.pop("openapi")
    for name, body in (("answers.json", answers), ("openapi.json", openapi)):
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        (out / name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
