r"""The line format: every sample comes back as it was, by the short way as by the long."""

import math
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattmark_core import series_lines
from wattmark_core.errors import LineFormatError
from wattmark_core.line_protocol import (
    decode,
    decode_lines,
    encode,
    encode_fields,
    escape,
    unescape,
)
from wattmark_core.sample import Sample, make_tags
from wattmark_core.series_lines import LineReader, LineWriter

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
        "energy n=\u0663 1", "energy n=\u0663i 1", "energy n=1 \u0663", "energy n=1 1_0",
        'energy text="a" 1', "energy joules=1 1\nenergy joules=1 2",
    ],
)  # fmt: skip
def test_what_is_not_a_line_is_refused(line: str) -> None:
    """With an error that shows the line's beginning."""
    with pytest.raises(LineFormatError):
        decode(line)


LINES = st.text(st.sampled_from("m, =f1i.-_e+\\n9٣"), max_size=12).map("m,a=b ".__add__)
REST = st.lists(
    st.sampled_from(["f", "f1", "g\\ h", "epoch"]).flatmap(
        lambda name: st.from_regex(
            r"-?[0-9]{1,4}(\.[0-9]{0,3})?(e[+-]?[0-9]{1,3})?i?", fullmatch=True
        ).map(f"{name}=".__add__)
    ),
    min_size=1,
    max_size=3,
).map(",".join)
PREFIXES = st.sampled_from(
    ["m", "m,a=b", "m,a=b\\ c", "m,a=b\\\\", "m\\,a=b,c=d", "m,b=1,a=2", "m,a"]
)
TIMES = st.sampled_from(["0", "5", "05", "-5", "1700000000000000000", "9223372036854775807",
                         "9223372036854775808", "٣"])  # fmt: skip
LIKELY = st.builds("{} {} {}".format, PREFIXES, REST, TIMES)
ODD = st.sampled_from([
    "m,a=b f=1i 9223372036854775807", "m,a=b f=1i 9223372036854775808", "m,a=b f=nan 1",
    "m,a=b f=9223372036854775808i 1", "m,a=b f=1e300 1", "m,a=b f=inf 1", "m,a=b f=1 1 1",
    "m,a=b f=1e999 1", "m,a=b f=1_0 1", "m,a=b f=+1 1", "m,a=b f=1,f=2 1", "m,a=b f=1. 1",
    "m,a=b f=.5 1", "m,a=b f=1 1\\", "m,a=b\\", "m,a=b\\ f=1 1",
])  # fmt: skip


def long_way(line: str) -> Sample | None:
    """None if it is no line."""
    try:
        return decode(line)
    except LineFormatError:
        return None


def short_way(line: str, reader: LineReader) -> Sample | None:
    """None if it is no line."""
    try:
        read = reader.read(line)
    except LineFormatError:
        return None
    return Sample(read.measurement, read.tags, read.fields, read.time_ns)


@given(st.lists(SAMPLES, max_size=5))
def test_series_seen_before_come_back_as_well(samples: list[Sample]) -> None:
    """Whatever their names."""
    writer, reader = LineWriter(), LineReader()
    for sample in samples * 4:
        line = writer.line(sample)
        assert line == encode(sample)
        assert short_way(line, reader) == sample


@given(st.lists(LINES | LIKELY | ODD, max_size=8))
def test_the_short_way_agrees_with_the_long(lines: list[str]) -> None:
    """On what a line is, and on what it says, types of numbers included."""
    reader = LineReader()
    for _ in range(3):
        reader.read("m,a=b f=1.0 5")
    for line in lines * 4:
        expected, found = long_way(line), short_way(line, reader)
        assert found == expected
        if expected is not None and found is not None:
            assert repr(found.fields) == repr(expected.fields)


def patterns_made(lines: Iterable[str]) -> int:
    """How many patterns a reader makes for the lines."""
    reader, before = LineReader(), series_lines._pattern.cache_info().misses
    for line in lines:
        assert short_way(line, reader) == decode(line)
    return series_lines._pattern.cache_info().misses - before


def test_forms_that_never_come_again_cost_no_pattern() -> None:
    """A pattern costs as much as hundreds of lines: it is made for the second line of a form, and
    for none of very many fields."""
    assert patterns_made(f"m,a=b once_{n}=1.5 {n}" for n in range(1000)) == 0
    assert patterns_made(f"m,a=b often=1.5 {n}" for n in range(1000)) == 1
    wide = ",".join(f"f{n}=1.5" for n in range(1000))
    assert patterns_made(f"m,a=b {wide} {n}" for n in range(5)) == 0


def test_a_sample_without_a_finite_value_has_no_line() -> None:
    """It is left out."""
    assert LineWriter().line(Sample("m", (), {"f": math.nan}, 1)) == ""
