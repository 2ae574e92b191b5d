"""Where a store file may lie: in a directory that can be written, on a disk of this machine, and
not in the place of another file.

SQLite's WAL mode needs shared memory between the processes that open the file and locks that
work; network file systems give neither (sqlite.org/wal.html, "Disadvantages" 2).
"""

import os
import re
from pathlib import Path
from typing import Final

from wattmark_core.errors import StoreError

NETWORK_FILE_SYSTEMS: Final = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs",
    "nfs4", "ocfs2", "orangefs", "pvfs2", "smb3", "smbfs", "vboxsf",
    "fuse.ceph", "fuse.cephfs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.juicefs", "fuse.rclone",
    "fuse.s3fs", "fuse.smbnetfs", "fuse.sshfs",
})  # fmt: skip


def check_location(path: Path, procfs: Path) -> None:
    """Raise ``StoreError`` if a store at ``path`` could not be written or would not be safe."""
    folder = path.parent
    if not folder.is_dir():
        raise StoreError(f"store {path}: there is no directory {folder}; create it first")
    if path.exists() and not path.is_file():
        raise StoreError(f"store {path} is not a file; name a file, new or made by Wattmark")
    file_system = file_system_of(Path(os.path.realpath(path)), procfs)
    if file_system in NETWORK_FILE_SYSTEMS:
        raise StoreError(
            f"store {path} lies on a network file system ({file_system}), where SQLite loses data;"
            " choose a path on a local disk"
        )
    for place in (folder, path):
        if place.exists() and not os.access(place, os.R_OK | os.W_OK):
            raise StoreError(
                f"store {path}: {place} cannot be written; change its permissions, or choose"
                " another path"
            )


def file_system_of(path: Path, procfs: Path) -> str:
    """Type of the file system that holds the absolute ``path``; empty where that is unknown.

    From ``PROCFS/self/mountinfo`` (proc_pid_mountinfo(5)): the longest mount point that is a
    prefix; of several mounts on one point the last hides the others.
    """
    try:
        text = (procfs / "self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
    deepest, longest = "", -1
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        columns, kind = before.split(" "), after.split(" ")[0]
        if len(columns) < 5 or not kind:
            continue
        point = Path(_unescape(columns[4]))
        if path.is_relative_to(point) and len(point.parts) >= longest:
            deepest, longest = kind, len(point.parts)
    return deepest


def _unescape(text: str) -> str:
    r"""The kernel writes space, tab, line feed and backslash as ``\040`` and so on."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
