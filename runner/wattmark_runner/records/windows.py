"""Windows of code that runs elsewhere."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from wattmark_core.codec import from_json, to_json
from wattmark_core.errors import UnknownRun
from wattmark_core.results import Window
from wattmark_runner.records.connections import Connections
from wattmark_runner.records.listing import MANY, Listing


@dataclass(frozen=True, slots=True)
class WindowRow:
    """A window of code that runs elsewhere. ``end_ns`` of ``window`` is its start while open."""

    window: Window
    state: str = "open"
    clock: str = "server"
    max_seconds: float | None = None
    warnings: tuple[str, ...] = ()
    seq: int = 0


class Windows(Connections):
    """Windows from elsewhere. Methods raise ``StoreError``."""

    def put_window(self, row: WindowRow) -> None:
        """Write a window; the same ``window_id`` again replaces it and keeps its place."""
        body = json.dumps(to_json(row))
        window = row.window
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO windows (window_id, run_id, state, body) VALUES (?,?,?,?)"
                " ON CONFLICT (window_id) DO UPDATE SET state = excluded.state,"
                " body = excluded.body",
                (window.window_id, window.run_id, row.state, body),
            )

    def window(self, window_id: str) -> WindowRow:
        """One window. Raises ``UnknownRun``."""
        rows = self.windows(Listing(1, equal={"window_id": window_id}))
        if not rows:
            raise UnknownRun(f"no window {window_id!r}; list what there is")
        return rows[0]

    def windows(self, listing: Listing) -> Sequence[WindowRow]:
        """Windows, newest first."""
        where, values = listing.where()
        with self.transaction() as connection:
            rows = connection.execute(
                f"SELECT seq, body FROM windows WHERE {where} ORDER BY seq DESC LIMIT ?",  # noqa: S608 - our own columns
                [*values, listing.limit],
            ).fetchall()
        return [
            from_json(WindowRow, json.loads(body) | {"seq": seq}, exact=True) for seq, body in rows
        ]

    def open_windows(self, run_id: str) -> Sequence[WindowRow]:
        """The windows of a run that have not closed."""
        return self.windows(Listing(MANY, equal={"run_id": run_id, "state": "open"}))
