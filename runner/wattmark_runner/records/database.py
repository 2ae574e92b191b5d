"""The runner's database: every run, queued to ended, with its scores, windows and events.

One SQLite file, authoritative for runs. Any thread or process may use it.
"""

from wattmark_runner.records.acts import Act, Acts
from wattmark_runner.records.ageing import Ageing
from wattmark_runner.records.answers import Answer, Answers
from wattmark_runner.records.events import Events, RunEvent
from wattmark_runner.records.kept import KeptRuns
from wattmark_runner.records.listing import MANY, Listing
from wattmark_runner.records.runs import RunRow
from wattmark_runner.records.scores import Scores, score_of
from wattmark_runner.records.windows import WindowRow, Windows

__all__ = [
    "MANY", "Act", "Answer", "Listing", "RunDatabase", "RunEvent", "RunRow", "WindowRow",
    "score_of",
]  # fmt: skip


class RunDatabase(KeptRuns, Scores, Windows, Events, Answers, Acts, Ageing):
    """Runs in the file ``path``, which is made if it is missing.

    All methods raise ``StoreError`` with one line; ``UnknownRun`` for a run or window that the
    file does not hold.
    """
