"""Pages line by line: what cannot be read is left out and told, every other value is taken."""

import logging
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as open_metrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from tests.damage import Damage, damaged
from wattmark_collector.left_out import LeftOut
from wattmark_collector.normalise import Normaliser
from wattmark_collector.page import Page, PageReader
from wattmark_collector.page_line import BadLine, LineReader, MetricValue
from wattmark_core.errors import ExporterError
from wattmark_core.sample import Sample

SECOND = 1_000_000_000
NOW_NS = 1_795_813_365_926 * 1_000_000
PAGES = Path(__file__).parent / "pages"
OPEN_METRICS = """\
# HELP power_watts Power of the plug.
# TYPE power_watts gauge
# UNIT power_watts watts
power_watts{plug="1"} 214.5 1795813365.25
# TYPE energy_joules counter
energy_joules_total{plug="1"} 17.0 1795813365.5 # {trace_id="KOO5S4vxi0o"} 0.67
energy_joules_created{plug="1"} 1795810000.125 1795813365.5
# TYPE seconds histogram
seconds_bucket{le="0.01"} 0.0
seconds_bucket{le="0.1"} 8 # {} 0.054
seconds_bucket{le="+Inf"} 17 # {trace_id="oHg5SJYRHA0"} 9.8 1520879607.789
seconds_count 17
seconds_sum 324789.3
seconds_created 1520430000.123
# EOF
"""
PAGE_TEXTS = {
    **{path.stem: path.read_bytes() for path in sorted(PAGES.glob("*.prom"))},
    "OpenMetrics": OPEN_METRICS.encode(),
}


def values(text: str | bytes, content_type: str = "") -> list[MetricValue]:
    """What is read of a page; bytes as they come off the wire."""
    text = text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
    return list(PageReader("u", LeftOut("u")).read(Page(text, content_type)))


def take(text: str, time_ns: int = NOW_NS) -> tuple[list[Sample], Normaliser]:
    """The samples of one page, and who took them."""
    normaliser = Normaliser("u", "h")
    return normaliser.take(text, time_ns), normaliser


