"""``python -m benchmarks.simulated N``: N exporters in one process, a port each.

Each serves what a machine with two CPU sockets would: package and dram of both at 10 Hz, energy and
power, for Wattmark's collector; and the same series for Prometheus. Lines are made when they are
asked for, from the clock alone, so that the simulation costs little beside those who read it.
"""

import asyncio
import dataclasses
import json
import sys
import time
from collections.abc import Iterator
from typing import Final

from benchmarks.feeder import Answer, handler
from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import (
    CURSOR_HEADER,
    LOST_HEADER,
    EnergySeries,
    HostReport,
    SensorReport,
    SensorState,
)

PERIOD_NS: Final = 100_000_000
SERIES: Final = tuple((domain, f"socket{n}") for n in (0, 1) for domain in ("package", "dram"))
VALUES_PER_TICK: Final = len(SERIES) * 4
"""joules, epoch and uncertainty of the energy, and watts."""
RING_TICKS: Final = 6000
BOOT: Final = "0e5a2ad2-7d3f-4e44-9f0e-000000000000"


class Simulated:
    """One exporter of two CPU sockets."""

    def __init__(self, number: int, start_ns: int) -> None:
        self._host = f"simulated{number:03}"
        self._start_ns = start_ns
        self._instance = f"i{number}"
        tags = [
            f"device={device},domain={domain},host={self._host},method=counter,source=rapl"
            for domain, device in SERIES
        ]
        self._energy = [f"energy,{text} joules=" for text in tags]
        self._power = [f"power,{text} watts=" for text in tags]
        self._epoch = start_ns // 1_000_000

    def answer(self, target: str, _: bytes) -> Answer:
        """To a request for a path."""
        kind, headers, text = self._content(target)
        return 200, {"Content-Type": kind, **headers}, text.encode()

    def _content(self, target: str) -> tuple[str, dict[str, str], str]:
        path, _, query = target.partition("?")
        if path == "/samples":
            return self._samples(query.removeprefix("after=").replace("%3A", ":"))
        if path == "/sensors":
            report = json.dumps(dataclasses.asdict(self._report()))
            return "application/json", {}, report
        if path == "/metrics":
            return "text/plain; version=0.0.4", {}, "".join(self._page())
        return "text/plain", {}, "ok\n"

    def _tick(self) -> int:
        return (time.time_ns() - self._start_ns) // PERIOD_NS

    def _samples(self, cursor: str) -> tuple[str, dict[str, str], str]:
        last = self._tick()
        instance, _, number = cursor.rpartition(":")
        first = int(number) + 1 if instance == self._instance else last
        oldest = max(first, last - RING_TICKS)
        headers = {CURSOR_HEADER: f"{self._instance}:{last}", LOST_HEADER: str(oldest - first)}
        return "text/plain", headers, "".join(self._lines(oldest, last + 1))

    def _lines(self, first: int, end: int) -> Iterator[str]:
        for tick in range(first, end):
            time_ns = self._start_ns + tick * PERIOD_NS
            for energy, power in zip(self._energy, self._power, strict=True):
                yield (
                    f"{energy}{tick * 3.5 + 0.25},epoch={self._epoch}i,uncertainty_seconds=0.0005"
                    f" {time_ns}\n{power}{35 + tick % 7} {time_ns}\n"
                )

    def _page(self) -> Iterator[str]:
        tick = self._tick()
        for domain, device in SERIES:
            labels = f'{{domain="{domain}",device="{device}",source="rapl",method="counter"}}'
            yield f"wattmark_energy_joules_total{labels} {tick * 3.5 + 0.25}\n"
            yield f"wattmark_energy_epoch{labels} {self._epoch}\n"
            yield f"wattmark_energy_uncertainty_seconds{labels} 0.0005\n"
            yield f"wattmark_power_watts{labels} {35 + tick % 7}\n"

    def _report(self) -> HostReport:
        energy = tuple(
            EnergySeries(Domain(domain), device, "rapl", Method.COUNTER, 0.001)
            for domain, device in SERIES
        )
        sensor = SensorReport("rapl", SensorState.OK, 0.1, energy=energy)
        return HostReport(self._host, BOOT, self._instance, 0, (sensor,))


async def serve(count: int) -> None:
    """Listen for ever; prints READY and the ports."""
    start_ns = time.time_ns() // PERIOD_NS * PERIOD_NS
    servers = []
    for number in range(count):
        exporter = Simulated(number, start_ns)
        servers.append(await asyncio.start_server(handler(exporter.answer), "127.0.0.1", 0))
    ports = ",".join(str(server.sockets[0].getsockname()[1]) for server in servers)
    sys.stdout.write(f"READY {ports}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
