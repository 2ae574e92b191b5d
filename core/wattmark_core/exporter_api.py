"""The exporter's HTTP contract as its clients see it: collector and runner.

``GET /samples?after=CURSOR`` line protocol, next cursor and losses in headers; ``POST /sample``
reads the energy sensors now; ``POST /arm?seconds=N&lease=ID&holder=NAME`` a lease of close
sampling, which ``seconds=0`` ends; ``GET /sensors`` the host, its time base, the state of every
sensor and who holds leases; ``GET /healthz``; ``GET /metrics``.
"""

import http.client
import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote, urlsplit

from wattmark_core.catalogue import Domain, Method
from wattmark_core.codec import from_json
from wattmark_core.errors import ConfigurationError, ExporterError
from wattmark_core.http_answer import MOST_BYTES, check_answer
from wattmark_core.http_client import connection_to
from wattmark_core.net import read_token
from wattmark_core.printable import printable_document, quoted

CURSOR_HEADER: Final = "X-Wattmark-Cursor"
LOST_HEADER: Final = "X-Wattmark-Lost"
BASE_HEADER: Final = "X-Wattmark-Base"
TIME_HEADER: Final = "X-Wattmark-Time"
"""The exporter's wall clock when it answered, Unix ns: how far its clock is off."""
ALL_KEYS: Final = "application/json;keys=all"
"""What a reader of ``/sensors`` accepts that leaves out keys that it does not know. Commit
9ca66c9's refused them, and so gets those of its day alone."""
DEFAULT_PORT: Final = 9109


class SensorState(StrEnum):
    """Three outcomes, not two. A newer exporter's fourth keeps its text and equals none of them,
    so that its sensor is shown, and counts as one that gives no energy."""

    OK = "ok"
    ABSENT = "absent"
    FAILED = "failed"

    @classmethod
    def _missing_(cls, value: object) -> "SensorState | None":
        if not isinstance(value, str):
            return None
        state = str.__new__(cls, value)
        state._name_ = state._value_ = value
        return state


@dataclass(frozen=True, slots=True)
class EnergySeries:
    """An energy counter that an exporter offers, and what is known of the sensor behind it.

    ``update_period_seconds`` T and ``averaging_seconds`` w of the sensor; ``coverage_ratio`` the
    share of time that it sees; ``limit_watts`` the most that the device may draw, where known.
    ``label`` names the device for people. ``state`` FAILED: lost since the start.
    ``interval_seconds``: how often it is read when no lease asks for more. ``moving``: its joules
    advance; False: they stand still while the machine works, so that another source counts in its
    place; None: too early to say.
    """

    domain: Domain
    device: str
    source: str
    method: Method
    update_period_seconds: float
    averaging_seconds: float = 0.0
    coverage_ratio: float = 1.0
    limit_watts: float | None = None
    label: str = ""
    state: SensorState = SensorState.OK
    note: str = ""
    interval_seconds: float = 0.1
    moving: bool | None = field(default=None, metadata={"added": True, "exclude": True})

    @property
    def tags(self) -> dict[str, str]:
        """The tags of its samples, without the host."""
        return {"domain": self.domain, "device": self.device, "source": self.source,
                "method": self.method}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SensorReport:
    """State of one sensor. ``found``: its hardware is there, though perhaps not usable.
    ``moving``: its values advanced since it started (None: too early). ``note``: what a reader
    should know though the sensor is ok: ``2 of 3 zones: …``, what of its input is left out."""

    name: str
    state: SensorState
    interval_seconds: float
    reason: str = ""
    remedy: str = ""
    found: bool = True
    moving: bool | None = None
    taken: int = 0
    due: int = 0
    constants: tuple[tuple[str, float], ...] = ()
    energy: tuple[EnergySeries, ...] = ()
    note: str = field(default="", metadata={"added": True})


@dataclass(frozen=True, slots=True)
class Lease:
    """Close sampling that a client asked for: somebody measured from ``start_ns`` to ``end_ns``
    (Unix ns on the exporter's time base), or still does where that lies ahead.

    ``lease`` is the client's own name for it, the same for all that one process asks for;
    ``holder`` says to people who that is. Both are empty for a client that does not say.
    """

    lease: str
    holder: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class HostReport:
    """What ``GET /sensors`` returns: whose exporter it is, its time base, its sensors, and the
    ``leases`` of the last ten minutes.

    A key is added to these dataclasses by one line, a field with a default and the metadata
    ``added``: older exporters lack it, and the oldest readers do not get it (``report_json.py``).
    ``exclude``: REST leaves it out of a run's record.
    """

    host: str
    boot_id: str
    instance: str
    offset_ns: int
    sensors: tuple[SensorReport, ...]
    version: str = ""
    leases: tuple[Lease, ...] = field(default=(), metadata={"added": True})

    @property
    def energy(self) -> tuple[EnergySeries, ...]:
        """All energy series of all sensors."""
        return tuple(series for sensor in self.sensors for series in sensor.energy)


