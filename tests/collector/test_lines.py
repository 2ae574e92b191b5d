"""Lines there and back: the short way knows nothing that the long way does not."""

import hypothesis.strategies as st
from hypothesis import given

from wattmark_collector.lines import LineReader, LineWriter
from wattmark_core.errors import LineFormatError
from wattmark_core.sample import Sample, decode, make_tags

NAMES = st.text(st.sampled_from('ab ,=\\"\n\ré'), min_size=1, max_size=4)
VALUES = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**63 - 1)
SAMPLES = st.builds(
    Sample,
    NAMES,
    st.dictionaries(NAMES, NAMES, max_size=2).map(make_tags),
    st.dictionaries(NAMES, VALUES, min_size=1, max_size=3),
    st.integers(-(2**63), 2**63 - 1),
)
LINES = st.text(st.sampled_from("m, =f1i.-_e+\\n9٣"), max_size=12).map("m,a=b ".__add__)
KNOWN = "m,a=b f=1.0 5"


def read(line: str, reader: LineReader) -> Sample | None:
    """None if it is no line."""
    try:
        return reader.sample(line)
    except LineFormatError:
        return None


@given(st.lists(SAMPLES, max_size=5))
def test_samples_come_back_as_they_were(samples: list[Sample]) -> None:
    """Seen before or not, whatever their names."""
    writer, reader = LineWriter(), LineReader()
    for each in samples * 2:
        assert reader.sample(writer.line(each)) == each


@given(st.lists(LINES | st.sampled_from([
    "m,a=b f=1i 9223372036854775807", "m,a=b f=1i 9223372036854775808", "m,a=b f=nan 1",
    "m,a=b f=9223372036854775808i 1", "m,a=b f=1e300 1", "m,a=b f=inf 1", "m,a=b f=1 1 1",
]), max_size=8))  # fmt: skip
def test_the_short_way_agrees_with_the_long(lines: list[str]) -> None:
    """On what a line is, and on what it says."""
    reader = LineReader()
    reader.sample(KNOWN)
    for line in lines:
        try:
            expected: Sample | None = decode(line)
        except LineFormatError:
            expected = None
        assert read(line, reader) == expected


def test_a_sample_without_a_finite_value_has_no_line() -> None:
    """It is left out."""
    assert LineWriter().line(Sample("m", (), {"f": float("nan")}, 1)) == ""
