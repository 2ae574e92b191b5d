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

    An estimate of the package is used only where no measured package counter is offered, whatever
    its device is called.
    """
    best: dict[tuple[str, str], C] = {}
    for counter in sorted(offered, key=lambda counter: source_rank(counter.source)):
        best.setdefault((counter.domain, counter.device), counter)
    measured = {counter.domain for counter in best.values() if counter.method != Method.ESTIMATED}
    return tuple(
        counter
        for counter in best.values()
        if counter.method != Method.ESTIMATED or counter.domain not in measured
    )
