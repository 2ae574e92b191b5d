"""Which of several sources that see one device counts: the same for scores and stored power."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from wattmark_core.catalogue import Method, source_rank


class Counted(Protocol):
    """An energy counter, by its tags."""

    @property
    def domain(self) -> str:
        """What it covers: a ``catalogue.Domain``."""
        ...

    @property
    def device(self) -> str:
        """Which of several of the domain."""
        ...

    @property
    def source(self) -> str:
        """Who read it."""
        ...

    @property
    def method(self) -> str:
        """How its joules came about: a ``catalogue.Method``."""
        ...


C = TypeVar("C", bound=Counted)


def pin(offered: Iterable[C]) -> tuple[C, ...]:
    """One source per domain and device: the first in ``catalogue.SOURCE_ORDER``,
    among those that it does not name the first that is offered.

    A counter that stands still while the machine works (``moving`` is False, where it is known)
    counts only if no other source counts its domain: then it is kept, so that it is named. An
    estimate of the package is used only where no measured package counter is offered that does not
    stand still, whatever its device is called.
    """
    best: dict[tuple[str, str], C] = {}
    for counter in sorted(offered, key=lambda one: (_still(one), source_rank(one.source))):
        best.setdefault((counter.domain, counter.device), counter)
    measured = {
        counter.domain
        for counter in best.values()
        if counter.method != Method.ESTIMATED and not _still(counter)
    }
    offered_measured = {c.domain for c in best.values() if c.method != Method.ESTIMATED}
    pinned = [
        counter
        for counter in best.values()
        if counter.method != Method.ESTIMATED
        or counter.domain not in (offered_measured if _still(counter) else measured)
    ]
    going = {(counter.domain, counter.source) for counter in pinned if not _still(counter)}
    return tuple(
        counter
        for counter in pinned
        if not _still(counter)
        or not any(
            domain == counter.domain and source != counter.source for domain, source in going
        )
    )


def _still(counter: Counted) -> bool:
    return getattr(counter, "moving", None) is False
