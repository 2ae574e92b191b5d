"""A damaged store: one line that names the file and what to do, and nothing in it is changed."""

import logging
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from wattmark_core.errors import StoreError
from wattmark_core.sample import Sample
from wattmark_store import check_store, open_store
from wattmark_store.soundness import check_sound
from wattmark_store.sqlite import SqliteStore
from wattmark_store.sqlite_errors import translate

Damage = Callable[[Path], None]
PAGE: Final = 4096
README: Final = Path(__file__).parents[2] / "core/README.md"


def overwrite(path: Path, place: int, content: bytes = os.urandom(64)) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(content)


def foreign_log(path: Path) -> None:
    """The log of another store, which was killed, beside this one; as after a copy was put back."""
    other = path.parent / "other"
    other.mkdir()
    store = SqliteStore(other / "o.sqlite")
    store.write(Sample("other_thing", (("n", str(n)),), {"x": 1.0}, n) for n in range(2_000))
    shutil.copy(other / "o.sqlite-wal", path.with_name(f"{path.name}-wal"))
    store.close()
    shutil.rmtree(other)


def orphan_log(path: Path) -> None:
    foreign_log(path)
    path.unlink()


DAMAGES: Final[dict[str, tuple[Damage, str]]] = {
    "truncated to a half": (lambda p: os.truncate(p, p.stat().st_size // 2), "is damaged"),
    "truncated in its header": (lambda p: os.truncate(p, 50), "is damaged|not an SQLite database"),
    "truncated by a byte": (lambda p: os.truncate(p, p.stat().st_size - 1), "is damaged"),
    "empty": (lambda p: os.truncate(p, 0), "is empty.*put a copy of it in its place"),
    "overwritten at its beginning": (lambda p: overwrite(p, 0), "its beginning is overwritten"),
    "overwritten in the list of its tables": (lambda p: overwrite(p, 100), "is damaged"),
    "overwritten in the middle": (
        lambda p: overwrite(p, p.stat().st_size // PAGE // 2 * PAGE), "is damaged"
    ),
    "overwritten at the end": (lambda p: overwrite(p, p.stat().st_size - PAGE), "is damaged"),
    "zeros in the middle": (
        lambda p: overwrite(p, p.stat().st_size // PAGE // 2 * PAGE, bytes(3 * PAGE)), "is damaged"
    ),
    "the log of another file": (foreign_log, "s.sqlite-wal.*move"),
    "a log alone": (orphan_log, "is gone and s.sqlite-wal still there"),
    "a picture": (lambda p: overwrite(p, 0, b"\xff\xd8\xff\xe0" * 2000), "not an SQLite"),
}  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of some hundred pages, as it is left at a good end."""
    store = SqliteStore(tmp_path / "s.sqlite")
    store.write(
        Sample("power", (("device", f"d{n % 5}"),), {"watts": float(n)}, n) for n in range(20_000)
    )
    store.close()
    return tmp_path / "s.sqlite"


def contents(path: Path) -> dict[str, bytes]:
    """The files of a store, but for the index of its log, which SQLite makes anew."""
    files = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    return {name: content for name, content in files.items() if not name.endswith("-shm")}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_store_is_refused_in_one_line_and_kept(path: Path, damage: str) -> None:
    """Byte for byte, with its log; whoever opens it, and whoever asks only."""
    harm, says = DAMAGES[damage]
    harm(path)
    before = contents(path)
    for opening in (open_store, check_store):
        with pytest.raises(StoreError, match=says) as caught:
            opening(f"sqlite:///{path}")
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)
    assert contents(path) == before


def test_what_it_says_of_recovery_works(path: Path) -> None:
    """As the line says, or the README where the shell lacks ``.recover``."""
    shell = shutil.which("sqlite3")
    if shell is None:
        pytest.skip("needs the sqlite3 shell")
    overwrite(path, path.stat().st_size // PAGE // 2 * PAGE)
    with pytest.raises(StoreError, match=r"sqlite3 MOVED/s.sqlite .recover \| sqlite3 s.sqlite"):
        SqliteStore(path)
    moved = path.parent / "moved"
    moved.mkdir()
    path.rename(moved / path.name)
    old = f"MOVED/{path.name}"
    command = f"sqlite3 {old} .recover | sqlite3 {path.name}"
    probe = subprocess.run([shell, ":memory:", ".recover"], capture_output=True, check=False)
    if probe.stderr:
        (command,) = re.findall(r"(?m)^ +(\(echo 'PRAGMA .*)$", README.read_text(encoding="utf-8"))
        command = command.replace("MOVED/store.sqlite", old).replace("store.sqlite", path.name)
    command = command.replace("MOVED", "moved")
    subprocess.run(command, shell=True, cwd=path.parent, check=True)  # noqa: S602 - the documented command
    store = SqliteStore(path)
    found = sum(len(data.times_ns) for data in store.series("power", 0, 20_000, {}))
    assert 19_000 < found < 20_000
    store.close()


@pytest.mark.parametrize("target", ["/no/disk/s.sqlite", "s.sqlite"])
def test_a_link_that_leads_nowhere_is_kept_and_named(path: Path, target: str) -> None:
    """A new store in its place would hide the one on a disk that is not mounted."""
    path.unlink()
    path.symlink_to(target)
    for opening in (open_store, check_store):
        with pytest.raises(StoreError, match=f"is a link to {target}, where no file is; mount"):
            opening(f"sqlite:///{path}")
    assert path.is_symlink()


def test_a_store_behind_a_link_is_checked_with_its_log(path: Path, tmp_path: Path) -> None:
    """Which is beside the file, not beside the link."""
    link = tmp_path / "links" / "linked.sqlite"
    link.parent.mkdir()
    link.symlink_to(path)
    with closing(SqliteStore(path)) as store:
        store.write(Sample("power", (("n", str(n)),), {"watts": 1.0}, n) for n in range(2_000))
        check_store(f"sqlite:///{link}")
        with closing(open_store(f"sqlite:///{link}")) as linked:
            assert len(linked.series("power", 0, 9, {"n": "7"})) == 1


def test_text_that_is_not_utf_8_is_damage(path: Path) -> None:
    """In the list of tables, and in a row; what is said has nothing of the text in it."""
    row = sqlite3.OperationalError("Could not decode to UTF-8 column 'body' with text 'secret'")
    said = str(translate("run records", path, row))
    assert "is damaged (a text in it is not UTF-8); stop all that uses it" in said
    assert "secret" not in said
    whole = path.read_bytes()
    name = whole.index(b"CREATE TABLE")
    refusals = []
    for place in range(name, name + 60):
        overwrite(path, place, bytes([whole[place] ^ 0x80]))
        try:
            check_store(f"sqlite:///{path}")
        except StoreError as error:
            refusals.append(str(error))
        path.write_bytes(whole)
    assert len(refusals) > 10
    assert all(refusal.isprintable() and "is damaged" in refusal for refusal in refusals)


def test_a_folder_and_a_file_that_cannot_be_read_are_refused(path: Path) -> None:
    """With what they are."""
    with pytest.raises(StoreError, match="is not a file; name a file"):
        SqliteStore(path.parent)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root reads everything")
    with pytest.raises(StoreError, match=r"cannot be (read|written).*change its permissions"):
        SqliteStore(path)


def test_what_a_killed_process_left_in_the_log_is_whole(path: Path, tmp_path: Path) -> None:
    """The file alone lacks the newest pages; with its log it has them, and opens again."""
    left = tmp_path / "left"
    left.mkdir()
    store = SqliteStore(path)
    store.write([Sample("power", (("device", "new"),), {"watts": 1.0}, 1)])
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", left)
    store.close()
    check_store(f"sqlite:///{left / path.name}")
    again = SqliteStore(left / path.name)
    assert len(again.series("power", 0, 9, {"device": "new"})) == 1
    again.close()


def test_a_store_in_use_is_checked_beside_its_writer(path: Path) -> None:
    """Which goes on; nothing of it is taken for damage."""
    store = SqliteStore(path)
    for n in range(30):
        store.write(Sample("power", (), {"watts": 1.0}, 10**6 + 500 * n + i) for i in range(500))
        check_store(f"sqlite:///{path}")
    store.close()


def test_a_large_file_is_looked_at_for_a_bounded_time(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says that not all was; the results come first."""
    with caplog.at_level(logging.INFO):
        check_sound("store", path, ("window", "score"), seconds=0.0)
    (told,) = caplog.messages
    assert "not all of it was checked in 0 s" in told


def test_a_new_store_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """What a killed process left of its attempt goes with time."""
    left = tmp_path / ".s.sqlite.1-0.new"
    left.touch()
    os.utime(left, (0, 0))
    SqliteStore(tmp_path / "s.sqlite").close()
    assert [file.name for file in tmp_path.iterdir()] == ["s.sqlite"]
    with closing(sqlite3.connect(tmp_path / "s.sqlite")) as connection:
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
