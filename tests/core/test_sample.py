r"""The line format: every sample comes back as it was."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattmark_core.errors import LineFormatError
from wattmark_core.sample import (
    Sample,
    decode,
    decode_lines,
    encode,
    encode_fields,
    escape,
    make_tags,
    unescape,
)

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20) | st.sampled_from(
    ['a"b,c=d e\\', "\\n", "\n", "\\\n", "a\\,b", " ", "=", ",", "#", "ü漢", "\r\n", "\x00", "i"]
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**63 - 1)
SAMPLES = st.builds(
    lambda measurement, tags, fields, time: Sample(measurement, make_tags(tags), fields, time),
    TEXTS,
    st.dictionaries(TEXTS, TEXTS, max_size=4),
    st.dictionaries(TEXTS, NUMBERS, min_size=1, max_size=4),
    st.integers(-(2**63), 2**63 - 1),
)


@given(SAMPLES)
def test_every_sample_comes_back(sample: Sample) -> None:
    """Names and values of any characters, floats to the last bit, integers as integers."""
    back = decode(encode(sample))
    assert back == sample
    assert {n: type(v) for n, v in back.fields.items()} == {
        n: type(v) for n, v in sample.fields.items()
    }


@given(st.lists(SAMPLES, max_size=5))
def test_lines_are_split_at_line_feeds_only(samples: list[Sample]) -> None:
    """No value can break a line in two."""
    text = "".join(encode(sample) + "\n" for sample in samples)
    assert list(decode_lines(text)) == samples


@given(TEXTS)
def test_escaping_is_undone(text: str) -> None:
    """``unescape`` gives back what ``escape`` was given."""
    assert unescape(escape(text)) == text


def test_the_awkward_tag_value() -> None:
    """Quotes stand as they are; comma, equals sign, space and backslash are escaped."""
    sample = Sample("m", (("t", 'a"b,c=d e\\'),), {"f": 1.5}, 7)
    assert encode(sample) == 'm,t=a"b\\,c\\=d\\ e\\\\ f=1.5 7'


def test_values_that_are_not_finite_are_dropped() -> None:
    """NaN and infinities never stand in a line, and a sample of nothing else is refused."""
    assert encode_fields({"a": math.nan, "b": 1, "c": -math.inf, "d": 2.0}) == "b=1i,d=2.0"
    with pytest.raises(LineFormatError, match="no finite field"):
        encode(Sample("m", (), {"a": math.inf}, 1))


def test_tags_are_sorted_and_empty_ones_left_out() -> None:
    """So that one series has one name."""
    assert make_tags({"b": "2", "a": "1", "c": ""}) == (("a", "1"), ("b", "2"))


@pytest.mark.parametrize(
    "line",
    [
        "", "energy", "energy joules=1", "energy joules= 1", "energy 1700", "energy joules=one 1",
        "energy joules=nan 1", "energy joules=inf 1", "energy joules=1 1.5", "energy,host= f=1 1",
        "energy,host joules=1 1", "energy joules=1 1 ", " energy joules=1 1",
        "energy joules=1.5i 1",
        "energy joules=1i 9223372036854775808", "energy n=9223372036854775808i 1",
        'energy text="a" 1', "energy joules=1 1\nenergy joules=1 2",
    ],
)  # fmt: skip
def test_what_is_not_a_line_is_refused(line: str) -> None:
    """With an error that shows the line's beginning."""
    with pytest.raises(LineFormatError):
        decode(line)
