"""Packed samples and the lines that they become."""

from hypothesis import given
from hypothesis import strategies as st

from wattmark_core.line_protocol import decode_lines, encode, encode_prefix
from wattmark_core.sample import Sample, make_tags
from wattmark_exporters.line_format import LineFormat

TAGS = make_tags({"host": "a b", "model": "100 %s = 1,5", "gpu": "0"})
SAMPLES = st.lists(
    st.tuples(
        st.floats(allow_nan=False, allow_infinity=False),
        st.integers(-(2**63), 2**63 - 1),
        st.integers(0, 2**62),
    )
)


@given(SAMPLES)
def test_lines_are_those_of_the_line_format(samples: list[tuple[float, int, int]]) -> None:
    """Every float and every integer of 64 bits comes back equal, and each line is the one that
    ``encode`` makes, whatever characters tags and names have."""
    line_format = LineFormat(encode_prefix("m%", TAGS), [("watts %d", False), ("n,m", True)])
    text = line_format.lines(b"".join(line_format.pack(*sample) for sample in samples))
    expected = [Sample("m%", TAGS, {"watts %d": w, "n,m": n}, t) for w, n, t in samples]
    assert text == "".join(f"{encode(sample)}\n" for sample in expected)
    assert list(decode_lines(text)) == expected
