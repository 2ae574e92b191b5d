"""One GET of a target's page, against a server that answers what a test says."""

import gzip
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from tests.serving import answering
from tests.serving import http_answer as http
from wattmark_collector.fetch import fetch
from wattmark_collector.targets import Target
from wattmark_core.errors import ExporterError

Answer = Callable[[bytes], Target]


@pytest.fixture
def answer() -> Iterator[Answer]:
    """``answer(bytes)``: a target that answers one request with these bytes."""
    with ExitStack() as stack:

        def serve(raw: bytes) -> Target:
            return Target("t", f"{stack.enter_context(answering(raw))}/metrics", 1.0, 5.0)

        yield serve


def test_a_page_is_given_with_its_kind(answer: Answer) -> None:
    """Bytes that are not UTF-8 cost nothing yet."""
    page = fetch(answer(http(b"a\xe9 1\n", "Content-Type: text/plain; version=0.0.4")))
    assert page.text.encode("utf-8", "surrogateescape") == b"a\xe9 1\n"
    assert page.content_type == "text/plain; version=0.0.4"
    assert page.whole


@pytest.mark.parametrize("header", [("Content-Encoding: gzip",), ()])
def test_gzip_that_nobody_asked_for_is_named(answer: Answer, header: tuple[str, ...]) -> None:
    """Whether or not it says what it is; its bytes reach no log."""
    target = answer(http(gzip.compress(b"a 1\n"), *header))
    with pytest.raises(ExporterError) as caught:
        fetch(target)
    assert str(caught.value) == (
        f"target {target.url} answers gzip though none was asked for; switch its compression off,"
        " or that of a proxy before it"
    )


def test_a_strange_coding_is_named_in_printable_text(answer: Answer) -> None:
    """What a server says of itself is foreign text."""
    with pytest.raises(ExporterError, match=r"answers z\\x1b\[31mstd though none") as caught:
        fetch(answer(http(b"x", "Content-Encoding: z\x1b[31mstd")))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("reason", ["Not\x1b[31m Found", "No\u00adpe"])
def test_an_error_is_named_in_printable_text(answer: Answer, reason: str) -> None:
    """Its status, and its own words."""
    with pytest.raises(ExporterError, match="answered 404 No") as caught:
        fetch(answer(http(b"", status=f"404 {reason}")))
    assert str(caught.value).isprintable()
    assert caught.value.wait_seconds is None


def test_where_a_target_has_gone_is_named(answer: Answer) -> None:
    """A redirect is not followed: the address that people see is the one that is asked."""
    raw = http(b"", "Location: https://h/new\x1b[31m", status="302 Found")
    with pytest.raises(ExporterError) as caught:
        fetch(answer(raw))
    assert str(caught.value).endswith(
        r"answered 302 Found, it is at 'https://h/new\x1b[31m'; correct the address"
    )


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [("30", 30.0), ("0", 0.0), ("100000", 300.0), ("9" * 400, 300.0), ("-5", None),
     ("soon", None), ("1.5", None), ("٣", None)],
)  # fmt: skip
def test_the_wait_that_a_target_asks_for(
    answer: Answer, status: str, header: str, seconds: float | None
) -> None:
    """In seconds, bounded; nonsense asks for none."""
    raw = http(b"", "Retry-After: X", status=status).replace(b"X", header.encode())
    with pytest.raises(ExporterError) as caught:
        fetch(answer(raw))
    assert caught.value.wait_seconds == seconds
    if seconds is not None:
        assert f"asks for {seconds:.0f} s without a request" in str(caught.value)


def test_the_wait_may_be_a_date(answer: Answer) -> None:
    """Of HTTP; one that is over asks for none."""
    until = datetime.fromtimestamp(int(time.time()) + 60, UTC)
    header = f"Retry-After: {format_datetime(until, usegmt=True)}"
    with pytest.raises(ExporterError) as caught:
        fetch(answer(http(b"", header, status="503 Busy")))
    assert caught.value.wait_seconds is not None
    assert 30 < caught.value.wait_seconds <= 60
    past = "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT"
    with pytest.raises(ExporterError) as caught:
        fetch(answer(http(b"", past, status="503 Busy")))
    assert caught.value.wait_seconds == 0.0


def test_other_answers_ask_for_no_wait(answer: Answer) -> None:
    """A 404 with Retry-After is a 404."""
    with pytest.raises(ExporterError) as caught:
        fetch(answer(http(b"", "Retry-After: 30", status="404 Not Found")))
    assert caught.value.wait_seconds is None


def test_an_answer_that_ends_too_early_is_none(answer: Answer) -> None:
    """Its last number may be cut off."""
    with pytest.raises(ExporterError, match="ended 3 bytes too early"):
        fetch(answer(http(b"a 1\nb 123456\n")[:-3]))


def test_an_answer_without_a_length_may_be_cut_off(answer: Answer) -> None:
    """Nobody knows where the connection's end is the page's."""
    page = fetch(answer(b"HTTP/1.0 200 OK\r\n\r\na 1\nb 12"))
    assert (page.text, page.whole) == ("a 1\nb 12", False)


@pytest.mark.parametrize("raw", [b"\x1b[2J\r\n\r\n", b"", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_no_http_is_one_printable_line(answer: Answer, raw: bytes) -> None:
    """Whatever listens there."""
    with pytest.raises(ExporterError, match="no target answers at") as caught:
        fetch(answer(raw))
    assert str(caught.value).isprintable()
