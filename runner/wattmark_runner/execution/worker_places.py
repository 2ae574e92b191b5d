"""What a worker gets of the service's surroundings: variables, files, and what is kept from it."""

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Self

from wattmark_runner.worker.protocol import Load
from wattmark_runner.workloads.config import PLACEHOLDER, Workload
from wattmark_store import Store
from wattmark_store.sqlite import SqliteStore

KEPT: Final = (
    "runner.sqlite", "store.sqlite", "logs", "runs", "spool", "exporter.log", "collector.log",
    "runner.log", "runner.lock", "targets.yml",
)  # fmt: skip
"""What the service and its command keep in a data folder."""
PASSED_ON: Final = frozenset({
    "CUDA_HOME", "GLIBC_TUNABLES", "HOME", "HTTPS_PROXY", "HTTP_PROXY", "LANG", "LD_LIBRARY_PATH",
    "LD_PRELOAD", "LOGNAME", "NO_PROXY", "PATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "TERM", "TMPDIR",
    "TZ", "USER", "VIRTUAL_ENV", "WATTMARK_CACHE", "http_proxy", "https_proxy", "no_proxy",
})  # fmt: skip
PASSED_ON_BEGINNINGS: Final = (
    "CUDA_", "JAX_", "KERAS_", "KMP_", "LC_", "MALLOC_", "MKL_", "NVIDIA_", "OMP_", "ONEDNN_",
    "OPENBLAS_", "PYTHON", "TF_", "TORCH_", "XDG_", "XLA_", "NUMEXPR_",
)  # fmt: skip
SECRET: Final = ("TOKEN", "SECRET", "PASS", "KEY", "CREDENTIAL", "AUTH")
WITH_PASSWORD: Final = re.compile(r"://[^/@\s]*:[^/@\s]*@")
"""A URL's user and password, as in a proxy's."""


def passed_on(name: str, value: str = "") -> bool:
    """Does a worker get this variable? What a framework needs, and nothing that looks secret."""
    if _secret(name) or WITH_PASSWORD.search(value):
        return False
    return name in PASSED_ON or name.startswith(PASSED_ON_BEGINNINGS)


def worker_environment(gpu: str) -> dict[str, str]:
    """What a worker needs of the parent's; the one GPU or none; and a quiet framework."""
    return {
        **{name: value for name, value in os.environ.items() if passed_on(name, value)},
        "CUDA_VISIBLE_DEVICES": gpu,
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
        "PYTHONUNBUFFERED": "1",
    }


def of_service(data: Path, *files: Path | None) -> tuple[Path, ...]:
    """What the service keeps for itself: its data folder, and files of keys and passwords.

    Where it was started in the data folder, or Python looks for modules there, what it keeps there
    is named one by one: the owner's programs lie beside it.
    """
    programs = {Path.cwd(), *(path.resolve() for path in _python_path())}
    own = [data / name for name in KEPT] if data.resolve() in programs else [data]
    return tuple(path.absolute() for path in (*own, *(file for file in files if file is not None)))


def of_store(store: Store) -> tuple[Path, ...]:
    """A store that is a file of this machine."""
    return (store.path.absolute(),) if isinstance(store, SqliteStore) else ()


class WorkerPlaces:
    """``private`` files and folders, and those of the service's own environment, are out of a
    worker's reach; ``needed`` ones it may use even if they lie in these. ``temporary``: where it
    keeps what does not last. ``close`` them when the worker is gone."""

    def __init__(
        self, private: Iterable[Path] = (), needed: Iterable[Path] = (),
        temporary: Path | None = None,
    ) -> None:  # fmt: skip
        self._private = [*private, *_named_in_environment()]
        self._needed = list(needed)
        self._temporary = temporary or Path(tempfile.gettempdir())
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    def of(cls, load: Load, private: Iterable[Path], workload: Workload | None = None) -> Self:
        """Of a worker that is to load that. What the configuration names it may use, whatever a
        request asks for. The folder of trained weights is made: a worker that may not reach the
        folder beside it cannot do so."""
        if load.cache:
            with contextlib.suppress(OSError):
                Path(load.cache).mkdir(parents=True, exist_ok=True)
        return cls(private, [*load.places, *_named_by(workload)])

    def as_argument(self) -> str:
        """For the worker's command line."""
        places = {"private": self._private, "needed": self._needed}
        return json.dumps({kind: [str(path) for path in paths] for kind, paths in places.items()})

    def environment(self) -> dict[str, str]:
        """Another folder for temporary files if the usual one holds something private: then nothing
        new can be made in it."""
        usual = self._temporary.resolve()
        if not any(path.resolve().is_relative_to(usual) for path in self._private):
            return {}
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(
                prefix="wattmark-", dir=usual, ignore_cleanup_errors=True
            )
        return {"TMPDIR": self._scratch.name}

    def close(self) -> None:
        """Remove what the worker left in its folder for temporary files."""
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None


def _named_by(workload: Workload | None) -> Iterator[Path]:
    """Files of the owner's command, as they stand in the configuration, and folders of modules."""
    if workload is not None:
        words = (word for word in workload.command if not PLACEHOLDER.search(word))
        yield from (Path(word) for word in words if os.path.isabs(word))  # noqa: PTH117 - a word
        yield from _python_path()


def _python_path() -> list[Path]:
    """Where Python is told to look for modules."""
    return [Path(name) for name in os.environ.get("PYTHONPATH", "").split(os.pathsep) if name]


def _secret(name: str) -> bool:
    return any(word in name.upper() for word in SECRET)


def _named_in_environment() -> Iterator[Path]:
    """Files and folders that a variable with the name of a secret leads to. A socket is none: who
    may connect to it is not decided by who may open it."""
    for name, value in os.environ.items():
        is_file = os.path.isfile(value) or os.path.isdir(value)  # noqa: PTH112, PTH113 - never raise
        if _secret(name) and is_file and os.path.isabs(value):  # noqa: PTH117 - the same
            yield Path(value)