@dataclass(frozen=True, slots=True)
class TimeBase:
    """The exporter that stamps the samples, and what it adds to CLOCK_BOOTTIME, ns.

    Between two that differ its counters were reset.
    """

    boot_id: str
    instance: str
    offset_ns: int

    def __str__(self) -> str:
        return f"{self.boot_id} {self.instance} {self.offset_ns}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the header; words after the third are a newer exporter's. Raises ``ValueError``
        if it is none."""
        boot_id, instance, offset = text.split()[:3]
        return cls(boot_id, instance, int(offset))


@dataclass(frozen=True, slots=True)
class SamplesPage:
    """A page of ``GET /samples``: lines, the cursor to go on from, and how many were lost."""

    text: str
    cursor: str
    lost: int


class ExporterClient:
    """One kept connection to one exporter; reconnects by itself. Not thread-safe.

    ``url`` is ``http://host:port`` or ``https://…`` (then ``ca_file`` may name the CA);
    ``token_file`` holds a bearer token. Raises ``ExporterError`` when the exporter cannot be
    reached or refuses, ``ConfigurationError`` for an unusable URL.
    """

    def __init__(
        self, url: str, *, timeout_seconds: float = 5.0,
        token_file: Path | None = None, ca_file: Path | None = None,
    ) -> None:  # fmt: skip
        wrong = f"exporter URL {quoted(url)} is not http://HOST:PORT or https://HOST:PORT"
        try:
            parts = urlsplit(url)
            port = parts.port or DEFAULT_PORT
        except ValueError as error:
            raise ConfigurationError(f"{wrong} ({error})") from error
        if parts.scheme not in {"http", "https"} or parts.hostname is None:
            raise ConfigurationError(wrong)
        self.url = url.rstrip("/")
        self._token_file = token_file
        self._connection = connection_to(
            parts.scheme, parts.hostname, port, timeout_seconds=timeout_seconds, ca_file=ca_file
        )

    def samples(self, after: str = "") -> SamplesPage:
        """The lines since cursor ``after`` (empty: the whole ring)."""
        response, body = self._request("GET", f"/samples?after={quote(after)}")
        lost = response.headers.get(LOST_HEADER, "")
        return SamplesPage(
            body.decode("utf-8", "surrogateescape"),
            response.headers.get(CURSOR_HEADER, ""),
            int(lost) if re.fullmatch(r"[0-9]{1,18}", lost) else 0,
        )

    def sample_now(self) -> TimeBase:
        """Read the energy sensors now; the samples arrive by way of the collector.

        Raises ``ValueError`` if the answer does not name the time base.
        """
        response, _ = self._request("POST", "/sample")
        return TimeBase.parse(response.headers.get(BASE_HEADER, ""))

    def arm(self, seconds: float, *, lease: str = "", holder: str = "") -> None:
        """Ask for close sampling during the next ``seconds`` s; 0 ends this ``lease``, and no
        other's. ``holder`` tells people who asks."""
        named = f"&lease={quote(lease)}&holder={quote(holder)}" if lease else ""
        self._request("POST", f"/arm?seconds={seconds:g}{named}")

    def sensors(self) -> HostReport:
        """The host, its time base and its sensors, printable; what a newer exporter adds is left
        out."""
        _, body = self._request("GET", "/sensors")
        try:
            return from_json(HostReport, printable_document(json.loads(body)))
        except (ValueError, TypeError, RecursionError) as error:
            raise ExporterError(
                f"{self.url}/sensors is not the report of a Wattmark exporter: {error}"
            ) from error

    def close(self) -> None:
        """Close the connection; a later call opens it again."""
        self._connection.close()

    def _request(self, method: str, path: str) -> tuple[http.client.HTTPResponse, bytes]:
        headers = {"Accept": ALL_KEYS} if path == "/sensors" else {}
        if self._token_file is not None:
            # Read for each request, so that it can be changed.
            headers["Authorization"] = f"Bearer {read_token(self._token_file, 'token file')}"
        for attempt in (1, 2):  # a kept connection may have been closed by the other side
            try:
                self._connection.request(method, path, headers=headers)
                response = self._connection.getresponse()
                body = response.read(MOST_BYTES + 1)
                break
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                if attempt == 2 or isinstance(error, TimeoutError | ConnectionRefusedError):
                    raise ExporterError(
                        f"no exporter answers at {self.url} ({error}); start wattmark-exporter"
                        " there or correct the address"
                    ) from error
        if len(body) > MOST_BYTES:  # the rest of it is still to come
            self._connection.close()
        check_answer(f"exporter {self.url}", f"{method} {path}", response, body)
        return response, body


@dataclass(frozen=True, slots=True)
class ExporterAddress:
    """An exporter's URL, and what it takes to be let in."""

    url: str
    token_file: Path | None = None
    ca_file: Path | None = None

    def __str__(self) -> str:
        return self.url

    @classmethod
    def of(cls, exporter: "str | ExporterAddress") -> "ExporterAddress":
        """A bare URL is an address without token and CA."""
        return exporter if isinstance(exporter, ExporterAddress) else cls(exporter)

    def client(self, timeout_seconds: float = 5.0) -> ExporterClient:
        """Raises ``ConfigurationError`` for an unusable URL."""
        return ExporterClient(
            self.url, timeout_seconds=timeout_seconds, token_file=self.token_file,
            ca_file=self.ca_file,
        )  # fmt: skip
