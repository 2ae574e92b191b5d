"""Who asked for a run or window, cancelled it, closed it: by the names of their keys."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum

from wattmark_runner.records.connections import Connections


class Act(StrEnum):
    """What somebody did with a run or window."""

    REQUESTED = "requested"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class Acts(Connections):
    """Acts by the run or window that they were about. Methods raise ``StoreError``."""

    def note(self, act: Act, name: str, *subjects: str) -> None:
        """Keep that the holder of the key ``name`` did this; nothing where there are no keys."""
        if not name:
            return
        now = time.time_ns()
        with self.transaction() as connection:
            connection.executemany(
                "INSERT INTO acts (subject, act, name, time_ns) VALUES (?,?,?,?)",
                [(subject, str(act), name, now) for subject in subjects],
            )

    def acts(self, subjects: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
        """For each run or window, which act was whose; the last one of a kind counts."""
        ids = list(subjects)
        marks = ",".join("?" * len(ids))
        with self.transaction() as connection:
            rows = connection.execute(
                f"SELECT subject, act, name FROM acts WHERE subject IN ({marks}) ORDER BY id",  # noqa: S608 - question marks
                ids,
            ).fetchall()
        found: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for subject, act, name in rows:
            found[subject][act] = name
        return found
