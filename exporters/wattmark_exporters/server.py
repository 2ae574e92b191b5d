"""The exporter's HTTP server: standard library only, one thread per kept connection."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from wattmark_core.errors import ConfigurationError
from wattmark_core.exporter_api import (
    BASE_HEADER,
    CURSOR_HEADER,
    LOST_HEADER,
    HostReport,
    TimeBase,
)
from wattmark_core.http_connection import HttpConnection
from wattmark_core.http_request import Request, Response
from wattmark_core.listener import Listener
from wattmark_core.report_json import report_json
from wattmark_exporters.leases import TooManyLeases
from wattmark_exporters.ring import PIECE_LINES
from wattmark_exporters.sampler import Sampler
from wattmark_exporters.security import Security

METHODS: Final = {
    "/samples": "GET", "/sample": "POST", "/arm": "POST", "/metrics": "GET",
    "/healthz": "GET", "/sensors": "GET",
}  # fmt: skip


_EXPIRY: Final = b"""\
# HELP wattmark_exporter_tls_certificate_expiry_seconds End of the certificate it shows, Unix time.
# TYPE wattmark_exporter_tls_certificate_expiry_seconds gauge
wattmark_exporter_tls_certificate_expiry_seconds %d
"""


@dataclass(frozen=True, slots=True)
class Backend:
    """What the endpoints serve."""

    sampler: Sampler
    report: Callable[[], HostReport]
    base: Callable[[], TimeBase]


class ExporterServer(Listener):
    """Listens once constructed; ``backend`` must be set before it serves.

    Raises ``PortInUse``, or ``ConfigurationError`` for an address or file that cannot be used.
    """

    program = "wattmark-exporter"
    backend: Backend

    def __init__(self, host: str, port: int, security: Security) -> None:
        security.check_exposure(host)
        certificate = security.certificate()
        self.token = security.token()
        super().__init__(host, port, _Connection, security.guard(host), certificate)


class _Connection(HttpConnection):
    server: ExporterServer

    def respond(self, request: Request) -> Response:
        method, path, query, sent = request
        if self.server.token is not None and not self._bears(self.server.token, sent):
            response = self.refuse(401, _reason(sent))
        elif METHODS.get(path) != method:
            response = _refusal(path)
        else:
            response = self._answer(path, query, sent.get("accept", ""))
        return response

    def _answer(self, path: str, query: Mapping[str, str], accept: str) -> Response:
        backend = self.server.backend
        match path:
            case "/samples":
                return self._samples(query.get("after", ""))
            case "/sample":
                backend.sampler.sample_now()
                return Response(204, headers={BASE_HEADER: str(backend.base())})
            case "/arm":
                return self._arm(query)
            case "/metrics":
                from wattmark_exporters import metrics  # 3 MiB, for those who ask

                certificate = self.server.certificate
                text = metrics.render(backend.sampler.latest)
                text += b"" if certificate is None else _EXPIRY % certificate.expires
                return Response(200, text, content_type=metrics.CONTENT_TYPE)
            case "/sensors":
                body = json.dumps(report_json(backend.report(), accept)).encode()
                return Response(200, body, content_type="application/json")
            case _:
                if backend.sampler.healthy():
                    return Response(200, b"ok\n")
                return Response(503, b"the sampler has not run for 10 s\n")

    def _samples(self, cursor: str) -> Response:
        page = self.server.backend.sampler.samples(cursor)
        headers = {CURSOR_HEADER: page.cursor, LOST_HEADER: str(page.lost)}
        if page.lines > PIECE_LINES:
            return Response(200, headers=headers, pieces=page.pieces)
        return Response(200, page.text().encode(), headers)

    def _arm(self, query: Mapping[str, str]) -> Response:
        try:
            seconds = float(query.get("seconds", ""))
        except ValueError:
            seconds = math.nan
        if not (math.isfinite(seconds) and seconds >= 0):
            return Response(400, b"/arm needs seconds=N, a number of seconds from 0 up\n")
        lease, holder = query.get("lease", ""), query.get("holder", "")
        try:
            self.server.backend.sampler.arm(seconds, lease, holder)
        except TooManyLeases as error:
            return Response(503, f"{error}\n".encode())
        except ConfigurationError as error:
            return Response(400, f"{error}\n".encode())
        return Response(204)

    def _bears(self, token: bytes, headers: Mapping[str, str]) -> bool:
        sent = headers.get("authorization", "").encode("utf-8", "replace")
        import hmac  # 4 MiB, for those who have a token

        return hmac.compare_digest(sent, b"Bearer " + token)


def _refusal(path: str) -> Response:
    method = METHODS.get(path)
    if method is None:
        return Response(404, f"no such page; there are {' '.join(METHODS)}\n".encode())
    allowed = "GET, HEAD" if method == "GET" else method
    return Response(405, f"{path} takes {method}\n".encode(), {"Allow": allowed})


def _reason(headers: Mapping[str, str]) -> str:
    """Why nobody is let in; what was sent is not repeated."""
    if "authorization" in headers:
        return "the bearer token is wrong; see --token-file"
    return "a bearer token is needed; see --token-file"
