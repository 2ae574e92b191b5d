"""Keeps what is measured away from what the service keeps for itself: keys, databases, logs.

Where it may mount, it covers them (``covers``), and Landlock keeps the covers in place. What is not
covered Landlock alone keeps away, which knows grants and no exceptions. So on the way down to each
such place every other file and folder is granted, and the folders on that way are not: what lies
directly in them can be used if it is there already, and nothing new can be made in them.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from wattmark_core.printable import printable
from wattmark_runner.worker import capabilities, covers, landlock
from wattmark_runner.worker.landlock import NotConfined, Syscall, system_call
from wattmark_runner.worker.mounts import Mounted, mounted, other_ways

SECRETS: Final = (Path("/run/secrets"), Path("/run/credentials"))
"""Where Docker, Kubernetes and systemd put them."""
COPIES: Final = ("-", ".", "~")
"""What stands after a file's name in the names of its copies, and of a database's other files."""
CACHES: Final = ("~/.keras", "~/.cache")
"""Folders that frameworks make for themselves when they first need them."""
CACHE_OF_CUDA: Final = "~/.nv"
UVM: Final = Path("/dev/nvidia-uvm")
MODPROBE_SECONDS: Final = 20.0


def confine(private: Iterable[Path], needed: Iterable[Path], syscall: Syscall = system_call) -> str:
    """Give up all files in ``private`` folders, those files and their copies, for good.

    Call it before threads are started. ``needed``: may be used even if they lie in a private
    folder. Returns what the run's record says of it: ``landlock 6``, or ``none: `` and the reason.
    Never raises: a run is better not confined, and says so, than not made.
    """
    try:
        abi = landlock.version(syscall)
        places = list(mounted())
        python = map(Path, (sys.prefix, sys.base_prefix, sys.executable, *sys.path))
        wanted = [path.resolve() for path in (Path.cwd(), *needed, *python)]
        secrets = (path for path in SECRETS if path.exists())
        hidden = hidden_places([*private, *secrets], wanted, places)
        _prepare(hidden)
        refused = hidden - covered(hidden, wanted)
        landlock.restrict(abi, [Path("/")], granted(refused, wanted), syscall)
        capabilities.give_up()
    except NotConfined as error:
        return f"none: {error}"
    except OSError as error:
        return f"none: {error.strerror}"
    _explain(hidden, refused)
    return f"landlock {abi}"


def hidden_places(
    private: Iterable[Path], wanted: Sequence[Path], mounts: Sequence[Mounted]
) -> frozenset[Path]:
    """The real paths of what is private, of its copies, and of where else it is mounted, but for
    ways that hold what is ``wanted``."""
    own = {place for path in private for place in _with_copies(path)}
    ways = {way for path in own for way in other_ways(path, mounts)}
    hidden = own | {path for path in ways if not _holds(path, wanted)}
    return frozenset(hidden - {Path("/")})


def covered(hidden: frozenset[Path], wanted: Sequence[Path]) -> frozenset[Path]:
    """Cover what can be; those of the private places that are out of reach by that."""
    chosen = covers.to_cover(hidden, wanted)
    if not covers.cover(chosen):
        return frozenset()
    return frozenset(path for path in hidden if any(map(path.is_relative_to, chosen)))


def granted(hidden: frozenset[Path], wanted: Iterable[Path]) -> Iterator[Path]:
    """All places that together are everything but what is hidden, and what is wanted of that; but
    what is itself hidden cannot be wanted."""
    yield from _beside(Path("/"), hidden)
    for path in wanted:
        if path not in hidden and any(path.is_relative_to(place) for place in hidden):
            yield from _beside(path, frozenset(place for place in hidden if _holds(path, [place])))


def _beside(top: Path, hidden: frozenset[Path]) -> Iterator[Path]:
    """``top`` itself if nothing beneath is hidden, else what lies beside the way to it.

    Links are no places: where they lead is."""
    around = {folder for path in hidden for folder in path.parents}
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        if folder not in around:
            yield folder
            continue
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                path = folder / entry.name
                if path not in hidden and not entry.is_symlink():
                    waiting.append(path)


def _with_copies(path: Path) -> Iterator[Path]:
    """A file's copies lie beside it: a database's journals, what it was before a change."""
    path = Path(os.path.realpath(path))
    yield path
    with contextlib.suppress(OSError):
        if not path.is_dir():
            starts = tuple(path.name + letter for letter in COPIES)
            yield from (other for other in path.parent.iterdir() if other.name.startswith(starts))


def _holds(folder: Path, places: Iterable[Path]) -> bool:
    return any(place.is_relative_to(folder) for place in places)


def _prepare(hidden: frozenset[Path]) -> None:
    """Make what could not be made any more."""
    around = {folder for path in hidden for folder in path.parents}
    gpu = os.environ.get("CUDA_VISIBLE_DEVICES")
    for name in (*CACHES, os.environ.get("KERAS_HOME", ""), CACHE_OF_CUDA if gpu else ""):
        folder = Path(os.path.expanduser(name))  # noqa: PTH111 - without a home it stays as it is
        if folder.is_absolute() and folder.parent.resolve() in around:
            with contextlib.suppress(OSError):
                folder.mkdir(exist_ok=True)
    # CUDA has a set-user-ID program make its device, which gains no rights any more.
    modprobe = shutil.which("nvidia-modprobe")
    if gpu and modprobe and not UVM.exists():
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run([modprobe, "-c0", "-u"], timeout=MODPROBE_SECONDS, check=False)  # noqa: S603 - as CUDA does


def _explain(hidden: frozenset[Path], refused: frozenset[Path]) -> None:
    """Into the run's log, for whoever wonders about "Permission denied". ``refused``: by Landlock
    alone."""
    places = ", ".join(sorted(printable(str(path)) for path in hidden if path.exists()))
    if not places:
        return
    folder = Path.cwd().resolve()
    text = f"wattmark: confined by Landlock; out of reach: {places}\n"
    if any(path.is_relative_to(folder) for path in refused):
        text += (
            f"wattmark: no new files directly in {printable(str(folder))}, where some of these lie;"
            " keep the data folder elsewhere (--data)\n"
        )
    sys.stderr.write(text)
    sys.stderr.flush()
