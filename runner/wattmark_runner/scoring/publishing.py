"""A run's results into a store: windows, scores, and what is shown of them where people look."""

import logging
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TypeAlias

from wattmark_core.errors import StoreError, StoreUnavailable
from wattmark_core.results import ENERGY_SCORE, Score
from wattmark_runner.records.model import RunRecord
from wattmark_runner.scoring.reading import read_windows
from wattmark_runner.views.extras import score_extras
from wattmark_runner.views.run_points import run_points
from wattmark_runner.windows.overlap import put_again
from wattmark_scoring.window_data import WindowData
from wattmark_store import Showing, Store

log = logging.getLogger(__name__)


StoredScores: TypeAlias = dict[str, Sequence[Score]]
"""The energy scores that a store has, by workload, as far as they were read."""


def publish(
    record: RunRecord,
    store: Store,
    data: Mapping[str, WindowData] | None = None,
    stored: StoredScores | None = None,
) -> bool:
    """Write windows and scores of a run into the store, and whatever it shows of them. Scores that
    the run has no longer are deleted; marks that the store has of its windows stay.

    ``data``: what was read of the windows, by their ids; None: it is read where it is shown.
    ``stored``: what the store has after the runs before, which is completed; None: it is read.
    Writing them again changes nothing. Raises ``StoreError`` if windows or scores cannot be
    written. What is shown of them stops neither: what goes wrong there is logged. False if the
    store went away meanwhile, so that it is to be published once more.
    """
    put_again(record.windows, store)
    aside, known = _Aside(record.run_id), None
    showing = store if isinstance(store, Showing) else None
    if showing is not None:
        with aside:
            known = _known(record, showing, {} if stored is None else stored)
    for score in record.scores:
        with aside:
            if showing is not None and known is not None:
                showing.put_shown_score(score, score_extras(record, score, known))
                continue
        store.put_score(score)
    store.keep_scores(record.run_id, record.scores)
    if stored is not None and known is not None:
        stored[record.request.workload] = known
    if showing is not None and known is not None:
        with aside:
            read = read_windows(record, store) if data is None else data
            for shown in run_points(record, read, known):
                showing.show(shown.measurement, shown.owner, shown.points)
    return not aside.away


def _known(record: RunRecord, store: Showing, stored: StoredScores) -> list[Score]:
    """The energy scores of the run's workload: those of other runs as they are in the store."""
    own = [score for score in record.scores if score.formula == ENERGY_SCORE]
    workload = record.request.workload
    if workload not in stored:
        stored[workload] = store.energy_scores(workload, ENERGY_SCORE)
    return [*own, *(score for score in stored[workload] if score.run_id != record.run_id)]


class _Aside:
    """Whatever goes wrong in its blocks stops nothing that follows them; the first is logged."""

    def __init__(self, run_id: str) -> None:
        self.away = False
        self._run_id = run_id
        self._logged = False

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: TracebackType | None) -> bool:
        if not isinstance(error, Exception):
            return False
        if isinstance(error, StoreUnavailable):
            self.away = True  # others say so
        elif not self._logged:
            self._logged = True
            unforeseen = None if isinstance(error, StoreError) else error
            log.error("of run %s something is not shown: %s", self._run_id, error,
                      exc_info=unforeseen)  # fmt: skip
        return True
