"""What a worker says: printable, with its quota and throttled time; and the threads it may have."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.runner.worker import trees
from wattmark_core.machine import about_machine
from wattmark_runner.worker import memory
from wattmark_runner.worker.__main__ import _one_line
from wattmark_runner.worker.messages import Messages
from wattmark_runner.worker.protocol import (
    EdgeReached,
    Failed,
    Loaded,
    Notice,
    PhaseEnd,
    WorkerMessage,
    decode,
)
from wattmark_runner.worker.threads import VARIABLES, keep_within_quota


class Heard:
    """The other end of a worker's messages, on a machine made of files."""

    def __init__(self, root: Path) -> None:
        self._reading, self._writing = os.pipe()
        self.messages = Messages(self._writing, {"confinement": "landlock 4"}, root)

    def say(self, message: WorkerMessage) -> Any:
        """What arrives of it."""
        self.messages.emit(message)
        return decode(os.read(self._reading, 65536))

    def close(self) -> None:
        """Both ends."""
        os.close(self._reading)
        os.close(self._writing)


def window(heard: Heard, root: Path, stat: str, before: str, after: str) -> Any:
    """The end of a window in which ``cpu.stat`` grew."""
    trees.write(root, {stat: before})
    heard.say(EdgeReached("inference", 1, opening=True, time_ns=1))
    trees.write(root, {stat: after})
    heard.say(EdgeReached("inference", 1, opening=False, time_ns=2))
    return heard.say(PhaseEnd("inference", 1, 1, 2, 5, 0.1))


@pytest.mark.parametrize(
    ("machine", "stat", "line", "seconds"),
    [
        (trees.docker_v1, "cpu,cpuacct/cpu.stat", "nr_throttled 3\nthrottled_time {}", 0.25),
        (trees.docker_v2, "cpu.stat", "usage_usec 1\nthrottled_usec {}", 250.0),
    ],
)
def test_a_window_says_for_how_long_a_quota_held_it_back(
    machine: Any, stat: str, line: str, seconds: float, tmp_path: Path
) -> None:
    """In nanoseconds or microseconds, as the version counts; what falls or is gone is not known."""
    root = machine(tmp_path)
    heard = Heard(root)
    stat = f"sys/fs/cgroup/{stat}"
    ended = window(heard, root, stat, line.format(500_000_000), line.format(750_000_000))
    assert ended.throttled_seconds == pytest.approx(seconds)
    for before, after in ((line.format(7), line.format(5)), (line.format(7), "nothing")):
        assert window(heard, root, stat, before, after).throttled_seconds is None
    heard.close()


def test_the_record_has_the_quota_and_the_confinement(tmp_path: Path) -> None:
    """Beside what the session says; without a quota there is neither it nor a time."""
    loaded = Loaded("", None, None, None, {"gpus": "Tesla\x1b \udce9", "python": "3"})
    heard = Heard(trees.systemd_v2(tmp_path / "a"))
    assert heard.say(loaded).environment == {
        "gpus": r"Tesla\x1b \xe9", "python": "3", "confinement": "landlock 4",
        "cpu_quota": "1.5 cores",
    }  # fmt: skip
    heard.close()
    heard = Heard(trees.hybrid(tmp_path / "b"))
    assert "cpu_quota" not in heard.say(loaded).environment
    heard.say(EdgeReached("inference", 0, opening=True, time_ns=1))
    assert heard.say(PhaseEnd("inference", 0, 1, 2, 5, 0.1)).throttled_seconds is None
    heard.close()


def test_foreign_text_arrives_printable(tmp_path: Path) -> None:
    """Notices and reasons."""
    heard = Heard(trees.hybrid(tmp_path))
    assert heard.say(Notice("caf\udce9 \u202e")) == Notice(r"caf\xe9 \u202e")
    assert heard.say(Failed("a\0b\x1b[2J")) == Failed(r"a\x00b\x1b[2J")
    heard.close()


def test_names_of_the_machine_are_printable(tmp_path: Path) -> None:
    """Of the CPU and the driver, which are bytes."""
    (tmp_path / "driver/nvidia").mkdir(parents=True)
    (tmp_path / "driver/nvidia/version").write_bytes(b"no number \xe9\x1b\nmore")
    (tmp_path / "cpuinfo").write_bytes(b"processor: 0\nmodel name\t: Xeon\xe9 \x1b[1m\n")
    facts = about_machine(tmp_path)
    assert facts["cpu_model"] == r"Xeon\xe9 \x1b[1m"
    assert facts["nvidia_driver"] == r"no number \xe9\x1b"


@pytest.mark.parametrize(
    ("machine", "threads"),
    [(trees.docker_v2, "1"), (trees.systemd_v2, "1"), (trees.hybrid, None)],
)
def test_threads_come_from_the_quota(machine: Any, threads: str | None, tmp_path: Path) -> None:
    """Half a core and one and a half give one; without a quota the framework chooses."""
    environment = {"OMP_NUM_THREADS": "7"}
    keep_within_quota(environment, machine(tmp_path))
    assert environment.pop("OMP_NUM_THREADS") == "7"
    others = [name for name in VARIABLES if name != "OMP_NUM_THREADS"]
    assert environment == ({} if threads is None else dict.fromkeys(others, threads))


def test_want_of_memory_names_the_limit(tmp_path: Path) -> None:
    """Which of them it was, how large it is, and what it left."""
    root = trees.docker_v1(tmp_path)
    assert memory.explained(root) == (
        "memory.limit_in_bytes of control group /docker/3f1c9a (700 MiB) leaves 300 MiB"
    )
    assert memory.available_bytes(root) == 300 * trees.MIB
    place = memory.explained().partition(" (")[0]
    assert _one_line(MemoryError()).startswith(f"out of memory: {place} (")
