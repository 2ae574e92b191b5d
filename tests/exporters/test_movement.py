"""Does a counter advance, or stand still while the machine works? In virtual time."""

from dataclasses import dataclass

import pytest

from wattmark_exporters.movement import Movement


@dataclass
class Counter:
    """A counter that is read every 100 ms, on a machine with so many busy CPUs."""

    movement: Movement
    period_seconds: float = 0.001
    cpus: float | None = 1.0
    now_ns: int = 10**18
    busy_seconds: float = 0.0

    def run(self, seconds: float, *, step_seconds: float = 0.0) -> bool | None:
        """What is known after a time in which it advanced every ``step_seconds`` (0: never)."""
        state: bool | None = None
        for number in range(1, round(seconds / 0.1) + 1):
            self.now_ns += 100_000_000
            self.movement.read(self.now_ns)
            if step_seconds and number % round(step_seconds / 0.1) == 0:
                self.movement.advanced()
            self.busy_seconds += (self.cpus or 0.0) * 0.1
            busy = None if self.cpus is None else self.busy_seconds
            state = self.movement.state(self.period_seconds, 0.1, busy)
        return state


@pytest.fixture
def counter() -> Counter:
    """Not yet read."""
    return Counter(Movement(2.0))


def test_one_that_never_moves_is_found_out(counter: Counter) -> None:
    """After some seconds, whatever the machine does."""
    counter.cpus = 0.0
    assert counter.run(3.0) is None
    assert counter.run(1.0) is False


def test_one_that_stops_is_found_out_while_the_machine_works(counter: Counter) -> None:
    """And counts again as soon as it moves."""
    assert counter.run(10.0, step_seconds=0.1) is True
    assert counter.run(3.0) is True
    assert counter.run(2.0) is False
    assert counter.run(0.1, step_seconds=0.1) is True


def test_one_that_stops_while_the_machine_rests_may_count_nothing(counter: Counter) -> None:
    """It is found out by the work that follows; where nobody counts work, after a minute."""
    counter.cpus = 0.0
    assert counter.run(10.0, step_seconds=0.1) is True
    assert counter.run(600.0) is True
    counter.cpus = 0.5
    assert counter.run(3.0) is False
    unknown = Counter(Movement(2.0), cpus=None)
    assert unknown.run(10.0, step_seconds=0.1) is True
    assert unknown.run(60.0) is True
    assert unknown.run(5.0) is False


def test_one_that_ticks_seldom_is_given_its_time(counter: Counter) -> None:
    """As its traits say it; or as it was seen to do, if they do not."""
    slow = Counter(Movement(2.0), period_seconds=10.0)
    assert slow.run(100.0) is None
    assert slow.run(2.0) is False
    assert counter.run(3.0, step_seconds=3.0) is True
    assert counter.run(60.0, step_seconds=20.0) is True
    assert counter.run(90.0) is True
    assert counter.run(20.0) is False


def test_what_it_did_while_nobody_read_it_is_not_known(counter: Counter) -> None:
    """A gap is no standstill."""
    assert counter.run(10.0, step_seconds=0.1) is True
    counter.now_ns += 3600 * 10**9
    counter.busy_seconds += 3600
    assert counter.run(1.0) is True
