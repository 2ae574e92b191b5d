"""A run's results into a store: windows, scores, and what is shown of them where people look."""

from wattmark_core.results import Score
from wattmark_runner.records import RunRecord
from wattmark_runner.views import views
from wattmark_runner.views.extras import score_extras
from wattmark_scoring.scores import ENERGY_SCORE
from wattmark_store import Showing, Store


def publish(record: RunRecord, store: Store) -> None:
    """Write windows and scores of a run into the store, and whatever it shows of them.

    Writing them again changes nothing. Raises ``StoreError``.
    """
    for window in record.windows:
        store.put_window(window)
    if isinstance(store, Showing):
        known = _known(record, store)
        for score in record.scores:
            store.put_shown_score(score, score_extras(record, score, known))
        for shown in views(record, store, known):
            store.show(shown.measurement, shown.owner, shown.points)
    else:
        for score in record.scores:
            store.put_score(score)


def _known(record: RunRecord, store: Showing) -> list[Score]:
    """The energy scores of the run's workload: those of other runs as they are in the store."""
    own = [score for score in record.scores if score.formula == ENERGY_SCORE]
    stored = store.energy_scores(record.request.workload, ENERGY_SCORE)
    return [*own, *(score for score in stored if score.run_id != record.run_id)]
