"""The data folder that earlier commands filled."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from wattmark_cli.embedded import store_url_in
from wattmark_core.errors import ConfigurationError
from wattmark_core.results import Score
from wattmark_runner.records.database import RunDatabase
from wattmark_runner.records.model import RunRecord
from wattmark_store import Store, open_store


@contextmanager
def opened_store(data: Path) -> Iterator[Store]:
    """Its store. Raises ``ConfigurationError`` if it has none: reading makes no new one."""
    if not (data / "store.sqlite").exists():
        raise ConfigurationError(
            f"no store in {data}; measure first (wattmark fit), or name its folder with --data"
        )
    with closing(open_store(store_url_in(data))) as store:
        yield store


def saved_records(data: Path, run_ids: list[str]) -> list[RunRecord]:
    """The named runs, else all, oldest first. Raises ``ConfigurationError`` if there are none."""
    records: list[RunRecord] = []
    if (data / "runner.sqlite").exists():  # reading makes no new one
        with closing(RunDatabase(data / "runner.sqlite")) as database:
            records = list(database.list())[::-1]
    known = {record.run_id for record in records}
    if unknown := [name for name in run_ids if name not in known]:
        raise ConfigurationError(f"no run {unknown[0]!r} in {data}; it holds {len(known)} runs")
    chosen = [record for record in records if not run_ids or record.run_id in run_ids]
    if not chosen:
        raise ConfigurationError(f"no run in {data} yet; measure first (wattmark fit)")
    return chosen


def saved_scores(data: Path) -> Sequence[tuple[Score, ...]]:
    """The scores of each run that may stand in a table, without their checks. Raises
    ``ConfigurationError`` if there is no run."""
    if (data / "runner.sqlite").exists():  # reading makes no new one
        with closing(RunDatabase(data / "runner.sqlite")) as database:
            scores = database.newest_runs()
            if scores or any(database.counts().values()):
                return scores
    raise ConfigurationError(f"no run in {data} yet; measure first (wattmark fit)")
