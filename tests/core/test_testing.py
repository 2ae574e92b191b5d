"""What ``wattmark_core.testing`` hands out does what the real thing does."""

from contextlib import closing
from dataclasses import replace

from wattmark_core.exporter_api import ExporterClient, HostReport, Lease, TimeBase
from wattmark_core.sample import Sample
from wattmark_core.testing import CountingStore, FakeClock, FakeExporter, MemoryStore
from wattmark_core.testing.exporter import Armed

REPORT = HostReport("h1", "boot", "i", 7, ())


def test_a_fake_exporter_answers_as_its_clients_expect() -> None:
    """Its report, its lines from the cursor on, the time base of a forced sample."""
    with FakeExporter(REPORT, ["m f=1.0 1", "m f=2.0 2"], lost=1) as exporter:
        with closing(ExporterClient(exporter.url)) as client:
            assert client.sensors() == REPORT
            first = client.samples()
            assert (first.text, first.cursor, first.lost) == ("m f=1.0 1\nm f=2.0 2\n", "i:2", 1)
            exporter.lines.append("m f=3.0 3")
            assert client.samples(first.cursor).text == "m f=3.0 3\n"
            assert client.samples("other:2").text.count("\n") == 3
            assert client.sample_now() == TimeBase("boot", "i", 7)
            client.arm(2.0)
        assert exporter.requests[-2:] == ["POST /sample", "POST /arm?seconds=2"]


def test_a_fake_exporter_tells_of_its_leases() -> None:
    """Those it was given and those that were asked for by name; 0 s end one's own. One of before
    there were leases tells of none."""
    given = Lease("x", "you", 1, 2)
    with FakeExporter(replace(REPORT, leases=(given,))) as exporter:
        with closing(ExporterClient(exporter.url)) as client:
            client.arm(20.0, lease="mine", holder="me in /srv")
            running = client.sensors().leases
            client.arm(0.0, lease="mine", holder="me in /srv")
            ended = client.sensors().leases
        assert [(lease.lease, lease.holder) for lease in running] == [
            ("x", "you"), ("mine", "me in /srv"),
        ]  # fmt: skip
        assert ended[1].end_ns < running[1].end_ns
        assert exporter.arms == [Armed(s, "mine", "me in /srv") for s in (20.0, 0.0)]
    with (
        FakeExporter(REPORT, leasing=False) as older,
        closing(ExporterClient(older.url)) as client,
    ):
        client.arm(20.0, lease="mine", holder="me")
        assert client.sensors().leases == ()


def test_a_memory_store_keeps_and_a_counting_store_counts() -> None:
    """Samples come back; each call counts once; nothing is left behind."""
    memory = MemoryStore()
    counting = CountingStore(memory)
    counting.store.write([Sample("power", (("host", "h1"),), {"watts": 2.0}, 5)])
    (data,) = counting.store.series("power", 0, 10, {"host": "h1"})
    assert list(data.fields["watts"]) == [2.0]
    assert (counting.calls["write"], counting.reads) == (1, 1)
    folder = memory.path.parent
    memory.close()
    assert not folder.exists()


def test_a_fake_clock_moves_when_it_is_set() -> None:
    """Sleeping, stepping and suspending move the clocks that they move on a machine."""
    clock = FakeClock()
    before = clock.boottime_ns(), clock.monotonic_ns(), clock.realtime_ns()
    clock.sleep(1.0)
    clock.step(10.0)
    clock.suspend(100.0)
    moved = clock.boottime_ns(), clock.monotonic_ns(), clock.realtime_ns()
    assert [(b - a) / 1e9 for a, b in zip(before, moved, strict=True)] == [101.0, 1.0, 111.0]
