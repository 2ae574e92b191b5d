"""What happens to the parts, one after the other: killed, stopped, filled, damaged, besieged."""

import contextlib
import os
import random
import signal
import socket
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from tests.soak.parts import House

AWAY_SECONDS: Final = 4.0
FULL_SECONDS: Final = 8.0
FLOOD_BYTES: Final = 10 * 1024 * 1024
Fault = Callable[[House], None]


def killed(name: str) -> Fault:
    """The part is killed, and started again after some seconds."""

    def fault(house: House) -> None:
        part = house.parts[name]
        part.end(signal.SIGKILL)
        time.sleep(AWAY_SECONDS)
        part.start()

    return fault


def stopped(name: str) -> Fault:
    """The part does nothing for some seconds, and goes on."""

    def fault(house: House) -> None:
        house.parts[name].send(signal.SIGSTOP)
        time.sleep(AWAY_SECONDS)
        house.parts[name].send(signal.SIGCONT)

    return fault


def store_ended(house: House) -> None:
    """InfluxDB is ended and started again."""
    house.influxd.stop()
    time.sleep(AWAY_SECONDS)
    house.influxd.start()


def store_stopped(house: House) -> None:
    """InfluxDB takes connections and does not answer."""
    process = house.influxd.processes[-1]
    process.send_signal(signal.SIGSTOP)
    time.sleep(AWAY_SECONDS)
    process.send_signal(signal.SIGCONT)


def worker_killed(house: House) -> None:
    """The measured program, where one runs."""
    about = house.parts["runner"].about()
    for child in about.children(recursive=True) if about else []:
        with contextlib.suppress(Exception):
            child.kill()


def disk_filled(house: House) -> None:
    """Not a byte more for the runner's records, its logs and the spool."""
    filling = house.disk / "filling"
    with contextlib.suppress(OSError), filling.open("wb", buffering=0) as stream:
        while True:
            stream.write(bytes(1 << 20))
    with contextlib.suppress(OSError), filling.open("ab", buffering=0) as stream:
        while True:
            stream.write(b"0")
    time.sleep(FULL_SECONDS)
    filling.unlink()


def spool_damaged(house: House) -> None:
    """The last bytes of the spool's newest file are not what the killed collector wrote."""
    collector = house.parts["collector"]
    collector.end(signal.SIGKILL)
    files = [path for path in house.spool.rglob("*") if path.is_file()]
    if files:
        newest = max(files, key=lambda path: path.stat().st_mtime_ns)
        size = newest.stat().st_size
        os.truncate(newest, max(0, size - random.randrange(1, 12)))  # noqa: S311 - no secret
    collector.start()


def besieged(house: House) -> None:
    """Every listener gets headers without end, and connections that say nothing."""
    for url in (house.exporter_url, house.collector_url, house.runner_url):
        parts = urlsplit(url)
        address = parts.hostname or "", parts.port or 0
        silent = []
        for _ in range(100):
            with contextlib.suppress(OSError):
                silent.append(socket.create_connection(address, 1.0))
        with contextlib.suppress(OSError), socket.create_connection(address, 1.0) as flood:
            flood.settimeout(1.0)
            flood.sendall(b"GET / HTTP/1.1\r\n")
            for _ in range(FLOOD_BYTES // 4096):
                flood.sendall(b"x-" + b"a" * 4080 + b": 1\r\n")
        for each in silent:
            each.close()


FAULTS: Final[dict[str, Fault]] = {
    "runner killed": killed("runner"),
    "exporter stopped": stopped("exporter"),
    "collector killed": killed("collector"),
    "disk filled": disk_filled,
    "store ended": store_ended,
    "worker killed": worker_killed,
    "exporter killed": killed("exporter"),
    "spool damaged": spool_damaged,
    "runner stopped": stopped("runner"),
    "listeners besieged": besieged,
    "collector stopped": stopped("collector"),
    "store stopped": store_stopped,
}


def inflict(name: str, house: House) -> None:
    """Carry out a fault, and note when it was."""
    began = time.clock_gettime(time.CLOCK_BOOTTIME)
    FAULTS[name](house)
    house.outages.append((name, began, time.clock_gettime(time.CLOCK_BOOTTIME)))
