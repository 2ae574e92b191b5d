"""``python -m tests.soak``: see the package."""

import argparse
import contextlib
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.influxdb.local import running
from tests.soak import clients
from tests.soak.account import Entry, account
from tests.soak.faults import FAULTS, inflict
from tests.soak.parts import House

HOUR: Final = 3600.0
MINUTE: Final = 60.0
DISK_BYTES: Final = 256 * 1024 * 1024
FIGURES: Final = Path(__file__).parents[2] / "docs/figures/soak.md"


def main(arguments: Sequence[str]) -> int:
    """Run the soak; 1 if the account does not balance."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=HOUR,
                        help="how long clients work (default: %(default)g)")  # fmt: skip
    parser.add_argument("--every", type=float, default=MINUTE,
                        help="seconds between faults (default: %(default)g)")  # fmt: skip
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="wattmark-soak-") as name:
        folder = Path(name)
        (folder / "influxd").mkdir()
        server = running(folder / "influxd")
        influxd = next(server)
        influxd.make_databases()
        try:
            with _disk(folder / "disk"):
                return _soak(House(folder, influxd), options.seconds, options.every)
        finally:
            server.close()


def _soak(house: House, seconds: float, every: float) -> int:
    house.make()
    told, stop = clients.Told(), threading.Event()
    threads = clients.start(house, told, stop)
    try:
        _inflict_all(house, seconds, every)
        stop.set()
        for thread in threads:
            thread.join(60)
        _say("clients are gone; waiting until all runs have ended")
        entries = account(house, told)
    finally:
        stop.set()
        with contextlib.suppress(Exception):
            house.each(lambda part: part.end())
    rows = [("✓" if entry.good else "✗", entry.what, entry.found) for entry in entries]
    _say("\n".join(f"{mark} {what}: {found}" for mark, what, found in rows))
    if seconds >= HOUR:
        _keep(house, told, entries, seconds)
    return 0 if all(entry.good for entry in entries) else 1


def _inflict_all(house: House, seconds: float, every: float) -> None:
    """A fault at a time, each in its turn, all through the time."""
    began = time.monotonic()
    names = list(FAULTS)
    number = 0
    while (elapsed := time.monotonic() - began) < seconds:
        due = (number + 1) * every
        if elapsed < due:
            time.sleep(min(due - elapsed, seconds - elapsed))
            continue
        name = names[number % len(names)]
        number += 1
        _say(f"{elapsed:6.0f} s  {name}")
        inflict(name, house)


@contextlib.contextmanager
def _disk(path: Path) -> Iterator[None]:
    """A disk of 256 MiB of its own, which needs root: filling another would harm others."""
    path.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(path)], check=True
    )
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=False)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _keep(house: House, told: clients.Told, entries: Sequence[Entry], seconds: float) -> None:
    """The account, with its conditions, to be committed."""
    faults = Counter(name for name, _, _ in house.outages)
    lines = [
        "# An hour under faults", "",
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, `make soak`, {seconds:g} s;"
        f" {os.cpu_count()} CPUs, Linux {platform.release()}, Python"
        f" {platform.python_version()}, InfluxDB 1.6. {clients.ALL_CLIENTS} clients,"
        f" {sum(told.answers.values()):,} answers, {len(told.runs):,} runs and"
        f" {len(told.opened):,} windows of theirs; faults:"
        f" {', '.join(f'{name} {count} ×' for name, count in faults.items())}.",
        "", "| | at the end | found |", "| --- | --- | --- |",
        *(f"| {'✓' if e.good else '✗'} | {e.what} | {e.found} |" for e in entries), "",
    ]  # fmt: skip
    FIGURES.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
