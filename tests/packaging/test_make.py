"""The Makefile and the scripts it calls."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")


def call(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the checkout, unaware that make may be running these tests."""
    ours = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    inherited = {name: text for name, text in os.environ.items() if name not in ours}
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**inherited, **environment},
        text=True,
        capture_output=True,
        check=False,
    )


@needs_make
def test_make_lists_every_target() -> None:
    """``make`` alone lists each public target with a line about it."""
    listed = re.findall(r"^  make ([\w-]+) +\S", call("make").stdout, re.MULTILINE)
    public = " ".join(re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE))
    assert sorted(listed) == sorted(public.split())
    assert {"run", "test", "check", "bench", "clean"} <= set(listed)


@needs_make
def test_old_python_gets_one_line(tmp_path: Path) -> None:
    """An older Python is refused with what to do, before anything is made."""
    old = tmp_path / "python3.9"
    pretend = "import sys; sys.version_info = (3, 9, 2); exec(sys.argv[2])"
    old.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{pretend}' \"$@\"\n", encoding="utf-8")
    old.chmod(0o755)
    target = tmp_path / "venv"
    done = call("make", f"{target}/.created", f"VENV={target}", f"PYTHON={old}")
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stderr.splitlines()[0]
    assert "is 3.9" in done.stderr.splitlines()[0]
    assert not target.exists()


def test_step_is_quiet_about_success() -> None:
    """A step that works takes one line and keeps what the command said to itself."""
    done = call("tools/step", "Making tea", "echo", "bubble")
    assert done.returncode == 0
    assert re.fullmatch(r"Making tea … done in \d+ s\n", done.stdout)


def test_step_shows_what_failed() -> None:
    """A step that fails shows what the command said and passes its exit status on."""
    done = call("tools/step", "Making tea", "sh", "-c", "echo no water; exit 7")
    assert done.returncode == 7
    assert done.stdout == "Making tea … failed\n"
    assert done.stderr == "no water\n"


@pytest.fixture
def bare_path(tmp_path: Path) -> str:
    """A PATH on a machine with nothing to install with and nothing installed."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "dirname", "id"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return str(folder)


def test_missing_packages_are_named(bare_path: str) -> None:
    """Where nothing can be installed, one line says what to install, and the work goes on."""
    done = call("tools/debian-packages", "test", PATH=bare_path, PYTHON=sys.executable)
    assert done.returncode == 0
    needed = "gcc libc6-dev chromium curl nodejs npm influxdb prometheus"
    missing = rf"Missing: .*{needed}\. As root: apt-get .*\n"
    assert re.fullmatch(missing, done.stderr)


def test_without_venv_it_stops(bare_path: str) -> None:
    """Without python3-venv nothing can be set up: that is an error."""
    done = call("tools/debian-packages", "venv", PATH=bare_path, PYTHON="/nowhere/python3")
    assert done.returncode != 0
    assert done.stderr.startswith("Missing: python3-venv. As root: apt-get install python3-venv")


def test_ci_runs_checks_and_tests() -> None:
    """``.ci/run`` stops at the first failure and runs the two targets of the README."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "set -euo pipefail" in script
    assert "for target in check test" in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
