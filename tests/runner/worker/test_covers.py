"""What is private is covered by mounts where these are allowed; files can be made beside it."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wattmark_runner.worker import covers, landlock
from wattmark_runner.worker.landlock import NotConfined

CAN_COVER = """
import os, sys, tempfile
from pathlib import Path
from wattmark_runner.worker import covers
with tempfile.TemporaryDirectory() as folder:
    print(covers.cover([Path(folder)]))
    sys.stdout.flush()
    os._exit(0)
"""
ATTEMPTS = """
import ctypes, json, os, struct, sys
from pathlib import Path
from wattmark_runner.worker import covers
from wattmark_runner.worker.confinement import confine

libc = ctypes.CDLL(None, use_errno=True)
top, refused = Path(sys.argv[1]), sys.argv[2:] == ["refused"]
keys = os.fsencode(top / "keys")
if refused:
    covers.cover = lambda paths: False

def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result

handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128), 136)
libc.name_to_handle_at(-100, keys, handle, ctypes.byref(ctypes.c_int()), 0)
said = confine([top / "data", top / "keys"], [])

def by_handle():
    return os.read(checked(libc.open_by_handle_at(os.open(top, 0), handle, 0)), 9)

def by_clone(recursive=0):
    tree = checked(libc.syscall(428, -100, os.fsencode(top), 1 | recursive))
    return os.read(os.open("keys", 0, dir_fd=tree), 9)

ways = {
    "keys": lambda: open(keys).read(),
    "database": lambda: open(top / "data/runner.sqlite").read(),
    "log": lambda: open(top / "data/logs/a.log").read(),
    "change": lambda: open(keys, "a"),
    "rename": lambda: os.rename(keys, top / "own"),
    "remove": lambda: os.unlink(keys),
    "another name": lambda: os.link(keys, top / "own"),
    "new beside a database": lambda: open(top / "data/new", "w"),
    "handle": by_handle,
    "uncover": lambda: checked(libc.umount2(keys, 2)),
    "clone": by_clone,
    "clone of all": lambda: by_clone(0x8000),
    "root of init": lambda: open(f"/proc/{os.getppid()}/root{top}/keys").read(),
}

def tried():
    found = {}
    for name, way in ways.items():
        try:
            way()
            found[name] = 0
        except OSError as error:
            found[name] = error.errno
    return found

def made():
    try:
        (top / "folder").mkdir()
        (top / "result").write_text("x")
        return (top / "result").read_text() == "x"
    except PermissionError:
        return False

print(json.dumps({"said": said, "made": made(), "tried": tried(), "user": os.getuid()}), flush=True)
user, group = os.getuid(), os.getgid()
if libc.unshare(covers.NEWUSER | covers.NEWNS) == 0:  # and once more, with all rights in there
    maps = {"setgroups": "deny", "uid_map": f"0 {user} 1", "gid_map": f"0 {group} 1"}
    for name, text in maps.items():
        try:
            open(f"/proc/self/{name}", "w").write(text)
        except OSError:
            pass
    print(json.dumps({"tried": tried()}), flush=True)
"""
"""Ways to a key and a database for somebody who knows the kernel."""


def can_cover() -> bool:
    """Here, in a process of its own."""
    said = subprocess.run([sys.executable, "-c", CAN_COVER], capture_output=True, check=True)
    return said.stdout.strip() == b"True"


def attempts(top: Path, *how: str) -> list[dict[str, Any]]:
    """What a confined process gets at, and then in a user namespace of its own."""
    (top / "data/logs").mkdir(parents=True)
    for name in ("keys", "data/runner.sqlite", "data/logs/a.log"):
        (top / name).write_text("secret")
    done = subprocess.run(
        [sys.executable, "-c", ATTEMPTS, str(top), *how], cwd=top, capture_output=True, check=True,
        text=True,
    )  # fmt: skip
    assert (top / "keys").read_text() == (top / "data/runner.sqlite").read_text() == "secret"
    return [json.loads(line) for line in done.stdout.splitlines()] + [{"log": done.stderr}]


try:
    ABI = landlock.version()
except NotConfined:
    ABI = 0
needs_landlock = pytest.mark.skipif(not ABI, reason="the kernel has no Landlock")


@needs_landlock
def test_a_program_makes_files_beside_what_is_private_and_does_not_reach_it(tmp_path: Path) -> None:
    """The default data folder lies where the service was started, and there programs write their
    results. Neither handles, clones of the mount, nor another namespace lead around the cover."""
    if not can_cover():
        pytest.skip("mounts are not allowed here")
    first, *further = attempts(tmp_path)
    log = further.pop()["log"]
    assert first["said"] == f"landlock {ABI}"
    assert first["user"] == os.getuid()
    assert first["made"]
    for found in (first, *further):
        assert all(found["tried"].values()), found
        assert found["tried"]["keys"] == found["tried"]["database"] == errno.EACCES
        assert found["tried"]["log"] == errno.EACCES
    assert "out of reach" in log
    assert "no new files" not in log


@needs_landlock
def test_where_nothing_may_be_mounted_landlock_alone_keeps_it_away(tmp_path: Path) -> None:
    """Then nothing new can be made beside it, and the log says so."""
    first, *further = attempts(tmp_path, "refused")
    log = further.pop()["log"]
    assert not first["made"]
    for found in (first, *further):
        assert all(found["tried"].values()), found
    assert f"no new files directly in {tmp_path}" in log


def test_databases_and_folders_with_what_is_wanted_are_not_covered(tmp_path: Path) -> None:
    """Beside a database that lies alone new files of its come and go, which no cover would hide;
    what is wanted of a folder would be gone."""
    for folder in ("data/logs", "given/weights"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "other.sqlite").write_bytes(covers.DATABASE + b"...")
    for name in ("keys", "other.sqlite-wal", "data/inner"):
        (tmp_path / name).write_text("secret")
    names = ("data", "data/inner", "given", "keys", "other.sqlite", "other.sqlite-wal", "absent")
    hidden = [tmp_path / name for name in names]
    chosen = covers.to_cover(hidden, [tmp_path / "given/weights"])
    assert chosen == [tmp_path / "data", tmp_path / "keys"]
    assert not covers.cover([])
