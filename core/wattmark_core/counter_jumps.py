"""Which changes of an energy counter can be energy: one bound for counters of all origins."""

from typing import Final

STEP_JOULES: Final = 2.0
"""Rise allowed at any time: the coarsest counter known (psys of Sapphire Rapids) counts in 1 J."""


def can_rise(joules: float, bound_watts: float, seconds: float) -> bool:
    """Whether a device that draws at most ``bound_watts`` can have used ``joules`` in that time.

    False for a fall. A counter that jumps is held back until a later value follows from the one it
    jumped to: then the counter was reset and an epoch begins there; otherwise the value was wrong.
    """
    return 0 <= joules <= bound_watts * seconds + STEP_JOULES
