"""A load on a board: multiplications of matrices, by PyTorch, switched on and off."""

import importlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

_SIZE: Final = 4096


class NoLoad(Exception):
    """PyTorch is not there, or does not reach the board."""


def torch_for(index: int) -> Any:
    """PyTorch with the board. Raises ``NoLoad``."""
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        raise NoLoad("PyTorch is missing: pip install torch") from error
    if not torch.cuda.is_available() or index >= torch.cuda.device_count():
        raise NoLoad("PyTorch does not reach the GPU")
    return torch


@contextmanager
def square_load(index: int, period_seconds: float, duty: float) -> Iterator[list[float]]:
    """Work for ``duty`` of each period, as long as the block lasts; gives, as it goes, when work
    began and ended (``time.monotonic``). A duty of 1 is work without a pause. Raises ``NoLoad``."""
    torch = torch_for(index)
    device = f"cuda:{index}"
    matrix = torch.randn(_SIZE, _SIZE, device=device, dtype=torch.float16)
    stop, edges = threading.Event(), list[float]()
    worker = threading.Thread(
        target=_work, args=(torch, device, matrix, period_seconds, duty, stop, edges), daemon=True
    )
    worker.start()
    try:
        yield edges
    finally:
        stop.set()
        worker.join(timeout=10.0)


def _work(
    torch: Any, device: str, matrix: Any, period: float, duty: float, stop: threading.Event,
    edges: list[float],
) -> None:  # fmt: skip
    begin = time.monotonic()
    while not stop.is_set():
        edges.append(time.monotonic())
        while time.monotonic() < begin + duty * period and not stop.is_set():
            torch.mm(matrix, matrix)
            torch.cuda.synchronize(device)
        edges.append(time.monotonic())
        begin += period
        stop.wait(max(0.0, begin - time.monotonic()))
