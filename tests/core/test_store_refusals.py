"""What the store refuses: each time one clear line, and nothing is harmed."""

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from wattmark_core.errors import StoreError, StoreUnavailable
from wattmark_core.sample import Sample
from wattmark_store.location import file_system_of
from wattmark_store.sqlite import SqliteStore

MakeEnergy = Callable[..., Sample]
MOUNTS = r"""22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
23 22 0:5 / /proc rw - proc proc rw
90 22 0:40 / /home/lab\040share rw,relatime - nfs4 server:/export rw
91 90 8:1 / /home/lab\040share/local rw - xfs /dev/sdb1 rw
92 22 0:41 / /stacked rw - ext4 /dev/sdc1 rw
93 22 0:42 / /stacked rw - cifs //server/share rw
94 22 0:43 / /home/lab rw - fuse.sshfs me@server:/ rw
"""


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/store.sqlite", "ext4"), ("/home/lab share/s.sqlite", "nfs4"),
        ("/home/lab share/local/s.sqlite", "xfs"), ("/home/lab share2/s.sqlite", "ext4"),
        ("/stacked/s.sqlite", "cifs"), ("/home/lab/s.sqlite", "fuse.sshfs"),
    ],
)  # fmt: skip
def test_the_file_system_is_that_of_the_longest_mount_point(
    tmp_path: Path, path: str, kind: str
) -> None:
    """Spaces are escaped in mountinfo; of two mounts on one point the later counts."""
    (tmp_path / "self").mkdir()
    (tmp_path / "self/mountinfo").write_text(MOUNTS)
    assert file_system_of(Path(path), tmp_path) == kind


def test_an_unknown_file_system_is_not_refused(tmp_path: Path) -> None:
    """Where there is no mountinfo there is nothing to say."""
    assert file_system_of(Path("/x"), tmp_path) == ""
    SqliteStore(tmp_path / "s.sqlite", procfs=tmp_path).close()


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph",
                                  "lustre", "glusterfs"])  # fmt: skip
def test_a_network_file_system_is_refused(tmp_path: Path, kind: str) -> None:
    """Also behind a symbolic link, and before anything is created."""
    share, local = tmp_path / "share", tmp_path / "local"
    share.mkdir()
    local.mkdir()
    procfs = tmp_path / "proc"
    (procfs / "self").mkdir(parents=True)
    (procfs / "self/mountinfo").write_text(f"1 0 0:1 / {share.resolve()} rw - {kind} server:/ rw\n")
    (local / "link.sqlite").symlink_to(share / "s.sqlite")
    for path in (share / "s.sqlite", local / "link.sqlite"):
        with pytest.raises(StoreError, match=rf"network file system \({kind}\).*local disk"):
            SqliteStore(path, procfs=procfs)
    assert list(share.iterdir()) == []
    SqliteStore(local / "s.sqlite", procfs=procfs).close()


@pytest.mark.parametrize("content", [b"x", b"not a database\n" * 100, b"SQLite format 3\0" * 64])
def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    """Byte for byte."""
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"store .*notes.txt") as caught:
        SqliteStore(path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused_and_kept(tmp_path: Path) -> None:
    """Even though it is SQLite."""
    path = tmp_path / "browser.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks(url)")
    content = path.read_bytes()
    with pytest.raises(StoreError, match="another program's SQLite database; name a new file"):
        SqliteStore(path)
    assert path.read_bytes() == content


def test_a_store_of_a_later_version_is_refused(tmp_path: Path) -> None:
    """With what to do."""
    path = tmp_path / "s.sqlite"
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(StoreError, match="version 99, this Wattmark knows up to 1; update it"):
        SqliteStore(path)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    """And not made."""
    with pytest.raises(StoreError, match=r"there is no directory .*nowhere; create it first"):
        SqliteStore(tmp_path / "nowhere/s.sqlite")
    with pytest.raises(StoreError, match="is not a file"):
        SqliteStore(tmp_path)


def test_a_read_only_disk_is_refused(small_disk: Path) -> None:
    """Whether the store is new or was there before."""
    SqliteStore(small_disk / "old.sqlite").close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for name in ("old.sqlite", "new.sqlite"):
        with pytest.raises(StoreError, match=r"cannot be written; .*choose another path"):
            SqliteStore(small_disk / name)


def test_a_full_disk_is_one_line_and_loses_nothing(small_disk: Path, energy: MakeEnergy) -> None:
    """No half batch, the cursor stays, reading goes on, and writing too once there is space."""
    store = SqliteStore(small_disk / "s.sqlite")
    store.write([energy(1, 1.0)], target="t", cursor="i:1")
    filler = small_disk / "filler"
    fill(filler)
    batch = [energy(t, float(t)) for t in range(2, 20_000)]
    for _ in range(2):
        with pytest.raises(StoreError, match=r"store .*s.sqlite: no space is left") as caught:
            store.write(batch, target="t", cursor="i:2")
        assert "\n" not in str(caught.value)
    assert store.cursor("t") == "i:1"
    (data,) = store.series("energy", 0, 2**62, {})
    assert data.times_ns == (1,)
    filler.unlink()
    store.write(batch, target="t", cursor="i:2")
    (data,) = store.series("energy", 0, 2**62, {})
    assert len(data.times_ns) == 19_999
    assert store.cursor("t") == "i:2"
    store.close()


def test_a_full_disk_refuses_a_new_store(small_disk: Path) -> None:
    """With the same line, and nothing is left of the attempt: an empty file is a damaged one."""
    fill(small_disk / "filler")
    with pytest.raises(StoreUnavailable, match="no space is left on its disk"):
        SqliteStore(small_disk / "s.sqlite")
    assert [file.name for file in small_disk.iterdir()] == ["filler"]
