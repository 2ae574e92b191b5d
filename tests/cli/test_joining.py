"""A data folder in use: the service that works on it is joined, or left alone in one line."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest

from wattmark_runner.records.folder_lock import NAME, PUBLISHED
from wattmark_store import open_store

Wattmark = Callable[..., subprocess.CompletedProcess[str]]
FIT: Final = (
    "fit", "--workload", "digits", "--models", "mlp-small", "--repeats", "1", "--seconds", "0.5",
    "--idle-seconds", "1",
)  # fmt: skip
LOGS: Final = ("exporter.log", "collector.log", "runner.log")


@dataclass(frozen=True)
class Served:
    """A running ``wattmark serve``."""

    folder: Path
    process: subprocess.Popen[str]
    url: str

    @property
    def data(self) -> Path:
        return self.folder / "wattmark-data"

    def state(self) -> dict[str, object]:
        """What another command must not change: who measures, and what the rooms have said."""
        exporter = httpx.get(f"{self.url}/api/v1/sensors").json()["exporter"]
        instance = httpx.get(f"{exporter}/sensors").json()["instance"]
        files = {name: (self.data / name).read_bytes() for name in (*LOGS, "targets.yml")}
        return {"exporter": exporter, "instance": instance, **files}


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    process = subprocess.Popen(
        [sys.executable, "-m", "wattmark_cli", "serve", "--listen", "127.0.0.1:0", "--json"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "WATTMARK_CACHE": str(folder / "cache")},
    )  # fmt: skip
    assert process.stdout is not None
    text = ""
    while not text.rstrip().endswith("}"):
        line = process.stdout.readline()
        assert line, process.communicate()
        text += line
    try:
        yield Served(folder, process, json.loads(text)["api"].removesuffix("/api/v1"))
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One service for all tests that leave it as it is."""
    with serving(tmp_path_factory.mktemp("served")) as running:
        yield running


def test_a_second_serve_says_one_line_and_changes_nothing(
    served: Served, wattmark: Wattmark
) -> None:
    """It names the process and the URL of the first; whatever port it asks for."""
    before = served.state()
    for listen in ("127.0.0.1:0", served.url.removeprefix("http://")):
        done = wattmark("serve", "--listen", listen, cwd=served.folder)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1
        assert "another runner works on wattmark-data (process " in done.stderr
        assert f"{served.url}/); stop it, or name another folder with --data" in done.stderr
    assert served.state() == before


def test_exec_measures_by_the_exporter_and_store_of_the_service(
    served: Served, wattmark: Wattmark
) -> None:
    """It starts no room of its own, and its window is in the service's store."""
    before = served.state()
    code = "import time\nwhile time.process_time() < 1: pass"
    done = wattmark("exec", "--json", "--", sys.executable, "-c", code, cwd=served.folder)
    document = json.loads(done.stderr)
    (cpu,) = document["energy"]
    assert cpu["complete"]
    assert cpu["joules"] > 0
    with closing(open_store(f"sqlite:///{served.data / 'store.sqlite'}")) as store:
        assert document["window_id"] in {window.window_id for window in store.windows()}
    assert served.state() == before


def test_a_command_of_bytes_is_measured_under_a_printable_name(
    served: Served, wattmark: Wattmark
) -> None:
    """No name that a system allows keeps its window from being stored."""
    name = os.fsdecode(b"caf\xe9")
    (served.folder / name).write_text("#!/bin/sh\nexit 3\n")
    (served.folder / name).chmod(0o755)
    done = wattmark("exec", "--json", "--", f"./{name}", cwd=served.folder)
    assert done.returncode == 3
    window_id = json.loads(done.stderr)["window_id"]
    with closing(open_store(f"sqlite:///{served.data / 'store.sqlite'}")) as store:
        labels = {w.window_id: w.label for w in store.windows()}
    assert labels[window_id] == r"./caf\xe9"


@pytest.mark.parametrize("command", ["exec", "sensors", "fit"])
def test_options_of_an_exporter_of_ones_own_are_refused_beside_a_service(
    served: Served, wattmark: Wattmark, command: str
) -> None:
    """It measures with its own; ``exec`` runs its command all the same."""
    words = {"exec": ["exec", "--without", "rapl", "--", "sh", "-c", "exit 5"],
             "sensors": ["sensors", "--without", "rapl"],
             "fit": [*FIT, "--without", "rapl"]}[command]  # fmt: skip
    before = served.state()
    done = wattmark(*words, cwd=served.folder)
    assert done.returncode == (5 if command == "exec" else 2)
    assert "--without is for an exporter of our own, and wattmark-data is in use by" in done.stderr
    assert served.state() == before


def test_sensors_are_those_of_the_services_exporter(served: Served, wattmark: Wattmark) -> None:
    """No second exporter is started."""
    before = served.state()
    done = wattmark("sensors", "--json", cwd=served.folder)
    assert json.loads(done.stdout)["sensors"]
    assert served.state() == before


def test_another_exporter_than_the_services_is_refused(served: Served, wattmark: Wattmark) -> None:
    """Its runs would stand among those of the service."""
    named = ("--exporter", "http://127.0.0.1:9", "--store", "sqlite:///other.sqlite")
    done = wattmark(*FIT, *named, cwd=served.folder)
    assert done.returncode == 2
    assert "is in use by process" in done.stderr
    assert "with another exporter" in done.stderr


