"""The spool's folder: segments, cursors, the lock."""

import fcntl
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wattmark_collector.errors import DamagedRecord
from wattmark_collector.spool.record import Damage, damage_at, read
from wattmark_core.errors import ConfigurationError

log = logging.getLogger(__name__)
SUFFIX: Final = ".segment"
CURSORS: Final = "cursors.json"
LOCK: Final = "lock"


@dataclass(slots=True, eq=False)
class Segment:
    """A file of records. What is before ``size`` is on the disk and sound; what is before
    ``sent_bytes`` is in the store. ``count`` and ``sent_count`` are the samples in these.
    ``at_ns``: when the oldest record that waits was written, or the one before it was.
    ``damaged``: nothing more is to be written into it."""

    number: int
    path: Path
    size: int = 0
    count: int = 0
    sent_bytes: int = 0
    sent_count: int = 0
    oldest_ns: int | None = None
    latest_ns: int | None = None
    at_ns: int = 0
    damaged: bool = False

    @property
    def is_sent(self) -> bool:
        """Is all of it in the store?"""
        return self.sent_bytes >= self.size

    def add(self, size: int, count: int, oldest_ns: int, latest_ns: int, at_ns: int) -> None:
        """Note a record that is on the disk now."""
        self.at_ns = at_ns if self.is_sent else self.at_ns
        self.size += size
        self.count += count
        self.oldest_ns = oldest_ns if self.oldest_ns is None else min(self.oldest_ns, oldest_ns)
        self.latest_ns = latest_ns if self.latest_ns is None else max(self.latest_ns, latest_ns)


def segment_path(folder: Path, number: int) -> Path:
    return folder / f"{number:016d}{SUFFIX}"


def lock(folder: Path) -> int:
    """Make the folder and take it for this process; a file descriptor that holds the lock.

    Raises ``ConfigurationError`` if another process has it or it cannot be used.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        held = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"--spool {folder} cannot be used: {error.strerror}; name a folder on a local disk"
        ) from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(held)
        raise ConfigurationError(
            f"--spool {folder} belongs to another running collector; stop it or name another folder"
        ) from error
    return held


def sync_folder(folder: Path) -> None:
    """Make names that were added or taken away last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load_cursors(folder: Path) -> dict[str, str]:
    """The cursors of segments that are gone. A file that cannot be read counts as none: its
    exporters are then read from the beginning of their rings, which loses nothing."""
    try:
        cursors = json.loads((folder / CURSORS).read_text(encoding="utf-8"))
        return {str(target): str(cursor) for target, cursor in cursors.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        log.warning("spool %s: %s cannot be read (%s); the exporters' rings are read from their"
                    " beginning",
                    folder, CURSORS, error)  # fmt: skip
        return {}


def save_cursors(folder: Path, cursors: dict[str, str]) -> None:
    """Replace the file of cursors; after a power cut it is the old or the new one."""
    new = folder / f"{CURSORS}.new"
    with new.open("w", encoding="utf-8") as file:
        json.dump(cursors, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / CURSORS)
    sync_folder(folder)


def scan(path: Path, number: int, cursors: dict[str, str]) -> tuple[Segment, list[Damage], int]:
    """Read a segment through, note its cursors; it, its damage in the middle, and how many bytes at
    its end are no record: these are cut off. Raises ``OSError`` when the disk fails.
    """
    segment, end, damages = Segment(number, path), path.stat().st_size, list[Damage]()
    with path.open("rb+") as file:
        while segment.size < end:
            file.seek(segment.size)
            try:
                record = read(file, end)
            except (DamagedRecord, ValueError):
                damage = damage_at(file, segment.size, end)
                if damage.end == end:
                    file.truncate(segment.size)
                    os.fsync(file.fileno())
                    break
                damages.append(damage)
                segment.size, segment.damaged = damage.end, True
                segment.count += damage.count
                continue
            if record is None:
                break
            segment.add(
                file.tell() - segment.size, len(record.lines), record.oldest_ns,
                record.latest_ns, record.at_ns,
            )  # fmt: skip
            if record.target:
                cursors[record.target] = record.cursor
    return segment, damages, end - segment.size


def scan_folder(folder: Path) -> tuple[list[Segment], dict[str, str], int]:
    """The segments that hold something, in order, the cursors, and the bytes that were damaged.

    An unfinished record at the end of the last segment was never acknowledged: it is cut off and
    is not damage. Damage in the middle stays, and is passed over when it is read.
    """
    cursors, segments, damaged = load_cursors(folder), [], 0
    paths = sorted(path for path in folder.glob(f"*{SUFFIX}") if path.stem.isdecimal())
    for path in paths:
        segment, damages, cut = scan(path, int(path.stem), cursors)
        if damages:
            log.error("spool %s: segment %s is damaged in %d places; the samples there are lost,"
                      " the rest goes on; check the disk",
                      folder, path.name, len(damages))  # fmt: skip
        if cut and path == paths[-1]:
            log.warning("spool %s: an unfinished record of %d bytes is cut off; what it held is"
                        " fetched again", folder, cut)  # fmt: skip
        elif cut:
            damaged += cut
            log.error("spool %s: segment %s is damaged; the samples in its last %d bytes are lost",
                      folder, path.name, cut)  # fmt: skip
        if segment.count:
            segments.append(segment)
        else:
            path.unlink()
    return segments, cursors, damaged
