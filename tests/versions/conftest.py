"""What earlier versions left behind, each test with copies of its own."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.versions.newer import Newer

LEFT = Path(__file__).parent / "9ca66c9"


@pytest.fixture(scope="session")
def left() -> Any:
    """What the runner answered before it was killed, and the names of the runs that it left."""
    return json.loads((LEFT / "answers.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def left_openapi() -> Any:
    """The description of its REST API."""
    return json.loads((LEFT / "openapi.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def copy_left() -> Callable[[Path], Path]:
    """Copies the data folder of the old version to a folder, which is made."""

    def copy(folder: Path) -> Path:
        folder.mkdir(exist_ok=True)
        for name in ("runner.sqlite", "store.sqlite"):
            shutil.copy(LEFT / name, folder)
        shutil.copytree(LEFT / "spool", folder / "spool")
        return folder

    return copy


@pytest.fixture
def old_data(copy_left: Callable[[Path], Path], tmp_path: Path) -> Path:
    """The data folder of the old version."""
    return copy_left(tmp_path / "data")


@pytest.fixture
def content() -> Callable[[Path], list[str]]:
    """The tables and rows of an SQLite file, as SQL."""

    def of(path: Path) -> list[str]:
        assert path.is_file(), path
        with contextlib.closing(sqlite3.connect(path)) as connection:
            return list(connection.iterdump())

    return of


@pytest.fixture(scope="session")
def run_old(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Runs Python on the rooms of the old wheel; what it prints."""
    rooms = tmp_path_factory.mktemp("wheel")
    (wheel,) = LEFT.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(rooms)
    env = {**os.environ, "PYTHONPATH": str(rooms)}

    def run(*arguments: str, statuses: Collection[int] = (0,)) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, env=env, cwd=rooms, capture_output=True, text=True, timeout=60.0
        )
        assert done.returncode in statuses, done.stderr
        return done.stdout

    return run


@pytest.fixture
def newer() -> Iterator[Callable[[str], str]]:
    """Puts a newer version's answers before a running program; the URL where it gives them."""
    with contextlib.ExitStack() as stack:

        def before(url: str) -> str:
            return stack.enter_context(Newer(url)).url

        yield before


@pytest.fixture
def exporter(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Starts an exporter of the machine ``lab1``; its URL."""
    with contextlib.ExitStack() as stack:

        def start(*options: str) -> str:
            command = [sys.executable, "-m", "wattmark_exporters", "--listen", "127.0.0.1:0"]
            process = stack.enter_context(
                subprocess.Popen(
                    [*command, "--host-name", "lab1", *options],
                    stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL, cwd=tmp_path,
                )
            )  # fmt: skip
            stack.callback(process.terminate)
            assert process.stdout is not None
            return process.stdout.readline().removeprefix("READY").strip()

        yield start
