"""Reads a PyTorch checkpoint's tensors without PyTorch, and without running what it may hold.

A checkpoint is a pickle that refers to storages: in a ZIP archive (``archive/data.pkl``, since
PyTorch 1.6) or, before that, in one file: magic number, protocol, system, the pickle, the storages'
keys, and per storage its count (int64) and its values (``torch/serialization.py``).
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from wattmark_core.errors import ConfigurationError
from wattmark_core.regular_file import require_regular

MAGIC: Final = 0x1950A86A20F9469CFC6C
TYPES: Final[dict[str, str]] = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8",
    "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1",
    "BoolStorage": "?",
}  # fmt: skip
Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view of a storage, whose values come after the pickle."""

    storage: str
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def of(self, storages: Mapping[str, Array]) -> Array:
        values = storages[self.storage]
        last = self.offset + sum(
            (length - 1) * step for length, step in zip(self.size, self.stride, strict=True)
        )
        if min((self.offset, *self.size, *self.stride)) < 0 or last >= len(values) + (
            prod(self.size) == 0
        ):
            raise ValueError("a tensor reaches beyond its storage")
        steps = tuple(step * values.itemsize for step in self.stride)
        view = np.lib.stride_tricks.as_strided(values[self.offset :], self.size, steps)
        return view.copy()


class _Reader(pickle.Unpickler):
    """Knows tensors and dictionaries, and refuses every other thing that a pickle may name."""

    def __init__(self, file: io.BufferedIOBase) -> None:
        super().__init__(file, encoding="latin1")
        self.kinds: dict[str, str] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in TYPES:
            return TYPES[name]
        raise pickle.UnpicklingError(f"it holds {module}.{name}, which is no tensor")

    def persistent_load(self, pid: Any) -> str:
        kind, dtype, key, _, _, *_ = pid
        if kind != "storage" or dtype not in TYPES.values():
            raise pickle.UnpicklingError(f"it refers to {kind!r}, which is no storage")
        self.kinds[str(key)] = dtype
        return str(key)


def _rebuild(storage: str, offset: int, size: Any, stride: Any, *_: object) -> _Tensor:
    return _Tensor(storage, int(offset), tuple(map(int, size)), tuple(map(int, stride)))


def read_checkpoint(path: Path) -> dict[str, Array]:
    """Name → tensor, in the file's order. Raises ``ConfigurationError``."""
    try:
        require_regular(path)
        read: Callable[[Path], dict[str, Array]]
        read = _zipped if zipfile.is_zipfile(path) else _legacy
        return read(path)
    except MemoryError:
        raise
    except Exception as error:  # a damaged pickle or archive raises what it likes
        raise ConfigurationError(f"{path.name} is no checkpoint of tensors: {error}") from error


def _zipped(path: Path) -> dict[str, Array]:
    with zipfile.ZipFile(path) as archive:
        (data,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        root = data.removesuffix("data.pkl")
        reader = _Reader(io.BytesIO(archive.read(data)))
        loaded = reader.load()
        storages = {
            key: np.frombuffer(archive.read(f"{root}data/{key}"), dtype)
            for key, dtype in reader.kinds.items()
        }
    return _tensors(loaded, storages)


def _legacy(path: Path) -> dict[str, Array]:
    with path.open("rb") as file:
        if _Reader(file).load() != MAGIC:
            raise ValueError("another magic number")
        for _ in ("protocol", "system"):
            _Reader(file).load()
        reader = _Reader(file)
        loaded = reader.load()
        storages = {key: _storage(file, reader.kinds[key]) for key in _Reader(file).load()}
    return _tensors(loaded, storages)


def _storage(file: io.BufferedIOBase, dtype: str) -> Array:
    (count,) = np.frombuffer(file.read(8), "<i8")
    return np.frombuffer(file.read(int(count) * np.dtype(dtype).itemsize), dtype, int(count))


def _tensors(loaded: Any, storages: Mapping[str, Array]) -> dict[str, Array]:
    if not isinstance(loaded, dict):
        raise TypeError("it holds no dictionary")
    return {name: tensor.of(storages) for name, tensor in loaded.items()}
