"""Under which name this process measures at exporters, and for how many windows at once.

Several links of one process, those of a run and of windows from elsewhere, are one holder: what
they share is seen in the store. Other holders are seen in the exporter's leases alone.
"""

import hashlib
import os
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from wattmark_core.exporter_api import Lease
from wattmark_core.printable import printable
from wattmark_core.results import Window
from wattmark_core.units import seconds_to_ns

LINGER_SECONDS: Final = 1.0
"""How long close sampling goes on after the last window: the samples beyond its end count."""
LONGEST: Final = 100
"""Of a holder's text, at an exporter."""
UNNAMED: Final = "a program that does not give its name"
_RANDOM: Final = uuid.uuid4().hex
_armed: Counter[str] = Counter()
_changing: Final = threading.Lock()
_folder: list[Path] = []


def lease_id() -> str:
    """The same for all that this process asks for; a process that is forked has its own."""
    return f"{_key()}-{_own_part()}"


def is_own(lease: str) -> bool:
    """Is it a lease of this process, or of one that has ended and worked on the same data folder?
    What a service was killed in is scored by its successor."""
    key, _, rest = lease.partition("-")
    number = rest.rpartition("-")[2]
    if rest == _own_part():
        return True
    if not _folder or key != _key() or not (number.isascii() and number.isdigit()):
        return False
    return not Path(f"/proc/{number}").exists()


def _own_part() -> str:
    return f"{_RANDOM}-{os.getpid()}"


def _key() -> str:
    """Of the data folder; empty without one."""
    return hashlib.sha256(str(_folder[0]).encode()).hexdigest()[:16] if _folder else ""


def name_folder(folder: Path) -> None:
    """Name the data folder that this process works on, for those whom it disturbs."""
    _folder[:] = [folder.resolve()]


def holder() -> str:
    """Who this process is, for people: its program, number and data folder, whose end stands where
    an exporter keeps 100 characters alone."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.stem == "__main__" else program.name
    folder = _folder[0] if _folder else Path.cwd()
    start, shown = f"{name or 'python'}, process {os.getpid()}, in ", printable(str(folder))
    room = LONGEST - len(printable(start))
    return printable(start) + (shown if len(shown) <= room else f"…{shown[1 - room :]}")


def armed_here(url: str, change: int = 0) -> int:
    """For how many windows this process wants an exporter's close sampling, after ``change``."""
    with _changing:
        _armed[url] += change
        return _armed[url]


def holders_in(window: Window, leases: Iterable[Lease]) -> tuple[str, ...]:
    """Who else held a lease while the window lasted. What lingers after a lease's last window is
    nobody's measurement."""
    linger_ns = seconds_to_ns(LINGER_SECONDS)
    names = [
        printable(lease.holder) or UNNAMED
        for lease in leases
        if not is_own(lease.lease)
        and lease.start_ns < window.end_ns
        and lease.end_ns - linger_ns > window.start_ns
    ]
    return tuple(dict.fromkeys(names))
