"""Verdicts on a machine that does other things meanwhile, as one that tests side by side does."""

from collections.abc import Mapping
from typing import Any, Final

from wattmark_core.results import Verdict

OF_THE_MACHINE: Final = frozenset({"foreign CPU", "steal", "pauses"})
"""Checks of what else it did, which may fail here whatever is tested."""
ORDER: Final = [str(verdict) for verdict in (Verdict.VALID, Verdict.WARNED, Verdict.INVALID)]


def verdict_of_the_rest(score: Mapping[str, Any]) -> str:
    """The verdict of a score's other checks."""
    rest = [check for check in score["checks"] if check["name"] not in OF_THE_MACHINE]
    return str(max((check["verdict"] for check in rest), key=ORDER.index))
