"""An exporter of a version to come: keys and values that nobody knows yet, at every level."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any, Final

from tests.serving import serving
from wattmark_core.catalogue import Domain, Method
from wattmark_core.clock import boot_id
from wattmark_core.codec import to_json
from wattmark_core.exporter_api import (
    BASE_HEADER,
    CURSOR_HEADER,
    LOST_HEADER,
    EnergySeries,
    HostReport,
    SensorReport,
    SensorState,
    TimeBase,
)

KNOWN: Final = EnergySeries(Domain.PACKAGE, "socket0", "rapl", Method.COUNTER, 0.001)
REPORT: Final = HostReport(
    "newhost", boot_id(), "i", 7,
    (
        SensorReport("rapl", SensorState.OK, 0.1, moving=True, constants=(("a", 1.0),),
                     energy=(KNOWN,)),
        SensorReport("battery", SensorState.OK, 1.0, reason="on mains"),
    ),
    "9.0",
)  # fmt: skip
"""What a reader of today makes of the newer exporter's report, but for the battery's state."""
LINES: Final = "energy,host=newhost,device=socket0 joules=1.0 5\n"


def newer(report: HostReport = REPORT) -> dict[str, Any]:
    """The report's JSON with an unknown key at every level, series of an unknown domain, method
    and state, and a sensor, the last, in an unknown state."""
    body: dict[str, Any] = to_json(report)
    first = body["sensors"][0]
    series = first["energy"][0]
    first["energy"] = [
        {**series, "domain": "npu", "device": "npu0"},
        {**series, "phases": 3},
        {**series, "method": "guessed", "device": "socket1"},
        {**series, "state": "drifting", "device": "socket2"},
    ]
    body["sensors"][-1]["state"] = "asleep"
    for sensor in body["sensors"]:
        sensor["serial"] = "x1"
    return {**body, "site": {"rack": 4}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        text = json.dumps(newer()) if self.path == "/sensors" else LINES
        self.send_response(200)
        self.send_header(CURSOR_HEADER, "i:9")
        self.send_header(LOST_HEADER, "0")
        self.send_header(BASE_HEADER, f"{TimeBase(boot_id(), 'i', 7)} tai")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def newer_exporter() -> Iterator[str]:
    """Its URL, while it serves."""
    with serving(_Handler) as address:
        yield address
