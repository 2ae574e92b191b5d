"""An exporter whose report and samples a test sets."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from threading import Thread
from typing import ClassVar, Self
from urllib.parse import parse_qs, urlsplit

from wattmark_core.clock import Clock, SystemClock
from wattmark_core.exporter_api import (
    BASE_HEADER,
    CURSOR_HEADER,
    LOST_HEADER,
    TIME_HEADER,
    HostReport,
    Lease,
    TimeBase,
)
from wattmark_core.report_json import report_json
from wattmark_core.testing.http_server import HttpHandler, HttpServer
from wattmark_core.units import seconds_to_ns

POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Armed:
    """A request for close sampling; without a lease's name its client is of before there were."""

    seconds: float
    lease: str = ""
    holder: str = ""


class FakeExporter(HttpServer):
    """Serves ``/sensors``, ``/samples``, ``/sample`` and ``/arm`` on a free port of loopback, as
    ``exporter_api`` says; ``with`` it.

    ``report`` is its answer to ``/sensors`` and names the time base; ``lines`` is its ring, the
    first line number 1. Both may be changed at any time. ``lost``: how many samples it reports as
    lost. ``clock``: its wall clock; without one it does not state its time. ``requests``: those
    that it got, as ``"GET /sensors"``. ``arms``: those of close sampling among them, whose leases
    its report has beside those of ``report``; ``leasing`` False: it is of before there were leases.
    """

    program: ClassVar[str] = "wattmark-fake-exporter"

    def __init__(
        self, report: HostReport, lines: Iterable[str] = (), *, lost: int = 0,
        clock: Clock | None = None, leasing: bool = True,
    ) -> None:  # fmt: skip
        super().__init__("127.0.0.1", 0, _Handler)
        self.report = report
        self.lines = list(lines)
        self.lost = lost
        self.clock = clock
        self.leasing = leasing
        self.requests: list[str] = []
        self.arms: list[Armed] = []
        self._leases: dict[str, Lease] = {}
        self._thread = Thread(target=self.serve_forever, args=(POLL_SECONDS,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def arm(self, armed: "Armed") -> None:
        """Note a lease; 0 s end it."""
        self.arms.append(armed)
        if not armed.lease:
            return
        now_ns = SystemClock().boottime_ns() + self.report.offset_ns
        lease = self._leases.get(armed.lease)
        if lease is None or lease.end_ns < now_ns:
            lease = Lease(armed.lease, armed.holder, now_ns, now_ns)
        end_ns = now_ns + seconds_to_ns(armed.seconds)
        self._leases[armed.lease] = replace(lease, end_ns=end_ns)

    def sensors(self, accept: str) -> str:
        """The report with its leases, as JSON."""
        leases = (*self.report.leases, *self._leases.values())
        body = report_json(replace(self.report, leases=leases), accept)
        if not self.leasing:
            body.pop("leases", None)
        return json.dumps(body)

    def after(self, cursor: str) -> str:
        """The text of the lines after a cursor; all of them for that of another instance."""
        instance, _, number = cursor.rpartition(":")
        first = int(number) if instance == self.report.instance else 0
        return "".join(f"{line}\n" for line in self.lines[first:])


class _Handler(HttpHandler):
    server: FakeExporter
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        fake, report = self.server, self.server.report
        fake.requests.append(f"{self.command} {self.path}")
        url = urlsplit(self.path)
        body, status = "", 200
        if url.path == "/sensors":
            body = fake.sensors(self.headers.get("Accept", ""))
        elif url.path == "/samples":
            body = fake.after(parse_qs(url.query).get("after", [""])[0])
        elif url.path == "/arm":
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            fake.arm(
                Armed(float(asked["seconds"]), asked.get("lease", ""), asked.get("holder", ""))
            )
        elif url.path != "/sample":
            body, status = "no such path\n", 404
        encoded = body.encode()
        base = TimeBase(report.boot_id, report.instance, report.offset_ns)
        self.send_response(status)
        self.send_header(CURSOR_HEADER, f"{report.instance}:{len(fake.lines)}")
        self.send_header(LOST_HEADER, str(fake.lost))
        self.send_header(BASE_HEADER, str(base))
        if fake.clock is not None:
            self.send_header(TIME_HEADER, str(fake.clock.realtime_ns()))
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)
