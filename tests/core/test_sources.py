"""Which of several sources of one device counts."""

from dataclasses import dataclass

import pytest

from wattmark_core.catalogue import Domain, Method
from wattmark_core.sources import pin


@dataclass(frozen=True)
class Offered:
    """A counter as an exporter offers it, in few letters."""

    source: str
    device: str
    moving: bool | None = True
    domain: Domain = Domain.PACKAGE
    method: Method = Method.COUNTER


RAPL = Offered("rapl", "socket0")
STILL = Offered("rapl", "socket0", moving=False)
NODE = Offered("node_exporter", "socket0")
ESTIMATE = Offered("estimate", "cpu", method=Method.ESTIMATED)
STILL_ESTIMATE = Offered("estimate", "cpu", moving=False, method=Method.ESTIMATED)
SECOND = Offered("rapl", "socket1")
SECOND_STILL = Offered("rapl", "socket1", moving=False)
DRAM_STILL = Offered("rapl", "socket0", moving=False, domain=Domain.DRAM)


@pytest.mark.parametrize(
    ("offered", "pinned"),
    [
        ([RAPL, ESTIMATE], [RAPL]),
        ([Offered("rapl", "socket0", moving=None), ESTIMATE],
         [Offered("rapl", "socket0", moving=None)]),
        ([STILL, ESTIMATE], [ESTIMATE]),
        ([STILL, STILL_ESTIMATE], [STILL]),
        ([STILL_ESTIMATE], [STILL_ESTIMATE]),
        ([STILL], [STILL]),
        ([STILL, NODE], [NODE]),
        ([STILL, NODE, ESTIMATE], [NODE]),
        ([RAPL, NODE], [RAPL]),
        ([RAPL, SECOND_STILL], [RAPL, SECOND_STILL]),
        ([RAPL, SECOND_STILL, ESTIMATE], [RAPL, SECOND_STILL]),
        ([STILL, SECOND], [SECOND, STILL]),
        ([STILL, SECOND_STILL, ESTIMATE], [ESTIMATE]),
        ([RAPL, DRAM_STILL], [RAPL, DRAM_STILL]),
    ],
)  # fmt: skip
def test_a_counter_that_stands_still_makes_room_for_one_that_counts(
    offered: list[Offered], pinned: list[Offered]
) -> None:
    """And for the estimate, which else makes room for what is measured; with nobody in its place it
    stays, as does one of two sockets, so that it is named instead of being left out of a sum."""
    assert set(pin(offered)) == set(pinned)
    assert set(pin(reversed(offered))) == set(pinned)
