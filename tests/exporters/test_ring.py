"""The ring of samples and its cursors."""

from collections.abc import Sequence
from threading import Thread

from hypothesis import given
from hypothesis import strategies as st

from wattmark_exporters.line_format import LineFormat
from wattmark_exporters.ring import PIECE_LINES, Ring, RingPage

S = 1_000_000_000
NUMBERS = LineFormat("n", [("v", True)])


def append(ring: Ring, numbers: Sequence[int], time_ns: int = 0) -> None:
    """Put samples of these values into the ring, all at once."""
    data = b"".join(NUMBERS.pack(number, 0) for number in numbers)
    ring.append(NUMBERS, data, len(numbers), time_ns)


def numbers_of(page: RingPage) -> list[int]:
    """The values of the lines on a page."""
    return [int(line.removeprefix("n v=").removesuffix("i 0")) for line in page.text().splitlines()]


def test_goes_on_from_the_cursor() -> None:
    """A reader that hands its cursor back gets each line once."""
    ring = Ring()
    append(ring, [1, 2])
    first = ring.after("")
    append(ring, [3], S)
    second = ring.after(first.cursor)
    assert (numbers_of(first), numbers_of(second)) == ([1, 2], [3])
    assert numbers_of(ring.after(second.cursor)) == []
    assert second.cursor == f"{ring.instance}:3"


def test_unknown_cursor_gets_everything() -> None:
    """A cursor of another instance, from the future, or that is none, gets the whole ring."""
    ring = Ring()
    append(ring, [1])
    for cursor in (
        "",
        "other:1",
        f"{ring.instance}:9",
        f"{ring.instance}:x",
        f"{ring.instance}:-1",
    ):
        page = ring.after(cursor)
        assert numbers_of(page) == [1]
        assert page.lost == 0


def test_old_lines_go() -> None:
    """Lines older than the ring's time are gone, and a reader learns how many it lost."""
    ring = Ring(keep_seconds=10)
    for second in range(20):
        append(ring, [second], second * S)
    page = ring.after(f"{ring.instance}:3")
    assert numbers_of(page)[0] == 9
    assert page.lost == 6
    assert ring.after("other:1").lost == 9
    assert ring.after("").lost == 0


def test_cap() -> None:
    """The number of lines is capped, whatever their age; a chunk beyond it is not kept at all."""
    ring = Ring(most_lines=5)
    for _ in range(4):
        append(ring, [1, 2])
    assert numbers_of(ring.after("")) == [1, 2, 1, 2]
    append(ring, [3] * 6)
    assert numbers_of(ring.after("")) == []


def test_a_page_comes_in_pieces_that_make_its_text() -> None:
    """None of them is the whole of a large page."""
    ring = Ring()
    for number in range(300):
        append(ring, [number] * 10)
    page = ring.after("")
    pieces = list(page.pieces())
    assert b"".join(pieces).decode() == page.text()
    assert page.lines == 3000
    assert [piece.count(b"\n") for piece in pieces] == [PIECE_LINES] * 3 + [0]


def test_instances_differ() -> None:
    """Two rings never share a cursor."""
    assert Ring().instance != Ring().instance


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=60))
def test_lines_read_and_lost_add_up(script: list[tuple[int, bool]]) -> None:
    """Lines read and lines lost add up to lines written, however often the reader comes."""
    ring = Ring(most_lines=7)
    cursor = ring.after("").cursor
    written = read = lost = 0
    for lines, comes in script:
        append(ring, [0] * lines)
        written += lines
        if comes:
            page = ring.after(cursor)
            read, lost, cursor = read + len(numbers_of(page)), lost + page.lost, page.cursor
    page = ring.after(cursor)
    assert read + len(numbers_of(page)) + lost + page.lost == written


def test_threads() -> None:
    """A reader beside a writer sees every line once and in order."""
    ring = Ring()
    seen: list[int] = []

    def write() -> None:
        for number in range(5_000):
            append(ring, [number], number)

    writer = Thread(target=write)
    writer.start()
    cursor = ""
    while len(seen) < 5_000:
        page = ring.after(cursor)
        seen.extend(numbers_of(page))
        cursor = page.cursor
    writer.join()
    assert seen == list(range(5_000))
