"""Damage to what is read from elsewhere: one line of it, or a run of its bytes.

A reader of lists must give every value that does not stand on a damaged line, unchanged, and must
raise nothing. ``damaged`` makes the texts for such a test:

    @given(damaged(PAGE))
    def test_one_bad_line_takes_no_other_away(damage: Damage) -> None:
        after = read(damage.text)
        for line, value in before:
            assert line in damage.lines or value in after
"""

from bisect import bisect_right
from typing import Final, NamedTuple

from hypothesis import strategies as st

ODD: Final = (
    b"", b"?", b"-", b"-5", b"0", b"1e400", b"NaN", b"0x10", b"1_0", b"unlimited", b"\xe9",
    "\u0663".encode(), b"\x00", b"\x1b[31m", "\u202e".encode(), b"18446744073709551616",
    b"9223372036854771712", b"9" * 5000, b"a:b:", b" : ", b'"', b"{", b"}", b"#", b",", b"=",
)  # fmt: skip
"""What stands where something else should, as seen in fault reports of other tools."""


class Damage(NamedTuple):
    """``text`` with damage to the ``lines`` of the whole text that these indexes name."""

    text: bytes
    lines: frozenset[int]


def damaged(text: bytes) -> st.SearchStrategy[Damage]:
    """``text`` with one line replaced, emptied, cut short or taken away, with one word of a line
    replaced, or with a run of bytes overwritten, taken away or put in, line feeds included."""
    starts = [0, *(at + 1 for at, byte in enumerate(text) if byte == ord("\n"))]
    if starts[-1] == len(text):
        starts.pop()
    bad = st.one_of(st.sampled_from(ODD), st.binary(max_size=40))

    def changed(start: int, end: int, new: bytes) -> Damage:
        first, last = (bisect_right(starts, at) - 1 for at in (start, end))
        return Damage(text[:start] + new + text[end:], frozenset(range(first, last + 1)))

    @st.composite
    def runs(draw: st.DrawFn) -> Damage:
        start = draw(st.integers(0, len(text)))
        return changed(start, draw(st.integers(start, min(start + 60, len(text)))), draw(bad))

    @st.composite
    def whole_lines(draw: st.DrawFn) -> Damage:
        index = draw(st.integers(0, len(starts) - 1))
        start, end = starts[index], [*starts, len(text)][index + 1]
        line = text[start:end].rstrip(b"\n")
        new = draw(st.one_of(
            st.binary(max_size=80), st.sampled_from(ODD),
            st.integers(0, len(line)).map(lambda size: line[:size]),
            _words(line, bad),
        ))  # fmt: skip
        gone = draw(st.booleans()) and not new
        rest = b"" if gone else text[start + len(line) : end]
        new = new.replace(b"\n", b"?") + rest
        return Damage(text[:start] + new + text[end:], frozenset({index}))

    return st.one_of(runs(), whole_lines())


@st.composite
def _words(draw: st.DrawFn, line: bytes, bad: st.SearchStrategy[bytes]) -> bytes:
    """``line`` with another word in the place of one."""
    words = line.split(b" ")
    words[draw(st.integers(0, len(words) - 1))] = draw(bad)
    return b" ".join(words)
