"""The exporter's contract as its clients see it, against a small server that speaks it."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar

import pytest

from tests.serving import serving
from wattmark_core.catalogue import Domain, Method
from wattmark_core.errors import ConfigurationError, ExporterError
from wattmark_core.exporter_api import (
    BASE_HEADER,
    CURSOR_HEADER,
    LOST_HEADER,
    EnergySeries,
    ExporterClient,
    HostReport,
    SensorReport,
    SensorState,
    TimeBase,
)

SERIES = EnergySeries(Domain.GPU, "GPU-1", "nvml", Method.COUNTER, 0.1, limit_watts=700.0)
REPORT = HostReport(
    host="h1", boot_id="b", instance="i", offset_ns=5, version="1",
    sensors=(
        SensorReport("nvml", SensorState.OK, 0.1, moving=True, constants=(("a", 1.0),),
                     energy=(SERIES,)),
        SensorReport("rapl", SensorState.ABSENT, 0.1, reason="no zone", remedy="load the module"),
    ),
)  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """Answers as an exporter does; keeps what was asked."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.asked.append((f"{self.command} {self.path}", self.headers.get("Authorization", "")))
        body, status = b"m f=1.0 1\n", 200
        if self.path == "/sensors":
            body = json.dumps(asdict(REPORT)).encode()
        if self.path.startswith("/arm?seconds=nan"):
            body, status = b"not so\n", 400
        self.send_response(status)
        self.send_header(CURSOR_HEADER, "i:9")
        self.send_header(LOST_HEADER, "3")
        self.send_header(BASE_HEADER, str(TimeBase("b", "i", 5)))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def url() -> Iterator[str]:
    """Where the server listens."""
    Handler.asked.clear()
    with serving(Handler) as address:
        yield address


@pytest.fixture
def client(url: str) -> Iterator[ExporterClient]:
    """A client of the server."""
    made = ExporterClient(url)
    yield made
    made.close()


def test_the_report_comes_back_as_it_was(client: ExporterClient) -> None:
    """Enumerations and tuples included, and absent is not ok."""
    assert client.sensors() == REPORT
    assert REPORT.energy == (SERIES,)
    assert SERIES.tags == {"domain": "gpu", "device": "GPU-1", "source": "nvml",
                           "method": "counter"}  # fmt: skip


def test_a_page_brings_lines_cursor_and_losses(client: ExporterClient) -> None:
    """The cursor goes out quoted."""
    page = client.samples("i:7 &")
    assert (page.text, page.cursor, page.lost) == ("m f=1.0 1\n", "i:9", 3)
    assert Handler.asked[0][0] == "GET /samples?after=i%3A7%20%26"


def test_the_token_is_read_for_each_request(url: str, tmp_path: Path) -> None:
    """So that it can be changed without a restart."""
    token = tmp_path / "token"
    client = ExporterClient(url + "/", token_file=token)
    for secret in ("one", "two"):
        token.write_text(secret + "\n")
        assert client.sample_now() == TimeBase("b", "i", 5)
    client.close()
    assert Handler.asked == [("POST /sample", "Bearer one"), ("POST /sample", "Bearer two")]


def test_a_refusal_is_one_line(client: ExporterClient) -> None:
    """With what the exporter said."""
    client.arm(2.5)
    assert Handler.asked[-1][0] == "POST /arm?seconds=2.5"
    with pytest.raises(ExporterError, match=r"answered 400 to POST /arm\?seconds=nan: not so"):
        client.arm(float("nan"))


def test_nobody_there_is_one_line() -> None:
    """It says what to do."""
    client = ExporterClient("http://127.0.0.1:9", timeout_seconds=2.0)
    with pytest.raises(ExporterError, match=r"no exporter answers at .*; start wattmark-exporter"):
        client.sensors()
    client.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:9109",
        "ftp://host",
        "http://",
        "http:///x",
        "http://[::1",
        "http://h:abc",
        "http://h:99999",
    ],
)
def test_an_unusable_url_is_refused_at_once(url: str) -> None:
    """Before anything is connected."""
    with pytest.raises(ConfigurationError, match="is not http://HOST:PORT"):
        ExporterClient(url)


class OtherServer(BaseHTTPRequestHandler):
    """Answers, but is no exporter."""

    body: ClassVar[bytes] = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header(LOST_HEADER, "some")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html>", "Expecting value"),
        (b"[]", "HostReport is not a JSON object"),
        (b'{"host": "h"}', "HostReport lacks boot_id, instance, offset_ns, sensors"),
        (b'{"host": "\xff"}', "utf-8"),
        (b"[" * 100_000, "recursion"),
    ],
)
def test_what_is_no_report_is_one_line(body: bytes, says: str) -> None:
    """It names the address and what is wrong."""
    OtherServer.body = body
    with (
        serving(OtherServer) as url,
        closing(ExporterClient(url)) as client,
        pytest.raises(ExporterError) as caught,
    ):
        client.sensors()
    assert str(caught.value).startswith(f"{url}/sensors is not the report of a Wattmark exporter")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_losses_that_are_no_number_cost_no_page() -> None:
    """What stands in the page is taken."""
    OtherServer.body = b"m f=1.0 1\n"
    with serving(OtherServer) as url, closing(ExporterClient(url)) as client:
        page = client.samples()
    assert (page.text, page.cursor, page.lost) == ("m f=1.0 1\n", "", 0)


def test_the_texts_of_a_report_are_made_printable() -> None:
    """Device, label and reason come from whatever answers there; a lone surrogate, as JSON can
    escape one, would be refused by each store."""
    odd = "GPU \udce9\x1b[31m\u202e"
    sensor = SensorReport(
        odd, SensorState.FAILED, 1.0, odd, odd,
        energy=(EnergySeries(Domain.GPU, odd, odd, Method.COUNTER, 0.1, label=odd, note=odd),),
    )  # fmt: skip
    OtherServer.body = json.dumps(asdict(replace(REPORT, host=odd, sensors=(sensor,)))).encode()
    with serving(OtherServer) as url, closing(ExporterClient(url)) as client:
        report = client.sensors()
    shown = "GPU \\xe9\\x1b[31m\\u202e"
    (series,) = report.energy
    assert (report.host, series.device, series.label, series.note) == (shown,) * 4
    assert (report.sensors[0].name, report.sensors[0].reason) == (shown, shown)
