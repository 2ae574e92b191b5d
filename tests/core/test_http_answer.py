"""What is wrong with an answer of an exporter, to whoever asks it."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.serving import answering
from tests.serving import http_answer as http
from wattmark_core.errors import ExporterError
from wattmark_core.exporter_api import CURSOR_HEADER, ExporterClient

Answer = Callable[[bytes], ExporterClient]


@pytest.fixture
def answer() -> Iterator[Answer]:
    """``answer(bytes)``: a client of an exporter that answers one request with these bytes."""
    with ExitStack() as stack:

        def serve(raw: bytes) -> ExporterClient:
            client = ExporterClient(stack.enter_context(answering(raw)))
            stack.callback(client.close)
            return client

        yield serve


@pytest.mark.parametrize("header", [("Content-Encoding: gzip",), ()])
def test_gzip_is_told(answer: Answer, header: tuple[str, ...]) -> None:
    """A proxy before the exporter packs what nobody asked for."""
    with pytest.raises(ExporterError, match=r"exporter http://\S+ answers gzip though none was"):
        answer(http(gzip.compress(b"m f=1 5\n"), *header)).samples()


def test_bytes_that_are_no_text_cost_their_line_alone(answer: Answer) -> None:
    """The page is given all the same."""
    page = answer(http(b"m,t=\xe9 f=1.0 5\nm f=2.0 6\n", f"{CURSOR_HEADER}: i:2")).samples()
    assert page.text.split("\n")[1] == "m f=2.0 6"
    assert page.cursor == "i:2"


def test_an_error_is_printable_and_says_for_how_long(answer: Answer) -> None:
    """Its body is foreign text."""
    with pytest.raises(ExporterError) as caught:
        answer(http(b"\x1b[31mbusy\n", "Retry-After: 9", status="503 Busy")).samples()
    assert str(caught.value).endswith(
        "answered 503 to GET /samples?after=: \\x1b[31mbusy; it asks for 9 s without a request"
    )
    assert caught.value.wait_seconds == 9.0
