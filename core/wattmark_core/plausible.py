"""What a device can draw: the bound for counters and powers from anywhere.

Energy that would take more than this cannot have been used; a counter that says so has jumped.
"""

from typing import Final

from wattmark_core.catalogue import Domain

_MOST_WATTS: Final = {
    Domain.PACKAGE: 2_000.0,
    Domain.GPU: 2_000.0,
    Domain.DRAM: 2_000.0,
    Domain.CORE: 2_000.0,
    Domain.UNCORE: 2_000.0,
    Domain.PSYS: 20_000.0,
}
"""Twice the largest board sold (GB200's GPUs are rated at 1,200 W) and four times the largest
socket; a node with eight boards and two sockets draws 12 kW (DGX B200: 14.3 kW at most)."""
LEAST_GPU_WATTS: Final = 0.5
"""No board that answers draws less: idle chips of notebooks show 1 W and more."""
MOST_GPU_MEGAHERTZ: Final = 20_000.0
COLDEST_CELSIUS: Final = -50.0
HOTTEST_CELSIUS: Final = 200.0
"""No clock of a board is faster, and no chip that answers is colder or hotter."""


def most_watts(domain: Domain, limit_watts: float | None = None) -> float:
    """The most that a device of this domain draws, W: its own limit, where it is known."""
    return _MOST_WATTS[domain] if limit_watts is None else limit_watts
