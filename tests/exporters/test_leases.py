"""Who asks for close sampling: each lease by its own name."""

import pytest

from wattmark_core.errors import ConfigurationError
from wattmark_core.exporter_api import Lease
from wattmark_core.testing import FakeClock
from wattmark_exporters.leases import MOST_LEASES, Leases, TooManyLeases

OFFSET_NS = 7


@pytest.fixture
def leases(clock: FakeClock) -> Leases:
    """None yet, in virtual time."""
    return Leases(clock.boottime_ns)


def left_seconds(leases: Leases, clock: FakeClock) -> float:
    """How long close sampling goes on."""
    return (leases.until_ns - clock.boottime_ns()) / 1e9


def test_zero_ends_ones_own_lease_only(leases: Leases, clock: FakeClock) -> None:
    """Another's goes on, and so does the one of clients that have no name for theirs."""
    leases.arm(100, "a", "run 1")
    leases.arm(50, "b", "run 2")
    leases.arm(20)
    leases.arm(0, "a")
    assert left_seconds(leases, clock) == 50
    leases.arm(0, "b")
    assert left_seconds(leases, clock) == 20
    leases.arm(0, "unknown")
    assert left_seconds(leases, clock) == 20
    leases.arm(0)
    assert leases.until_ns == 0


def test_a_shorter_lease_does_not_cut_a_longer_one(leases: Leases, clock: FakeClock) -> None:
    """Of the same name; and none is longer than an hour."""
    leases.arm(100, "a")
    leases.arm(1, "a")
    assert left_seconds(leases, clock) == 100
    leases.arm(1e9, "a")
    assert left_seconds(leases, clock) == 3600


def test_the_leases_of_ten_minutes_are_told(leases: Leases, clock: FakeClock) -> None:
    """In Unix time, with who held them and until when; the older ones are forgotten."""
    start_ns = clock.now_ns + OFFSET_NS
    leases.arm(100, "a", "run\x1b 1")
    clock.advance(10)
    leases.arm(30, "b", "run 2")
    leases.arm(0, "a")
    clock.advance(60)
    assert leases.report(OFFSET_NS) == (
        Lease("a", "run\\x1b 1", start_ns, start_ns + 10 * 10**9),
        Lease("b", "run 2", start_ns + 10 * 10**9, start_ns + 40 * 10**9),
    )
    clock.advance(545)
    assert [lease.lease for lease in leases.report(OFFSET_NS)] == ["b"]
    leases.arm(5, "a")
    assert [lease.lease for lease in leases.report(OFFSET_NS)] == ["b", "a"]


def test_names_and_numbers_have_an_end(leases: Leases, clock: FakeClock) -> None:
    """Of names that cannot be kept, and of leases at once; one's own can be extended all the
    same, and what is kept of ended ones stays small."""
    for name in ("x" * 101, "a\x00", "\u202e"):
        with pytest.raises(ConfigurationError, match="printable"):
            leases.arm(1, name)
    for number in range(MOST_LEASES):
        leases.arm(10, f"l{number}", "h" * 500)
    with pytest.raises(TooManyLeases):
        leases.arm(10, "one more")
    leases.arm(20, "l0")
    assert left_seconds(leases, clock) == 20
    assert max(len(lease.holder) for lease in leases.report(0)) == 100
    for number in range(500):
        clock.advance(21)
        leases.arm(10, f"m{number}")
    assert len(leases.report(0)) < 2 * MOST_LEASES
