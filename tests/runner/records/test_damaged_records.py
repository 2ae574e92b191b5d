"""Damaged run records: one line that names the file and what to do, and nothing is changed."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from tests.runner.records.test_records import full_record
from wattmark_core.errors import StoreError
from wattmark_core.sample import Sample
from wattmark_runner.records import migration
from wattmark_runner.records.database import RunDatabase
from wattmark_store.sqlite import SqliteStore

PAGE: Final = 4096
TARGETS: Final = "scrape_configs: [{job_name: x, static_configs: [{targets: ['127.0.0.1:9']}]}]\n"
Damage = Callable[[Path], None]


def overwrite(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(bytes(range(64)))


def newer(path: Path) -> None:
    """``user_version`` stands at offset 60 of the header."""
    with path.open("r+b") as file:
        file.seek(60)
        file.write((99).to_bytes(4))


def to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: Final[dict[str, tuple[Damage, str]]] = {
    "truncated": (lambda p: os.truncate(p, p.stat().st_size // PAGE // 2 * PAGE), "is damaged"),
    "cut off in a page": (lambda p: os.truncate(p, p.stat().st_size - 100), "is damaged"),
    "empty": (lambda p: os.truncate(p, 0), "is empty"),
    "overwritten in the middle": (
        lambda p: overwrite(p, p.stat().st_size // PAGE // 2 * PAGE), "is damaged"
    ),
    "overwritten at its beginning": (lambda p: overwrite(p, 0), "not an SQLite database"),
    "of a newer version": (newer, "by another version"),
    "a folder": (to_folder, "is not a file"),
}  # fmt: skip


def fill(path: Path) -> None:
    with closing(RunDatabase(path)) as database:
        for number in range(40):
            database.save(replace(full_record(f"run-{number}"), reason="x" * 5000))


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_records_are_refused_in_one_line_and_kept(tmp_path: Path, damage: str) -> None:
    """Byte for byte; whoever opens them, and whoever asks only."""
    path = tmp_path / "runner.sqlite"
    fill(path)
    harm, says = DAMAGES[damage]
    harm(path)
    before = path.read_bytes() if path.is_file() else b""
    for opening in (lambda: RunDatabase(path).counts(), lambda: migration.check(path)):
        with pytest.raises(StoreError, match=says) as caught:
            opening()
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)
    assert (path.read_bytes() if path.is_file() else b"") == before
    assert [file.name for file in tmp_path.iterdir()] == ["runner.sqlite"]


@pytest.mark.parametrize("which", ["runner.sqlite", "store.sqlite"])
@pytest.mark.parametrize("program", ["wattmark_runner", "wattmark_cli", "wattmark_collector"])
def test_a_service_with_a_damaged_file_does_not_start(
    tmp_path: Path, which: str, program: str
) -> None:
    """One line with the file and how to recover, a non-zero status, nothing changed."""
    if program == "wattmark_collector" and which == "runner.sqlite":
        pytest.skip("a collector has none")
    fill(tmp_path / "runner.sqlite")
    store = SqliteStore(tmp_path / "store.sqlite")
    store.write(Sample("power", (), {"watts": 1.0}, n) for n in range(20_000))
    store.close()
    overwrite(tmp_path / which, (tmp_path / which).stat().st_size // PAGE // 2 * PAGE)
    (tmp_path / "targets.yml").write_text(TARGETS)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    words = {
        "wattmark_runner": ["--listen", "127.0.0.1:0", "--data", str(tmp_path), "--store", url],
        "wattmark_cli": ["serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path)],
        "wattmark_collector": ["--config", str(tmp_path / "targets.yml"), "--store", url],
    }
    done = subprocess.run([sys.executable, "-m", program, *words[program]],
                          capture_output=True, text=True, check=False, timeout=60)  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"{tmp_path / which} is damaged (" in done.stderr
    assert f"sqlite3 MOVED/{which} .recover | sqlite3 {which}" in done.stderr
    after = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert {name: after.get(name) for name in before} == before
    assert set(after) - set(before) <= {"runner.lock"}
