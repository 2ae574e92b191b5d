"""What is forgotten of runs with time, so that the file does not grow for ever."""

from collections.abc import Sequence
from typing import Final

from wattmark_runner.records.connections import Connections
from wattmark_runner.records.events import PROGRESS
from wattmark_runner.records.model import FINAL
from wattmark_store.vacuum import give_back

AT_ONCE: Final = 1000
"""Rows in a transaction: others wait some ms."""
_FAR: Final = 2**63 - 1
_ENDED: Final = (
    "SELECT run_id FROM runs WHERE ended_ns < ? AND state IN"  # noqa: S608 - our own names of states
    f" ({', '.join(repr(str(state)) for state in sorted(FINAL))})"
)
_OF_RUN: Final = (
    "DELETE FROM score_bodies WHERE id IN (SELECT id FROM scores WHERE seq = :seq)",
    "DELETE FROM scores WHERE seq = :seq",
    "DELETE FROM acts WHERE subject = :run_id"
    " OR subject IN (SELECT window_id FROM windows WHERE run_id = :run_id)",
    "DELETE FROM windows WHERE run_id = :run_id",
    "DELETE FROM events WHERE run_id = :run_id",
    "DELETE FROM unpublished WHERE run_id = :run_id",
    "DELETE FROM window_facts WHERE run_id = :run_id",
    "DELETE FROM runs WHERE seq = :seq",
)


class Ageing(Connections):
    """Forgetting; each call is a few short transactions. Methods raise ``StoreError``."""

    def forget_events(self, before_ns: int) -> int:
        """Drop what was reported of runs that ended before, but for their states: the records hold
        their windows and notices; how many. Progress goes with the end of any run."""
        old, over = (
            f"kind <> 'state' AND run_id IN ({_ENDED})",
            f"kind = ? AND run_id IN ({_ENDED})",
        )
        forgotten = 0
        while True:
            with self.transaction() as connection:
                done = connection.execute(
                    f"DELETE FROM events WHERE id IN (SELECT id FROM events WHERE {old}"  # noqa: S608 - our own text
                    f" OR {over} LIMIT ?)",
                    (before_ns, PROGRESS, _FAR, AT_ONCE),
                ).rowcount
            forgotten += done
            if done < AT_ONCE:
                return forgotten

    def ended_before(self, before_ns: int) -> Sequence[str]:
        """The runs that ended before, oldest first."""
        with self.transaction() as connection:
            rows = connection.execute(f"{_ENDED} ORDER BY seq", (before_ns,)).fetchall()
        return [run_id for (run_id,) in rows]

    def forget_run(self, run_id: str) -> None:
        """Drop a run with all that is about it."""
        with self.transaction() as connection:
            row = connection.execute("SELECT seq FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            for statement in _OF_RUN if row else ():
                connection.execute(statement, {"seq": row[0], "run_id": run_id})

    def shrink(self) -> None:
        """Give pages that nothing stands in back to the disk."""
        done = 1
        while done:
            with self.transaction() as connection:
                connection.execute("BEGIN IMMEDIATE")
                done = give_back(connection)
