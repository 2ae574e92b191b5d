"""What was noted of a window while it lasted, and stands in no sample."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WindowFacts:
    """Of one window; None: not known.

    ``clock_step_seconds``: by how much the wall clock was stepped; ``suspended_seconds``: how long
    the machine slept; ``pause_seconds``: by how much the longest of the work's steps was longer
    than the usual one; ``stopped_seconds``: how long a signal had stopped the work.
    ``others``: who else measured on the same exporter. ``claims``: by their ids, windows whose
    times their client gave, or that the runner stamped while this one has its client's: they are
    said to share its time.
    """

    clock_step_seconds: float | None = None
    suspended_seconds: float | None = None
    pause_seconds: float | None = None
    stopped_seconds: float | None = None
    others: tuple[str, ...] = ()
    claims: dict[str, str] = field(default_factory=dict)