@pytest.mark.parametrize("name", [*PAGE_TEXTS])
def test_pages_are_read_as_prometheus_client_reads_them(name: str) -> None:
    """Where a page is all right, the two agree in names, labels, values and times."""
    text = PAGE_TEXTS[name].decode()
    open_metrics = name == "OpenMetrics"
    families = (open_metrics_families if open_metrics else text_string_to_metric_families)(text)
    expected = [
        (
            # it adds _total to counters without it
            sample.name if f"\n{sample.name}" in text else sample.name.removesuffix("_total"),
            sample.labels, str(float(sample.value)),
            None if sample.timestamp is None else round(float(sample.timestamp) * 1000),
        )
        for family in families for sample in family.samples
    ]  # fmt: skip
    assert expected == [
        (v.name, v.labels, str(v.value), None if v.time_ns is None else v.time_ns // 1_000_000)
        for v in values(text)
    ]


@pytest.mark.parametrize(
    ("line", "name", "labels", "value", "time_ns"),
    [
        ("a 1", "a", {}, 1.0, None),
        ("a\t 1e3 \t 1795813365926 ", "a", {}, 1000.0, NOW_NS),
        ('a{x="1",} 1', "a", {"x": "1"}, 1.0, None),
        ('a { x = "1" , y="}" } 1 -5', "a", {"x": "1", "y": "}"}, 1.0, -5_000_000),
        ('a{x="a\\"b\\\\c\\nd{}=,"} -Inf', "a", {"x": 'a"b\\c\\x0ad{}=,'}, float("-inf"), None),
        ('{"my.metric",x="1"} 2', "my.metric", {"x": "1"}, 2.0, None),
        ('{"my metric","a label"="1"} 2', "my metric", {"a label": "1"}, 2.0, None),
        ("a{} +2.5E-3", "a", {}, 0.0025, None),
        ('a_bucket{le="0.1"} 8 # {trace_id="x"} 0.054', "a_bucket", {"le": "0.1"}, 8.0, None),
        ('a 8 1795813365926 # {trace_id="x"} 0.054 1', "a", {}, 8.0, NOW_NS),
        ('a{x="\x1b[31m\u202e"} 1', "a", {"x": "\\x1b[31m\\u202e"}, 1.0, None),
        (b'a{x="\xe9"} 1'.decode("utf-8", "surrogateescape"), "a", {"x": "\\xe9"}, 1.0, None),
    ],
)
def test_a_line(
    line: str, name: str, labels: dict[str, str], value: float, time_ns: int | None
) -> None:
    """Text that cannot be printed is escaped before it is kept; an exemplar is neither value nor
    time."""
    read = LineReader().read(line, open_metrics=False)
    assert (read.name, read.labels, read.value, read.time_ns) == (name, labels, value, time_ns)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a", "is no line"), ("1 a", "is no line"), ("a.b 1", "is no line"), ("a 1 2 3", "is no"),
        ("a.5 1", "is no line"), ('a{x="1} 1', "is no line"), ('a{x="1"', "is no line"),
        ("a b", "has a value that is no number"), ("a 1_0", "is no line"),
        ("a ٣", "is no line"), ("a 0x", "has a value"), ("a 1 1.5", "has a time stamp"),
        ("a 1 99999999999999999999", "has a time stamp"), ("a{x} 1", "has labels"),
        ("a{=} 1", "has labels"), ('a{x="1"y="2"} 1', "has labels"), ("a{x=1} 1", "has labels"),
        ('{x="1"} 1', "has no name"), ('a{"b"} 1', "has labels"), ('a{x="1",x="2"} 1', "x twice"),
        (f"{'a' * 257} 1", "has a name of over 256"), (f"a {'1' * 70_000}", "is longer than"),
        (f'a{{x="{"y" * 9000}"}} 1', "has labels of over"),
        ("a{" + ",".join(f'l{n}="1"' for n in range(65)) + "} 1", "has over 64 labels"),
        ('a{x="' + '\\"' * 30_000 + " 1", "is no line"), ("a 1#", "is no line"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read(line: str, reason: str) -> None:
    """It says why."""
    with pytest.raises(BadLine, match=reason):
        LineReader().read(line, open_metrics=False)


def by_line(text: bytes) -> dict[int, MetricValue]:
    """The values of a page, by the index of their line."""
    found = {}
    for index, line in enumerate(text.split(b"\n")):
        for value in values(line + b"\n# EOF\n" if b"# EOF" in text else line + b"\n"):
            found[index] = value
    return found


@pytest.mark.parametrize("name", [*PAGE_TEXTS])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_damage_costs_the_lines_that_it_is_in(name: str, data: st.DataObject) -> None:
    """Every value of every other line is unchanged: the pages of dcgm-exporter and node_exporter,
    one of our own, and OpenMetrics."""
    before = by_line(PAGE_TEXTS[name])
    damage: Damage = data.draw(damaged(PAGE_TEXTS[name]))
    kind = "application/openmetrics-text" if name == "OpenMetrics" else ""
    after = values(damage.text, kind)
    left = [str(value) for value in after]
    for index, value in before.items():
        if index not in damage.lines:
            assert str(value) in left
            left.remove(str(value))
    for value in after:
        assert value.name.isprintable()
        assert "".join([*value.labels, *value.labels.values()]).isprintable()


@pytest.mark.parametrize(
    "stamp",
    ["1795813365926000", "1795813365926000000", "-1", "0", "1795813365", "1520879607789",
     "1795899765926", "1795726965925", "9223372036854775807", "-9223372036854775808"],
)  # fmt: skip
def test_a_time_that_cannot_be_costs_its_line_alone(
    stamp: str, caplog: pytest.LogCaptureFixture
) -> None:
    """µs, ns, s, −1, 0, years ago, a day ago: the sample is left out, told once, counted."""
    text = f"gpfs_size 5 {stamp}\ngpfs_free 3\ngpfs_used 2 1795813365926\n"
    normaliser = Normaliser("http://t/metrics", "h")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            samples = normaliser.take(text, NOW_NS)
            assert [(s.measurement, s.time_ns) for s in samples] == [
                ("gpfs_free", NOW_NS), ("gpfs_used", NOW_NS),
            ]  # fmt: skip
    assert normaliser.dropped == 2
    (record,) = caplog.records
    assert "http://t/metrics: gpfs_size is left out, its time stamp is " in record.getMessage()


def test_the_unit_of_a_wrong_time_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Prometheus's text format has ms."""
    take("a 5 1795813365926000\nb 5 1795813365926000000\nc 5 1795813365\n")
    micro, nano, whole = (record.getMessage() for record in caplog.records)
    assert "a is left out, its time stamp is us where the format has ms" in micro
    assert "b is left out, its time stamp is ns where the format has ms" in nano
    assert "c is left out, its time stamp is s where the format has ms" in whole


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/json", "", "\u202e"])
def test_a_page_is_what_stands_in_it_whatever_it_is_called(kind: str) -> None:
    """Small devices serve everything as HTML."""
    (sample,) = Normaliser("u", "h").take(Page("mine 1\n", kind), NOW_NS)
    assert (sample.measurement, sample.fields) == ("mine", {"value": 1.0})


def test_energy_that_is_no_number_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """By metric, and counted each time, as others' NaN are, which mean no more than "none"."""
    normaliser = Normaliser("http://t/metrics", "h")
    for _ in range(2):
        normaliser.take("node_rapl_package_joules_total NaN\nmine +Inf\n", NOW_NS)
    assert normaliser.dropped == 4
    assert [record.getMessage() for record in caplog.records] == [
        "target http://t/metrics: node_rapl_package_joules_total is left out where it is no number"
        " (nan)"
    ]


@pytest.mark.parametrize("behind_seconds", [86_400, 60, 0, -10])
def test_a_time_of_the_last_day_is_the_samples(behind_seconds: int) -> None:
    """And some seconds ahead."""
    stamp_ms = NOW_NS // 1_000_000 - 1000 * behind_seconds
    (sample,), _ = take(f"a 5 {stamp_ms}\n")
    assert sample.time_ns == stamp_ms * 1_000_000


def test_open_metrics_is_read() -> None:
    """Its times are s, with or without its content type; an exemplar's value is never a time."""
    samples, normaliser = take(OPEN_METRICS)
    found = {(s.measurement, s.tag.get("le")): (s.fields["value"], s.time_ns) for s in samples}
    assert found["power_watts", None] == (214.5, 1_795_813_365_250_000_000)
    assert found["energy_joules_total", None] == (17.0, 1_795_813_365_500_000_000)
    assert found["energy_joules_created", None] == (1795810000.125, 1_795_813_365_500_000_000)
    assert found["seconds_bucket", "0.1"] == (8.0, NOW_NS)
    assert found["seconds_bucket", "+Inf"] == (17.0, NOW_NS)
    assert normaliser.dropped == 0
    typed = values("a 1 1795813365.25\n", "application/openmetrics-text; version=1.0.0")
    assert typed[0].time_ns == 1_795_813_365_250_000_000


def test_a_cut_off_page_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """A number may be cut off where a connection without a length ends; OpenMetrics has an end."""
    left_out = LeftOut("u")
    reader = PageReader("u", left_out)
    assert [v.value for v in reader.read(Page("a 1\nb 123", whole=False))] == [1.0]
    assert "line 2, 'b 123', ends without a line feed" in caplog.text
    kind = "application/openmetrics-text"
    assert [v.value for v in reader.read(Page("a 1\nb 123\n", kind))] == [1.0, 123.0]
    assert "its page has no # EOF at its end" in caplog.text
    assert left_out.count == 1


def test_bad_lines_are_named_once_each(caplog: pytest.LogCaptureFixture) -> None:
    """By line number and beginning, printable; each is counted each time."""
    normaliser = Normaliser("http://t/metrics", "h")
    for _ in range(3):
        normaliser.take('# a comment\na 1\nb{x="1} 2\nc \x1b[31mred\n\x1b]0;title\x07\n', NOW_NS)
    assert [record.getMessage() for record in caplog.records] == [
        "target http://t/metrics: line 3, 'b{x=\"1} 2', is no line of Prometheus text and is left"
        " out; the rest is taken",
        "target http://t/metrics: line 4, 'c \\x1b[31mred', is no line of Prometheus text and is"
        " left out; the rest is taken",
        "target http://t/metrics: line 5, '\\x1b]0;title\\x07', is no line of Prometheus text and"
        " is left out; the rest is taken",
    ]
    assert normaliser.dropped == 9


def test_a_page_that_makes_up_names_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """A hundred are told."""
    text = "good 1\n" + "".join(f"bad{n} x x\n" for n in range(1000))
    _, normaliser = take(text)
    assert len(caplog.records) == 101
    assert "further ones are counted" in caplog.records[-1].getMessage()
    assert normaliser.dropped == 1000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!DOCTYPE html>\n<html>", r"line 1, '<!DOCTYPE html>', is HTML or XML\); check"),
        ("\n\n  <html>\nb 1\n", r"'<html>', is HTML or XML"),
        ("# x\n\nnot a page\nnor this\n", r"\(line 3, 'not a page', is no line of Prometheus text"),
        ("\x1b[2J\x1b[H", r"line 1, '\\x1b\[2J\\x1b\[H', is no line of Prometheus text"),
        ("\ufeffa 1\n", r"line 1, '\\ufeffa 1', is no line"),
    ],
)
def test_what_is_no_page_is_named_by_its_first_line(text: str, message: str) -> None:
    """In printable text."""
    with pytest.raises(ExporterError, match=message) as caught:
        take(text)
    assert str(caught.value).isprintable()


def test_a_series_that_stands_twice_counts_once(caplog: pytest.LogCaptureFixture) -> None:
    """The first; the other is told and counted."""
    samples, normaliser = take('a{x="1"} 1\na{x="1"} 2\na{x="2"} 3\n')
    assert [s.fields["value"] for s in samples] == [1.0, 3.0]
    assert normaliser.dropped == 1
    assert "a stands twice with the same labels; the first counts" in caplog.text
