"""One target's thread: what it is asked to wait, and what a store does not take."""

import time
from collections.abc import Callable, Iterable
from threading import Event
from typing import Any

from wattmark_collector.health import Health
from wattmark_collector.poller import Poller, StoreHealth, next_due
from wattmark_collector.sources import Batch
from wattmark_collector.targets import Target
from wattmark_core.errors import ExporterError
from wattmark_core.sample import AnySample
from wattmark_core.testing import FakeClock

WaitFor = Callable[[Callable[[], object]], None]


class Asking:
    """A target that asks to be left alone."""

    host, dropped, lost, clock_offset_seconds = "h", 0, 0, None

    def __init__(self, wait_seconds: float | None) -> None:
        self.wait_seconds = wait_seconds
        self.polls: list[float] = []

    def read(self) -> Batch:
        """Refuses, and says for how long."""
        self.polls.append(time.monotonic())
        error = ExporterError("target t answered 429")
        error.wait_seconds = self.wait_seconds
        raise error

    def committed(self, batch: Batch) -> None:
        """Never."""

    def close(self) -> None:
        """Nothing is open."""


class Taking:
    """A sink that fails as it is told."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.samples: list[AnySample] = []
        self.called = Event()

    def write(self, samples: Iterable[AnySample], **_: Any) -> int:
        """Keeps them, or fails."""
        self.called.set()
        if self.error is not None:
            raise self.error
        self.samples += samples
        return 1

    def cursor(self, target: str) -> str:
        """None."""
        return ""

    def roll_up(self, now_ns: int) -> int:
        """Nothing to do."""
        return 0

    def prune(self, now_ns: int) -> int:
        """Nothing to do."""
        return 0

    def close(self) -> None:
        """Nothing is open."""


def poller(source: Any, sink: Taking, health: Health | None = None) -> Poller:
    """Of a target that is due every 20 ms."""
    target = Target("t", "http://t/metrics", 0.02, 1.0)
    return Poller(target, source, sink, health or Health(), StoreHealth(), FakeClock())


def test_a_target_that_asks_for_it_is_left_alone() -> None:
    """It is down meanwhile, and not overdue: the collector is in good health."""
    source, sink, health = Asking(120.0), Taking(), Health()
    running = poller(source, sink, health)
    running.start()
    assert running.tried.wait(30.0)
    time.sleep(0.3)
    assert len(source.polls) == 1
    running.stop()
    running.join(30.0)
    assert not running.is_alive()
    assert [sample.fields["up"] for sample in sink.samples] == [0]
    assert next_due(0.5 + 120.0, 1.0) == 121.0


def test_one_that_asks_for_nothing_is_polled_again(wait_for: WaitFor) -> None:
    """At its interval."""
    source = Asking(None)
    running = poller(source, Taking())
    running.start()
    wait_for(lambda: len(source.polls) >= 3)
    running.stop()
    running.join(30.0)


def test_whatever_a_store_does_polling_goes_on(wait_for: WaitFor) -> None:
    """An error that nobody has thought of ends no thread."""
    source, sink = Asking(None), Taking(UnicodeError("lone surrogate"))
    running = poller(source, sink)
    running.start()
    wait_for(lambda: len(source.polls) >= 3)
    assert running.is_alive()
    running.stop()
    running.join(30.0)
