"""A store of an older version is copied before its tables are changed."""

import logging
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from wattmark_core.errors import StoreError
from wattmark_core.machine import wattmark_version
from wattmark_core.sample import Sample
from wattmark_store import schema
from wattmark_store.copies import copied_before_migration
from wattmark_store.sqlite import SqliteStore

MakeEnergy = Callable[..., Sample]


@pytest.fixture
def older(tmp_path: Path, energy: MakeEnergy) -> Path:
    """A store of 1,000 samples of a version that did not know their uncertainty."""
    path = tmp_path / "store.sqlite"
    store = SqliteStore(path)
    store.write([energy(t, float(t)) for t in range(1000)])
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE energy DROP COLUMN uncertainty_seconds")
    path.chmod(0o640)
    return path


def content(path: Path) -> list[str]:
    """Tables and rows as SQL."""
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def copies(path: Path) -> list[Path]:
    """All that lies beside the file and bears its name, but for SQLite's own."""
    own = {path.name, f"{path.name}-wal", f"{path.name}-shm"}
    return [file for file in path.parent.glob(f"{path.name}*") if file.name not in own]


def test_the_copy_holds_what_the_older_version_left(
    older: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With its permissions, and one line of the log names it."""
    before = content(older)
    with caplog.at_level(logging.WARNING, "wattmark_store"):
        SqliteStore(older).close()
    (copy,) = copies(older)
    assert copy.name == f"store.sqlite.before-{wattmark_version() or 'this-version'}"
    assert content(copy) == before != content(older)
    assert copy.stat().st_mode & 0o777 == 0o640
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == f"{older} is of an older version; a copy of it, before it is changed, is {copy}"


def test_a_store_of_this_version_is_not_copied(older: Path, tmp_path: Path) -> None:
    """Neither a new one, nor one that is opened again."""
    SqliteStore(older).close()
    copies(older)[0].unlink()
    new = tmp_path / "new.sqlite"
    for path in (older, new, new):
        SqliteStore(path).close()
        assert copies(path) == []


NAME = f"store.sqlite.before-{wattmark_version() or 'this-version'}"


def test_an_earlier_copy_stays(older: Path) -> None:
    """It may be the only way back to a version before: the next copies have numbers."""
    kept = {NAME: b"first", f"{NAME}-2": b"second"}
    for name, text in kept.items():
        older.with_name(name).write_bytes(text)
    before = content(older)
    SqliteStore(older).close()
    assert content(older.with_name(f"{NAME}-3")) == before
    for name, text in kept.items():
        assert older.with_name(name).read_bytes() == text


def test_what_a_killed_attempt_left_is_used_again(older: Path) -> None:
    """A whole copy of the same file, and a copy that is not finished: at last there is one."""
    before = content(older)
    SqliteStore(Path(shutil.copy(older, older.with_name("other.sqlite")))).close()
    left = older.with_name(NAME.replace("store", "other"))
    left.rename(older.with_name(NAME))
    older.with_name(f"{NAME}.new").write_bytes(b"unfinished")
    SqliteStore(older).close()
    (copy,) = copies(older)
    assert (copy.name, content(copy)) == (NAME, before)


def test_after_a_change_that_fails_there_is_no_copy(
    older: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is as it was, so the copy is of no use; each start that fails would leave one."""
    before = content(older)
    monkeypatch.setattr(schema, "_FIXED", ("no SQL",))
    for _ in range(2):
        with pytest.raises(StoreError, match="syntax error"):
            SqliteStore(older)
    assert content(older) == before
    assert copies(older) == []


def test_several_that_open_it_at_once_make_one_copy(older: Path) -> None:
    """Of the file as it was before the first of them."""
    before = content(older)
    with ThreadPoolExecutor(8) as pool:
        for store in pool.map(lambda _: SqliteStore(older), range(8)):
            store.close()
    (copy,) = copies(older)
    assert content(copy) == before


@pytest.fixture
def full_disk(small_disk: Path, older: Path) -> Iterator[Path]:
    """The older store on a disk that has no room for a second one."""
    path = small_disk / "store.sqlite"
    shutil.copy(older, path)
    room = os.statvfs(small_disk)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(room.f_bavail * room.f_bsize - 48 * 1024))
    yield path
    filler.unlink()
    SqliteStore(path).close()
    assert len(copies(path)) == 1


def test_without_room_for_the_copy_the_store_stays_as_it_is(full_disk: Path) -> None:
    """One line says how much room it takes; nothing is left half-made."""
    before = content(full_disk)
    with pytest.raises(StoreError, match=r"no copy could be made .* free \d+ MiB") as caught:
        SqliteStore(full_disk)
    assert "\n" not in str(caught.value)
    assert content(full_disk) == before
    assert copies(full_disk) == []


def test_too_little_room_for_the_change_is_known_before(full_disk: Path) -> None:
    """Not when the copy has used the rest: it says what is missing."""
    missing = full_disk.stat().st_size * 1000 // 2**20
    said = r"its disk is too full\); free \d+ MiB"
    with pytest.raises(StoreError, match=said) as caught, copied_before_migration(full_disk, 1e3):
        pass
    assert int(re.findall(r"free (\d+) MiB", str(caught.value))[0]) == pytest.approx(missing, abs=2)
    assert copies(full_disk) == []


def test_a_folder_that_cannot_be_written_is_a_matter_of_permissions(older: Path) -> None:
    """Room would not help."""
    older.with_name(f"{NAME}.new").mkdir()
    with pytest.raises(StoreError, match=f"check the permissions of {older.parent}"):
        SqliteStore(older)
