"""A clock for tests in virtual time."""

from dataclasses import dataclass

from wattmark_core.units import seconds_to_ns


@dataclass(slots=True)
class FakeClock:
    """A clock that moves only when it is set or slept on; for tests in virtual time."""

    now_ns: int = 1_000_000_000_000
    offset_ns: int = 1_700_000_000_000_000_000
    suspended_ns: int = 0

    def boottime_ns(self) -> int:
        return self.now_ns

    def monotonic_ns(self) -> int:
        return self.now_ns - self.suspended_ns

    def realtime_ns(self) -> int:
        return self.now_ns + self.offset_ns

    def sleep(self, seconds: float) -> None:
        self.advance(max(0.0, seconds))

    def advance(self, seconds: float) -> None:
        """Let all three clocks go on."""
        self.now_ns += seconds_to_ns(seconds)

    def step(self, seconds: float) -> None:
        """Step the wall clock, as NTP or a user does."""
        self.offset_ns += seconds_to_ns(seconds)

    def suspend(self, seconds: float) -> None:
        """Let the machine sleep: boot time and wall clock go on, monotonic time does not."""
        self.now_ns += seconds_to_ns(seconds)
        self.suspended_ns += seconds_to_ns(seconds)
