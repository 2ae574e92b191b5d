"""The ring of samples and its cursors."""

from threading import Thread

from hypothesis import given
from hypothesis import strategies as st

from wattmark_exporters.ring import Ring

S = 1_000_000_000


def test_goes_on_from_the_cursor() -> None:
    """A reader that hands its cursor back gets each line once."""
    ring = Ring()
    ring.append(b"a\nb\n", 2, 0)
    first = ring.after("")
    ring.append(b"c\n", 1, S)
    second = ring.after(first.cursor)
    assert (first.chunks, second.chunks) == ([b"a\nb\n"], [b"c\n"])
    assert ring.after(second.cursor).chunks == []
    assert second.cursor == f"{ring.instance}:3"


def test_unknown_cursor_gets_everything() -> None:
    """A cursor of another instance, from the future, or that is none, gets the whole ring."""
    ring = Ring()
    ring.append(b"a\n", 1, 0)
    for cursor in (
        "",
        "other:1",
        f"{ring.instance}:9",
        f"{ring.instance}:x",
        f"{ring.instance}:-1",
    ):
        page = ring.after(cursor)
        assert page.chunks == [b"a\n"]
        assert page.lost == 0


def test_old_lines_go() -> None:
    """Lines older than the ring's time are gone, and a reader is told how many it lost."""
    ring = Ring(keep_seconds=10)
    for second in range(20):
        ring.append(b"%d\n" % second, 1, second * S)
    page = ring.after(f"{ring.instance}:3")
    assert page.chunks[0] == b"9\n"
    assert page.lost == 6
    assert ring.after("other:1").lost == 9
    assert ring.after("").lost == 0


def test_cap() -> None:
    """The number of lines is capped, whatever their age; a chunk beyond it is not kept at all."""
    ring = Ring(most_lines=5)
    for _ in range(4):
        ring.append(b"x\ny\n", 2, 0)
    assert len(ring.after("").chunks) == 2
    ring.append(b"z\n" * 6, 6, 0)
    assert ring.after("").chunks == []


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
        ring.append(b"x\n" * lines, lines, 0)
        written += lines
        if comes:
            page = ring.after(cursor)
            read, lost, cursor = read + page_lines(page.chunks), lost + page.lost, page.cursor
    page = ring.after(cursor)
    assert read + page_lines(page.chunks) + lost + page.lost == written


def page_lines(chunks: list[bytes]) -> int:
    """Lines on a page."""
    return sum(chunk.count(b"\n") for chunk in chunks)


def test_threads() -> None:
    """A reader beside a writer sees every line once and in order."""
    ring = Ring()
    seen: list[bytes] = []

    def write() -> None:
        for number in range(5_000):
            ring.append(b"%d\n" % number, 1, number)

    writer = Thread(target=write)
    writer.start()
    cursor = ""
    while len(seen) < 5_000:
        page = ring.after(cursor)
        seen.extend(page.chunks)
        cursor = page.cursor
    writer.join()
    assert seen == [b"%d\n" % number for number in range(5_000)]
