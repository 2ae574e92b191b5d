"""What every store can do. Times are Unix ns; values are base units."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from wattmark_core.results import Phase, Score, Window
from wattmark_core.sample import AnySample, Tags
from wattmark_store.selection import Selection


@dataclass(frozen=True, slots=True)
class SeriesData:
    """Samples of one series in time order.

    ``times_ns``: n ints, ascending. ``fields``: per field n values; None where a sample lacks it.
    ``tags`` include ``host``.
    """

    measurement: str
    tags: Tags
    times_ns: Sequence[int]
    fields: Mapping[str, Sequence[float | int | None]]

    @property
    def tag(self) -> dict[str, str]:
        """The tags as a dictionary."""
        return dict(self.tags)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One field of one series over [start, end]: a missing value is None, never zero.

    ``largest_gap_ns``: between neighbouring samples inside; None with fewer than two.
    """

    tags: Tags
    count: int
    first: float | None
    last: float | None
    minimum: float | None
    maximum: float | None
    mean: float | None
    largest_gap_ns: int | None


class Store(Protocol):
    """Samples in, windows and scores beside them.

    All raise ``StoreError`` with one line that says what to do. ``tags`` arguments select the
    series whose tags include all those given (``host`` among them). Windows and scores that
    another version wrote and this one cannot read are left out where they are listed.
    """

    def write(self, samples: Iterable[AnySample], *, target: str = "", cursor: str = "") -> int:
        """Write samples, and the cursor of ``target`` in the same transaction.

        Writing a sample twice changes nothing. Returns how many samples were handed over.
        """
        ...

    def cursor(self, target: str) -> str:
        """The cursor last written for ``target``; empty if none."""
        ...

    def edges(
        self,
        measurement: str,
        start_ns: int,
        end_ns: int,
        tags: Mapping[str, str],
        *,
        neighbours: int = 8,
    ) -> list[SeriesData]:
        """Per series the ``neighbours`` samples on each side of each of the two instants.

        Before an instant means at or before it. The samples come as one ascending series without
        repeats. The cost does not grow with the window. Series without any such sample are left
        out; samples more than 30 s outside the window are not looked for.
        """
        ...

    def aggregate(
        self, measurement: str, field: str, start_ns: int, end_ns: int, tags: Mapping[str, str]
    ) -> list[Aggregate]:
        """Per series: count, first, last, extremes, mean and largest gap inside the window."""
        ...

    def series(
        self,
        measurement: str,
        start_ns: int,
        end_ns: int,
        tags: Mapping[str, str],
        *,
        points: int | None = None,
    ) -> list[SeriesData]:
        """Per series all samples in [start, end]; with ``points``, thinned to about that many.

        Thinning keeps the last sample of each of ``points`` equal stretches of time for counters
        (fields the catalogue calls counters) and the mean for gauges, stamped at the stretch's
        last sample.
        """
        ...

    def select(self, selections: Sequence[Selection]) -> list[list[SeriesData]]:
        """For each selection what ``series`` returns for it, all read at once: InfluxDB is sent one
        request, SQLite reads one state of its file."""
        ...

    def put_window(self, window: Window) -> None:
        """Write a window; the same ``window_id`` again replaces it."""
        ...

    def put_score(self, score: Score) -> None:
        """Write a score; the same run, model, boundary and formula again replace it."""
        ...

    def keep_scores(self, run_id: str, scores: Sequence[Score]) -> None:
        """Delete all scores of a run but these, which are written already."""
        ...

    def windows(
        self,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        host: str = "",
        run_id: str = "",
        phase: Phase | None = None,
    ) -> list[Window]:
        """Windows that touch [start, end], by start time."""
        ...

    def scores(self, *, host: str = "", run_id: str = "", workload: str = "") -> list[Score]:
        """Scores, newest run first."""
        ...

    def close(self) -> None:
        """Finish what is being written and close."""
        ...


@runtime_checkable
class Maintained(Protocol):
    """A store whose one-minute values and forgetting are the collector's work."""

    def roll_up(self, now_ns: int) -> int:
        """Make the one-minute values of minutes that are over and were written since; how many.
        Raises ``StoreError``, and then those that are not made yet stay due."""
        ...

    def rolling_up(self, now_ns: int) -> Iterator[int]:
        """The same in steps of about a second at most; how many each made. What is not made when
        the iterator is dropped stays due."""
        ...

    def prune(self, now_ns: int) -> int:
        """Forget samples after 14 days and one-minute values after 2 years; how many."""
        ...


@dataclass(frozen=True, slots=True)
class ViewPoint:
    """A point that is there to be looked at: measurement and names are those of
    ``influx_views.RESULT_VIEWS``. A number that is not finite is left out."""

    measurement: str
    tags: Tags
    fields: Mapping[str, float | int | str]
    time_ns: int


@runtime_checkable
class Showing(Protocol):
    """A store that people look at by itself (Grafana): it holds texts beside scores, and points
    that repeat what a run's record says. What is shown again is there once."""

    def put_shown_score(self, score: Score, extras: Mapping[str, str | int]) -> None:
        """``put_score``, with texts and integers under names of ``influx_lines.RESULT_EXTRAS``."""
        ...

    def energy_scores(self, workload: str, formula: str) -> list[Score]:
        """The scores of a workload by a formula, without their checks, newest run first."""
        ...

    def show(self, measurement: str, owner: Mapping[str, str], points: Sequence[ViewPoint]) -> None:
        """Write the points, which have the tags ``owner``; then delete all others that have them.

        The same points again change nothing.
        """
        ...


@dataclass(frozen=True, slots=True)
class FilledDay:
    """A day whose power is there: its start, how many points of a minute were missing, and how
    many days are done of how many."""

    start_ns: int
    points: int
    days: int
    of_days: int


@runtime_checkable
class BackFilled(Protocol):
    """A store in which power is made of counters, which it may hold from longer ago."""

    def back_fill(
        self, now_ns: int, since_ns: int | None = None, *, older: bool = False
    ) -> Iterator[FilledDay]:
        """Make the power that is missing, from the first one-minute value on or from ``since_ns``;
        newest day first. Doing it again changes nothing. ``older``: none of the days after the
        first that has power, as where it was stopped before its end."""
        ...
