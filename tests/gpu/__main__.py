"""``python -m tests.gpu``: what a real NVIDIA board's sensor does, as JSON, in at most 8 minutes.

Each measurement stands alone: one that fails is reported by its name, and the others go on. The
first ones need nvidia-ml-py alone, the exporter's psutil and prometheus-client, those with a load
PyTorch; what is missing is ``skipped`` with the reason. Send the file to whoever asks what your
board does. Exit status: 0, 1 if a measurement failed, 2 without a GPU.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("core", "exporters", "collector", "runner", "client", "cli")
LIMIT_SECONDS: Final = 480.0


@dataclass(frozen=True)
class Options:
    """What was asked for. ``deadline``: when all must be done, of ``time.monotonic``."""

    gpu: int
    seconds: float
    deadline: float

    @property
    def left_seconds(self) -> float:
        """Until the deadline."""
        return max(0.0, self.deadline - time.monotonic())


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu", description=__doc__)
    parser.add_argument("--gpu", type=int, default=0, metavar="INDEX", help="which board")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of a measurement")
    parser.add_argument("--limit", type=float, default=LIMIT_SECONDS, help="seconds for all")
    parser.add_argument("--only", default="", metavar="A,B", help="names of measurements")
    parser.add_argument("--output", type=Path, help="file for the JSON as well as stdout")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """The exit status."""
    options = parse(arguments)
    sys.path[:0] = [str(ROOT / room) for room in ROOMS]
    from tests.gpu.board import NoGpu, open_board

    try:
        board = open_board(options.gpu)
    except NoGpu as error:
        sys.stderr.write(f"no NVIDIA GPU to test: {error}\n")
        return 2
    from tests.gpu.measurements import MEASUREMENTS, Skipped

    chosen = [name for name in options.only.split(",") if name] or list(MEASUREMENTS)
    unknown = [name for name in chosen if name not in MEASUREMENTS]
    if unknown:
        sys.stderr.write(f"no measurement {unknown[0]!r}; there are {', '.join(MEASUREMENTS)}\n")
        return 64
    run = Options(options.gpu, options.seconds, time.monotonic() + options.limit)
    results: dict[str, Any] = {}
    for name in chosen:
        begin = time.monotonic()
        try:
            if not run.left_seconds:
                raise Skipped(f"the {options.limit:g} s were over")
            results[name] = {"state": "ok", **MEASUREMENTS[name](board, run)}
        except Skipped as reason:
            results[name] = {"state": "skipped", "reason": str(reason)}
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
            results[name] = {"state": "failed", "reason": f"{type(error).__name__}: {error}"}
        results[name]["took_seconds"] = round(time.monotonic() - begin, 1)
        sys.stderr.write(f"{name}: {results[name]['state']} {results[name].get('reason', '')}\n")
    _report({"board": board.about(), "machine": _machine(), "measurements": results},
            options.output)  # fmt: skip
    return int(any(result["state"] == "failed" for result in results.values()))


def _machine() -> dict[str, Any]:
    return {"python": platform.python_version(), "system": platform.platform(),
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}  # fmt: skip


def _report(report: dict[str, Any], output: Path | None) -> None:
    text = json.dumps(report, indent=2, default=str) + "\n"
    sys.stdout.write(text)
    if output is not None:
        output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
