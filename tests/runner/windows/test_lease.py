"""A process holds one lease at an exporter, by name, and sees those of others."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from wattmark_core.clock import boot_id
from wattmark_core.exporter_api import HostReport, Lease
from wattmark_core.results import Phase, Window
from wattmark_core.testing import FakeClock, FakeExporter, MemoryStore
from wattmark_runner.windows.exporter_link import ExporterLink
from wattmark_runner.windows.lease import UNNAMED, holders_in, lease_id, name_folder
from wattmark_runner.windows.recorder import Recorder
from wattmark_runner.windows.stamping import clock_facts

S = 1_000_000_000
OFFSET = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
REPORT = HostReport("h", boot_id(), "i", OFFSET, ())
OTHER = """\
import sys
from pathlib import Path
from wattmark_runner.windows.exporter_link import ExporterLink
from wattmark_runner.windows.lease import name_folder
name_folder(Path(sys.argv[2]))
with ExporterLink(sys.argv[1]) as link:
    link.arm()
    link.others()
    print("armed", flush=True)
    sys.stdin.readline()
"""


def await_that(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_all_links_of_a_process_hold_one_lease(tmp_path: Path) -> None:
    """With its name; it ends with the last link that wants it, not before."""
    name_folder(tmp_path)
    with FakeExporter(REPORT) as exporter:
        with ExporterLink(exporter.url) as one:
            one.arm()
            with ExporterLink(exporter.url) as other:
                other.arm()
                other.others()
            one.others()
            assert [armed.seconds for armed in exporter.arms] == [20.0, 20.0]
        assert [armed.seconds for armed in exporter.arms] == [20.0, 20.0, 0.0]
        assert {armed.lease for armed in exporter.arms} == {lease_id()}
        (holder,) = {armed.holder for armed in exporter.arms}
        assert f", process {os.getpid()}, in " in holder
        assert holder.endswith(tmp_path.name)
        assert len(holder) <= 100
        assert holder.isprintable()


def test_a_lease_ends_soon_after_its_last_window() -> None:
    """The link stays open; samples beyond the window's end are still taken closely."""
    with FakeExporter(REPORT) as exporter, ExporterLink(exporter.url) as link:
        link.edge(armed=1)
        closing = link.edge(armed=-1)
        closing.base()
        link.others()
        assert [armed.seconds for armed in exporter.arms] == [20.0] * bool(exporter.arms)
        link.edge(armed=1).base()
        link.others()
        link.disarm()
        await_that(lambda: exporter.arms[-1].seconds == 0.0)
        link.edge(armed=1).base()
        await_that(lambda: exporter.arms[-1].seconds == 20.0)


def test_an_exporter_without_leases_is_asked_as_ever() -> None:
    """To end one there would end everybody's: it runs out by itself."""
    with FakeExporter(REPORT, leasing=False) as exporter:
        with ExporterLink(exporter.url) as link:
            link.arm()
            link.others()
            link.disarm()
            assert link.others() == ()
        assert [armed.seconds for armed in exporter.arms] == [20.0]


def test_another_process_is_seen_by_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its program, folder and number; a recorder marks the window that it shared and no other."""
    with FakeExporter(REPORT) as exporter, closing(MemoryStore()) as store:
        with subprocess.Popen(
            [sys.executable, "-c", OTHER, exporter.url, str(tmp_path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as other:  # fmt: skip
            assert other.stdout is not None
            assert other.stdout.readline() == "armed\n"
            with (
                caplog.at_level(logging.WARNING),
                Recorder(exporter.url, store) as recorder,
                recorder.window(label="shared"),
            ):
                time.sleep(0.01)
            other.communicate("\n")
        assert f", process {other.pid}, in " in caplog.text
        assert f"{tmp_path.name} measured at the same time" in caplog.text
        time.sleep(0.01)
        with Recorder(exporter.url, store) as recorder, recorder.window(label="alone"):
            time.sleep(0.01)
        marks = {window.label: window.overlapping for window in store.windows()}
    assert marks == {"shared": True, "alone": False}


@pytest.mark.parametrize(
    ("lease", "named"),
    [
        (Lease("x", "you", 12 * S, 15 * S), ("you",)),
        (Lease("x", "you", 0, 30 * S), ("you",)),
        (Lease("x", "", 12 * S, 15 * S), (UNNAMED,)),
        (Lease("", "", 12 * S, 15 * S), (UNNAMED,)),
        (Lease("x", "\x1b[31myou", 12 * S, 15 * S), ("\\x1b[31myou",)),
        (Lease("x", "you", 20 * S, 30 * S), ()),
        (Lease("x", "you", 0, 10 * S), ()),
        (Lease("x", "you", 0, 10 * S + S // 2), ()),  # it lingered for the samples beyond its end
        (Lease(lease_id(), "me", 12 * S, 15 * S), ()),
    ],
)
def test_who_held_a_lease_in_a_window(lease: Lease, named: tuple[str, ...]) -> None:
    """From 10 s to 20 s: others, each by name."""
    assert holders_in(Window("w", "h", Phase.INFERENCE, 10 * S, 20 * S), [lease]) == named


def test_what_a_killed_service_held_is_no_strangers(tmp_path: Path) -> None:
    """Its successor on the same data folder scores what it measured; one that still runs there, or
    that worked on another folder, is named."""
    name_folder(tmp_path)
    with subprocess.Popen(["sleep", "60"]) as running:
        key = lease_id().partition("-")[0]
        window = Window("w", "h", Phase.INFERENCE, 10 * S, 20 * S)

        def named(lease: str) -> tuple[str, ...]:
            return holders_in(window, [Lease(lease, "before", 12 * S, 15 * S)])

        assert named(f"{key}-abc-{running.pid}") == ("before",)
        running.kill()
        running.wait()
        assert named(f"{key}-abc-{running.pid}") == ()
        assert named(f"0123456789abcdef-abc-{running.pid}") == ("before",)


@pytest.mark.parametrize(
    ("move", "step", "slept"),
    [
        (lambda clock: clock.advance(10.0), 0.0, 0.0),
        (lambda clock: clock.step(-3600.0), -3600.0, 0.0),
        (lambda clock: clock.suspend(8.0), 0.0, 8.0),
    ],
)
def test_a_clock_that_jumps_in_a_window_is_noted(
    move: Callable[[FakeClock], None], step: float, slept: float
) -> None:
    """A step of the wall clock and a sleep of the machine, each as what it is."""
    clock = FakeClock()
    with FakeExporter(REPORT) as exporter, ExporterLink(exporter.url, clock=clock) as link:
        opening = link.edge()
        assert opening.base() is not None
        move(clock)
        facts = clock_facts(opening, link.edge())
    assert facts.clock_step_seconds == pytest.approx(step)
    assert facts.suspended_seconds == pytest.approx(slept)
