"""The measuring loop, in virtual time."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wattmark_core.testing import FakeClock
from wattmark_core.units import seconds_to_ns
from wattmark_runner.worker.measurement import Measurement, Network, count_correct
from wattmark_runner.worker.protocol import EdgeReached, Measure, PhaseEnd, WorkerMessage


@dataclass
class TimedNetwork(Network):
    """Takes ``batch_ns`` of virtual time a batch and notes when it was at work."""

    clock: FakeClock
    images: int
    batches: int
    batch_ns: int
    busy: list[tuple[int, int]] = field(default_factory=list)

    def infer(self, first: int, last: int) -> bytes:
        start = self.clock.now_ns
        self.clock.now_ns += (last - first) * self.batch_ns
        self.busy.append((start, self.clock.now_ns))
        return bytes((last - first) * self.images // self.batches)


def measured(
    command: Measure, *, batches: int = 4, batch_ms: float = 1.0
) -> tuple[list[WorkerMessage], Measurement, TimedNetwork]:
    """All events of a measurement in virtual time."""
    clock = FakeClock()
    network = TimedNetwork(clock, images=8 * batches, batches=batches, batch_ns=int(batch_ms * 1e6))
    events: list[WorkerMessage] = []
    measurement = Measurement(network, command, clock, lambda: clock.now_ns, events.append)
    measurement.run()
    return events, measurement, network


def windows_of(events: list[WorkerMessage], phase: str) -> list[PhaseEnd]:
    return [event for event in events if isinstance(event, PhaseEnd) and event.phase == phase]


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 5), st.floats(0.01, 3.0), st.floats(0.0, 1.0), st.floats(0.0, 4.0),
    st.integers(1, 40), st.floats(0.05, 400.0),
)  # fmt: skip
def test_windows_and_guards_are_as_long_as_asked(
    repeats: int, seconds: float, guard: float, warmup: float, batches: int, batch_ms: float
) -> None:
    """Every window lasts at least what was asked, every gap between windows at least a guard."""
    command = Measure(repeats, seconds, guard, warmup)
    events, _, network = measured(command, batches=batches, batch_ms=batch_ms)
    windows = windows_of(events, "warmup") + windows_of(events, "inference")
    assert len(windows) == repeats + 1
    assert windows[0].end_ns - windows[0].start_ns >= seconds_to_ns(warmup)
    for before, after in pairwise(windows):
        assert after.end_ns - after.start_ns >= seconds_to_ns(seconds)
        assert after.start_ns - before.end_ns >= seconds_to_ns(guard)
    assert network.busy[-1][1] - windows[-1].end_ns >= seconds_to_ns(guard)


def test_the_load_has_no_gap() -> None:
    """From the first inference to the last the network is always at work, guards included."""
    _, _, network = measured(Measure(3, 1.0, 0.5, 1.0))
    gaps = [after[0] - before[1] for before, after in pairwise(network.busy)]
    assert set(gaps) == {0}


def test_a_window_counts_whole_passes_and_nothing_of_the_guards() -> None:
    """What is counted is what was done between the edges: whole passes over the test set."""
    events, measurement, network = measured(Measure(2, 1.0, 0.5, 1.0))
    for window, classes in zip(
        windows_of(events, "inference"), measurement.predictions, strict=True
    ):
        inside = sum(
            end - start
            for start, end in network.busy
            if start >= window.start_ns and end <= window.end_ns
        )
        assert inside == window.end_ns - window.start_ns
        assert window.inferences == sum(map(len, classes))
        assert window.inferences % network.images == 0
        assert window.inferences == inside // network.batch_ns * 8


def test_warm_up_is_at_least_ten_batches() -> None:
    """Without any time asked for, ten batches and one pass still come first."""
    events, _, _ = measured(Measure(1, 0.1, 0.1, 0.0), batches=4)
    assert windows_of(events, "warmup")[0].inferences == 12 * 8


def test_edges_are_reported_before_what_follows() -> None:
    """Each window's opening and closing are reported, in order, and its result during the guard."""
    events, _, _ = measured(Measure(2, 1.0, 0.5, 1.0))
    kinds = [
        (type(event).__name__, event.phase, event.repeat)
        for event in events
        if isinstance(event, EdgeReached | PhaseEnd)
    ]
    expected = [
        (kind, phase, repeat)
        for phase, repeat in (("warmup", 0), ("inference", 0), ("inference", 1))
        for kind in ("EdgeReached", "EdgeReached", "PhaseEnd")
    ]
    assert kinds == expected


def test_correct_predictions_are_counted_in_every_pass() -> None:
    """Passes may be joined in one answer, and may differ."""
    assert count_correct([b"\1\2\3\1\2\0", b"\0\0\3"], b"\1\2\3") == 6


@pytest.mark.parametrize("labels", [b"", b"\1\2"])
def test_predictions_without_labels_are_refused(labels: bytes) -> None:
    """A prediction that has no label has no accuracy: one clear error."""
    with pytest.raises(ValueError, match="predictions without labels"):
        count_correct([b"\1\2\3"], labels)
