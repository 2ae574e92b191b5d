"""``wattmark exec``: the command comes first, measuring second."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from wattmark_cli.child import die_with

Wattmark = Callable[..., subprocess.CompletedProcess[str]]
BUSY = "import time\nwhile time.process_time() < 2: pass\n"


def children_of_wattmark(folder: Path) -> list[str]:
    """Exporters and collectors that still work in ``folder``."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            here = (entry / "cwd").readlink()
        except OSError:
            continue  # it has ended
        if "-m wattmark_" in line and here == folder:
            found.append(line)
    return found


def test_output_and_exit_status_are_the_commands(wattmark: Wattmark, tmp_path: Path) -> None:
    """Standard output comes through byte for byte, the status is passed on, nothing stays."""
    code = "import sys; sys.stdout.write('a\\tb\\n'); sys.exit(7)"
    done = wattmark("exec", "--", sys.executable, "-c", code)
    assert done.returncode == 7
    assert done.stdout == "a\tb\n"
    assert "energy of CPU and memory: ≈ " in done.stderr
    assert "(ESTIMATED)" in done.stderr
    assert children_of_wattmark(tmp_path) == []


def test_json_holds_energy_and_its_method(wattmark: Wattmark) -> None:
    """The document goes to standard error or a file, for standard output is the command's."""
    done = wattmark("exec", "--json", "--", sys.executable, "-c", BUSY)
    document = json.loads(done.stderr)
    (cpu,) = document["energy"]
    assert document["exit_status"] == 0
    assert 0.0 < document["constants"]["overhead.ratio"] < 0.5
    assert 1.9 < document["cpu_seconds"] < 3.0
    assert cpu["method"] == "estimated"
    assert cpu["complete"]
    assert 0 < cpu["low"] < cpu["joules"] < cpu["high"]
    assert done.stdout == ""


@pytest.mark.alone
def test_net_energy_stands_beside_gross(wattmark: Wattmark, tmp_path: Path) -> None:
    """With a baseline both are printed, never net alone."""
    done = wattmark(
        "exec", "--idle-seconds", "2", "--json", "-o", "cost.json", "--",
        sys.executable, "-c", BUSY,
    )  # fmt: skip
    assert done.returncode == 0
    (cpu,) = json.loads((tmp_path / "cost.json").read_text())["energy"]
    assert 0 < cpu["net_joules"] < cpu["joules"]


def test_a_signal_is_reported_as_a_shell_does(wattmark: Wattmark) -> None:
    """A command that SIGKILL ended gives 137."""
    assert wattmark("exec", "--", "sh", "-c", "kill -9 $$").returncode == 137


def test_telemetry_that_cannot_start_does_not_stop_the_command(wattmark: Wattmark) -> None:
    """Without an exporter the command runs all the same, and one line says why."""
    done = wattmark("exec", "--sensor", "no.such:Sensor", "--", "sh", "-c", "echo ran; exit 3")
    assert (done.returncode, done.stdout) == (3, "ran\n")
    assert done.stderr.count("\n") == 1
    assert "not measured" in done.stderr


def test_an_exporter_that_does_not_answer_changes_nothing(
    wattmark: Wattmark, tmp_path: Path
) -> None:
    """The same for an address at which nobody listens."""
    done = wattmark(
        "exec", "--exporter", "http://127.0.0.1:9", "--store", f"sqlite:///{tmp_path}/s.sqlite",
        "--", "sh", "-c", "echo ran; exit 4",
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (4, "ran\n")
    assert "no exporter answers" in done.stderr


def test_a_window_without_samples_has_no_energy(wattmark: Wattmark) -> None:
    """With no sensor at all there is none, and it says so; zero would be a lie."""
    done = wattmark("exec", "--no-estimate", "--", "true")
    assert done.returncode == 0
    assert "no sensor of energy answers" in done.stderr
    assert " 0 J" not in done.stderr


@pytest.mark.parametrize(("command", "status"), [("no-such-command", 127), ("/etc/hosts", 126)])
def test_a_command_that_cannot_start(wattmark: Wattmark, command: str, status: int) -> None:
    """Not found is 127 and not executable 126, as in a shell."""
    assert wattmark("exec", "--", command).returncode == status


def test_nothing_to_run_is_an_error(wattmark: Wattmark) -> None:
    """One line, status 2."""
    done = wattmark("exec")
    assert done.returncode == 2
    assert done.stderr == "wattmark: exec needs a command: wattmark exec -- COMMAND\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_the_command(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C (to the whole group) and SIGTERM (to us) let the command end in its own way."""
    code = (
        "import signal, sys, time\n"
        "for n in (signal.SIGINT, signal.SIGTERM): signal.signal(n, lambda *_: sys.exit(11))\n"
        "open('started', 'w').close()\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "wattmark_cli", "exec", "--", sys.executable, "-c", code],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "started").exists():
        assert time.monotonic() < deadline, "the command was not started"
        time.sleep(0.05)
    if number is signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    assert process.wait(60) == 11
    assert children_of_wattmark(tmp_path) == []


def test_a_room_whose_parent_is_killed_while_it_begins_ends_too() -> None:
    """The kernel's word of it comes only to who has asked for it before."""
    words = [sys.executable, "-c", "print('goes on')"]
    before = partial(die_with, os.getppid())
    done = subprocess.run(words, preexec_fn=before, stdout=subprocess.PIPE, check=False)
    assert (done.returncode, done.stdout) == (1, b"")


def test_killed_itself_it_leaves_nothing_behind(tmp_path: Path) -> None:
    """SIGKILL of wattmark ends its exporter and collector too."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wattmark_cli", "exec", "--", "sh", "-c", "touch started; sleep 3"],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "started").exists():
        assert time.monotonic() < deadline, "the command was not started"
        time.sleep(0.05)
    assert len(children_of_wattmark(tmp_path)) == 3
    process.kill()
    process.wait()
    while children_of_wattmark(tmp_path):
        assert time.monotonic() < deadline, "exporter or collector goes on"
        time.sleep(0.1)
