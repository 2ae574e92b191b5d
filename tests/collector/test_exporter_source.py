"""One poll of an exporter, against a small server that speaks its contract."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from tests.damage import Damage, damaged
from wattmark_collector.exporter import ExporterSource
from wattmark_collector.host_ownership import HostOwnership
from wattmark_collector.targets import Target
from wattmark_core.exporter_api import HostReport
from wattmark_core.line_protocol import decode
from wattmark_core.sample import Sample
from wattmark_core.testing import FakeClock, FakeExporter

LINES = ("m,host=h1 f=1.0 5", "not a line", "m,host=h1 f=1i 9223372036854775808", "m f=2.0 6")
REPORT = HostReport("h1", "b", "i", 0, ())


@pytest.fixture
def exporter() -> Iterator[FakeExporter]:
    """Its ring holds two samples that can be read; three have left it."""
    with FakeExporter(REPORT, LINES, lost=3) as made:
        yield made


@pytest.fixture
def source(exporter: FakeExporter) -> Iterator[ExporterSource]:
    """The source of that exporter, from its first sample on."""
    clock = FakeClock()
    target = Target("t", f"{exporter.url}/samples", 1.0, 5.0)
    made = ExporterSource(target, "i:0", HostOwnership(clock), clock)
    yield made
    made.close()


def test_bad_lines_are_dropped_and_counted(
    source: ExporterSource, caplog: pytest.LogCaptureFixture
) -> None:
    """The rest is taken; what was lost is counted and logged; the host is the exporter's."""
    with caplog.at_level(logging.WARNING):
        batch = source.read()
    read = [
        Sample(sample.measurement, sample.tags, sample.fields, sample.time_ns)
        for sample in batch.samples
    ]
    assert read == [
        Sample("m", (("host", "h1"),), {"f": 1.0}, 5),
        Sample("m", (("host", "h1"),), {"f": 2.0}, 6),
    ]
    assert (batch.cursor, source.dropped, source.lost, source.host) == ("i:4", 2, 3, "h1")
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 3
    assert "3 samples left its ring" in messages[0]
    assert "not a line of samples: 'not a line'" in messages[1]
    assert "an integer has over 64 bits: 'm,host=h1 f=1i" in messages[2]


def test_the_cursor_goes_on_after_the_commit_only(
    source: ExporterSource, exporter: FakeExporter
) -> None:
    """A batch that did not get into the store is fetched again."""
    source.read()
    batch = source.read()
    source.committed(batch)
    source.read()
    pages = [request for request in exporter.requests if request.startswith("GET /samples")]
    assert pages == ["GET /samples?after=i%3A0"] * 2 + ["GET /samples?after=i%3A4"]
    assert exporter.requests.count("GET /sensors") == 1


def test_the_clock_offset_is_known_where_the_exporter_states_its_time(
    source: ExporterSource, exporter: FakeExporter
) -> None:
    """Missing otherwise, not zero."""
    source.read()
    assert source.clock_offset_seconds is None
    behind = FakeClock()
    behind.step(-2.5)
    exporter.clock = behind
    source.read()
    assert source.clock_offset_seconds == -2.5


def test_foreign_text_is_printable_before_it_is_kept(
    source: ExporterSource, exporter: FakeExporter, caplog: pytest.LogCaptureFixture
) -> None:
    """Tags are escaped; a name that cannot be printed is refused with its series; the rest of the
    page is taken."""
    exporter.lines = [
        "m,host=h1,gpu=\x1b[31mA100 f=1.0 5", "m\x1b,host=h1 f=1.0 5", "m,host=h1 f\u202e=1.0 5",
        "\x1b[2J", "m f=2.0 6",
    ]  # fmt: skip
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            batch = source.read()
            assert [(s.measurement, s.tags, dict(s.fields)) for s in batch.samples] == [
                ("m", (("gpu", "\\x1b[31mA100"), ("host", "h1")), {"f": 1.0}),
                ("m", (("host", "h1"),), {"f": 2.0}),
            ]
    assert source.dropped == 9
    told = [r.getMessage() for r in caplog.records if "left its ring" not in r.getMessage()]
    assert len(told) == 3
    assert all(line.isprintable() for line in told)


def test_times_that_no_ring_reaches_are_left_out(
    source: ExporterSource, exporter: FakeExporter
) -> None:
    """By the exporter's own clock, however far that is off."""
    exporter.clock = FakeClock()
    exporter.clock.step(-1e6)
    now_ns = exporter.clock.realtime_ns()
    times = [-1, 0, 5, now_ns - 600_000_000_000, now_ns, now_ns + 3600_000_000_000, now_ns * 1000]
    exporter.lines = [f"m f=1.0 {time_ns}" for time_ns in times]
    assert [s.time_ns for s in source.read().samples] == [now_ns - 600_000_000_000, now_ns]
    assert source.dropped == 5


def test_an_exporter_that_says_it_is_another_host_gets_none_of_its_series(
    exporter: FakeExporter, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even of a sensor that the other one does not report."""
    clock = FakeClock()
    ownership = HostOwnership(clock)
    energy = "energy,domain=gpu,device=g0,host=x joules=1.0 5"
    with FakeExporter(HostReport("gpu1", "b2", "j", 0, ()), (energy, "own f=1.0 5")) as other:
        bound = Target("t", f"{exporter.url}/samples", 1.0, 5.0, host="gpu1")
        exporter.lines = [energy]
        owner = ExporterSource(bound, "", ownership, clock)
        claims = ExporterSource(Target("t", f"{other.url}/samples", 1.0, 5.0), "", ownership, clock)
        assert len(owner.read().samples) == 1
        assert [s.measurement for s in claims.read().samples] == ["own"]
        assert len(owner.read().samples) == 1
        assert claims.dropped == 1
        owner.close()
        claims.close()
    assert f"is left out, it is given by {bound.url}" in caplog.text


PAGE = b"".join(
    b"energy,device=g%d,domain=gpu,host=h1 joules=%d.5,epoch=17i %d\n"
    b"cpu,host=h1 busy_seconds=%d.25 %d\n" % (n % 3, n, n, n, n)
    for n in range(1, 9)
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(damaged(PAGE))
def test_damage_costs_the_lines_that_it_is_in(exporter: FakeExporter, damage: Damage) -> None:
    """Every sample of every other line is unchanged."""
    clock = FakeClock()
    exporter.lines = damage.text.decode("latin-1").split("\n")
    target = Target("t", f"{exporter.url}/samples", 1.0, 5.0)
    source = ExporterSource(target, "", HostOwnership(clock), clock)
    taken = [(s.measurement, s.tags, dict(s.fields), s.time_ns) for s in source.read().samples]
    source.close()
    for index, line in enumerate(PAGE.decode().splitlines()):
        whole = decode(line)
        if index not in damage.lines:
            assert (whole.measurement, whole.tags, dict(whole.fields), whole.time_ns) in taken