@pytest.mark.slow
def test_fit_has_the_service_carry_out_its_runs(served: Served, wattmark: Wattmark) -> None:
    """In its queue, with its exporter and store; results and report are the fit's as ever."""
    before = served.state()
    done = wattmark(*FIT, "--json", cwd=served.folder)
    document = json.loads(done.stdout)
    assert document["groups"], done.stderr
    (run,) = httpx.get(f"{served.url}/api/v1/runs").json()["runs"]
    assert (run["state"], run["model"]) == ("done", "mlp-small")
    for path in document["paths"].values():
        assert (served.folder / path).stat().st_size > 100
    after = served.state()
    assert after["instance"] == before["instance"]
    assert after["targets.yml"] == before["targets.yml"]


def test_logs_are_added_to_and_never_truncated(tmp_path: Path, wattmark: Wattmark) -> None:
    """By each command that starts rooms; a killed service leaves a folder that opens again."""
    data = tmp_path / "wattmark-data"
    data.mkdir()
    for name in LOGS:
        (data / name).write_text("from before\n")
    (data / "collector.log").write_bytes(b"long\n" * 2_100_000)
    assert wattmark("exec", "--", "true").returncode == 0
    with serving(tmp_path) as running:
        assert (data / PUBLISHED).exists()
        running.process.send_signal(signal.SIGKILL)
        running.process.wait()
    with serving(tmp_path):
        pass
    for name in ("exporter.log", "runner.log"):
        assert (data / name).read_text().startswith("from before\n")
    assert (data / "collector.log").stat().st_size < 1_000_000
    assert (data / "collector.log.1").stat().st_size == 5 * 2_100_000
    assert not (data / PUBLISHED).exists()


def piped(folder: Path) -> subprocess.Popen[str]:
    """``exec`` of a command that has begun and ends with its input."""
    running = subprocess.Popen(
        [sys.executable, "-m", "wattmark_cli", "exec", "--", "sh", "-c", "echo runs; cat"],
        cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert running.stdout is not None
    assert running.stdout.readline() == "runs\n"
    return running


def test_a_fit_waits_for_no_command_that_takes_no_runs(tmp_path: Path, wattmark: Wattmark) -> None:
    """While ``exec`` measures with the folder it is refused in one line; ``exec`` is joined."""
    first = piped(tmp_path)
    refused = wattmark(*FIT)
    assert refused.returncode == 2
    assert f"another wattmark command (process {first.pid}) measures with" in refused.stderr
    second = wattmark("exec", "--json", "--", "sleep", "1")
    document = json.loads(second.stderr)
    assert document["energy"][0]["complete"]
    assert document["overlapping"]
    _, errors = first.communicate("", timeout=60)
    assert first.returncode == 0
    assert "energy of CPU and memory" in errors


@pytest.mark.parametrize(
    "options",
    [
        ("--exporter", "http://127.0.0.1:9", "--store", "mysql://x"),
        ("--exporter", "http://127.0.0.1:9", "--store", "sqlite:///nowhere/s.sqlite"),
        ("--exporter", "http://127.0.0.1:9", "--store", "sqlite:///text"),
        ("--config", "nowhere.toml"), ("--without", "nothing"), ("--listen", "8080"),
    ],
)  # fmt: skip
def test_a_service_that_does_not_start_leaves_no_folder(
    tmp_path: Path, wattmark: Wattmark, options: tuple[str, ...]
) -> None:
    """Neither ``serve`` nor the runner alone."""
    (tmp_path / "text").write_text("no store\n")
    done = wattmark("serve", "--data", "a/b", *options)
    assert done.returncode in {1, 2}
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["text"]


def test_the_runner_alone_leaves_no_folder_either(tmp_path: Path) -> None:
    """Where its store is none."""
    done = subprocess.run(
        [sys.executable, "-m", "wattmark_runner", "--listen", "127.0.0.1:0", "--data", "a/b",
         "--store", "sqlite:///nowhere/s.sqlite"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert list(tmp_path.iterdir()) == []


def test_who_joined_is_measured_to_its_end(tmp_path: Path) -> None:
    """Though the command that it joined, and whose exporter measures, has ended before."""
    with piped(tmp_path) as first, piped(tmp_path) as second:
        assert first.stdin is not None
        assert first.stderr is not None
        first.stdin.close()
        said = ""
        while "until that one has ended" not in said:
            line = first.stderr.readline()
            assert line, said
            said += line
        assert "energy of CPU and memory: ≈ " in said
        assert first.poll() is None
        _, errors = second.communicate("", timeout=60)
        assert second.returncode == 0
        assert "energy of CPU and memory: ≈ " in errors
        assert "at least" not in errors
        assert first.wait(60) == 0
    assert not (tmp_path / "wattmark-data" / PUBLISHED).exists()


def test_a_lock_without_a_word_of_whom_is_named_all_the_same(
    tmp_path: Path, wattmark: Wattmark
) -> None:
    """As an older version leaves it."""
    data = tmp_path / "wattmark-data"
    data.mkdir()
    with (data / NAME).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = wattmark("serve", "--listen", "127.0.0.1:0")
    assert done.returncode == 2
    assert "another runner works on wattmark-data; stop it" in done.stderr
    assert [path.name for path in data.iterdir()] == [NAME]
