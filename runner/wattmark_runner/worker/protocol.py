"""The messages between parent and worker: JSON lines, one message each.

Commands go to the worker's standard input, its messages come back on a pipe of their own, because
a framework prints to standard output. All instants are raw CLOCK_BOOTTIME ns; the parent adds the
exporter's offset. Closing the worker's standard input ends it.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

CPU_QUOTA: Final = "cpu_quota"
"""The fact of ``Loaded.environment`` that says that there is a CPU quota, and which."""


@dataclass(frozen=True, slots=True)
class Load:
    """Make ready what is to be measured: ``builtin``, ``files``, ``entry_point`` or ``command``.

    *Built-in*: data, weights (trained if there are none in ``cache``), graph; ``data_root`` holds
    Fashion-MNIST's IDX files. *Files*: an architecture of Keras on a data set of that ``kind``,
    ``path`` and ``labels``, with the file of its ``weights``. *Entry point*:
    ``package.module:callable``. *Command*: a program and its arguments. ``gpu`` is the UUID that
    the parent has put into CUDA_VISIBLE_DEVICES, empty for the CPU. ``memory_bytes`` limits the
    data of each process.
    """

    builtin: str
    model: str
    parameters: dict[str, str | int | float | bool]
    cache: str
    data_root: str
    gpu: str = ""
    entry_point: str = ""
    command: list[str] = field(default_factory=list)
    memory_bytes: int | None = None
    files: dict[str, str] = field(default_factory=dict)

    @property
    def places(self) -> list[Path]:
        """The files and folders that it names."""
        named = (self.files.get(name, "") for name in ("path", "labels", "weights"))
        return [Path(place).absolute() for place in (self.cache, self.data_root, *named) if place]


@dataclass(frozen=True, slots=True)
class Measure:
    """Warm up, then ``repeats`` windows of at least ``seconds``, a guard on both sides of each."""

    repeats: int
    seconds: float
    guard_seconds: float
    warmup_seconds: float


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker's process runs and listens."""

    pid: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know, such as another test set than the one asked for."""

    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """How far a slow step is: ``import``, ``data``, ``train``, ``load``, ``warmup``, ``measure``.

    ``fraction`` 0 to 1.
    """

    stage: str
    fraction: float


@dataclass(frozen=True, slots=True)
class Trained:
    """The weights were trained and saved; a fresh worker is to measure them."""

    workload: str
    model: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """All is ready. ``workload`` is the built-in test set really in use; None: unknown."""

    workload: str
    test_images: int | None
    parameters: int | None
    macs: int | None
    environment: dict[str, str]


@dataclass(frozen=True, slots=True)
class EdgeReached:
    """A window begins (``opening``) or has ended; sent at once so that a sample can be forced."""

    phase: str
    repeat: int
    opening: bool
    time_ns: int


@dataclass(frozen=True, slots=True)
class PhaseEnd:
    """A window that is over: ``inferences`` done in it, CPU time of all that did them.

    ``cpu_seconds`` None: not known. ``throttled_seconds``: CPU time for which a quota held them
    back; None: there is no quota, or it is not known. ``pause_seconds``: by how much the longest of
    the calls that the window is made of was longer than the usual one; None: there are too few to
    say, or it is not known. ``stopped_seconds``: how long a signal had stopped a program that the
    worker started.
    """

    phase: str
    repeat: int
    start_ns: int
    end_ns: int
    inferences: int
    cpu_seconds: float | None
    throttled_seconds: float | None = None
    pause_seconds: float | None = None
    stopped_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Done:
    """All windows are over. ``correct``: per measured window, of the predictions made in it.

    None: nobody compared them. What became known on the way replaces that of ``Loaded``.
    """

    correct: list[int | None]
    accuracy: float | None
    test_images: int | None = None
    parameters: int | None = None
    macs: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The worker cannot go on: one line."""

    reason: str


Command = Load | Measure
WorkerMessage = Ready | Notice | Step | Trained | Loaded | EdgeReached | PhaseEnd | Done | Failed

_KINDS: Final[dict[str, type[Any]]] = {
    kind.__name__.lower(): kind
    for kind in (
        Load, Measure, Ready, Notice, Step, Trained, Loaded, EdgeReached, PhaseEnd, Done, Failed,
    )
}  # fmt: skip


def encode(message: Command | WorkerMessage) -> bytes:
    """One line, line feed included."""
    body = {"kind": type(message).__name__.lower(), **asdict(message)}
    return json.dumps(body).encode() + b"\n"


def decode(line: bytes) -> Any:
    """The message of one line. Raises ``ValueError`` or ``TypeError`` if it is none of ours."""
    body = json.loads(line)
    if not isinstance(body, dict) or body.get("kind") not in _KINDS:
        raise ValueError(f"not a message: {line[:80]!r}")
    return _KINDS[body.pop("kind")](**body)
