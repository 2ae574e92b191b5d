"""The version before this one, as a program of its own."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

VERSIONS = Path(__file__).parents[2] / "versions"
PROGRAM = Path(__file__).with_name("either_version.py")
Run = Callable[..., str]


@pytest.fixture(scope="session")
def of_9ca66c9(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs ``either_version.py`` with the rooms of commit 9ca66c9; what it prints."""
    rooms = tmp_path_factory.mktemp("9ca66c9")
    (wheel,) = (VERSIONS / "9ca66c9").glob("wattmark-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(rooms)
    return lambda *arguments: _run({**os.environ, "PYTHONPATH": str(rooms)}, *arguments)


@pytest.fixture(scope="session")
def of_today() -> Run:
    """Runs ``either_version.py`` with today's rooms; what it prints."""
    return lambda *arguments: _run(dict(os.environ), *arguments)


def _run(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *arguments],
        env=environment, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
