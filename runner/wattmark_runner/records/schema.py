"""The tables of the runner's database.

A field that ``Score`` gains is one more column of ``scores``, in a file of this version, too:
programs that do not know the column leave it empty.
"""

from typing import Final

from wattmark_runner.records.score_columns import COLUMNS

VERSION: Final = 3
"""``PRAGMA user_version``: 1 had neither settings nor GPUs of scores, 2 scores as JSON alone."""
VARIANT: Final = "formula, host, gpu, model, settings, workload, boundary, estimated"
"""What scores have in common of which one is newer than the other."""
SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS runs (
    seq INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    source TEXT NOT NULL,
    reason TEXT NOT NULL,
    workload TEXT NOT NULL,
    model TEXT NOT NULL,
    parameters TEXT NOT NULL,
    owner TEXT NOT NULL,
    labels TEXT NOT NULL,
    host TEXT NOT NULL,
    created_ns INTEGER NOT NULL,
    started_ns INTEGER,
    ended_ns INTEGER,
    boundary TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS runs_by_state ON runs(state, seq);
CREATE TABLE IF NOT EXISTS windows (
    seq INTEGER PRIMARY KEY,
    window_id TEXT NOT NULL UNIQUE,
    run_id TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS windows_of_run ON windows(run_id, seq);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS events_of_run ON events(run_id, id);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    created_ns INTEGER NOT NULL,
    status INTEGER NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS acts (
    id INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,
    act TEXT NOT NULL,
    name TEXT NOT NULL,
    time_ns INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS acts_by_subject ON acts(subject, id);
CREATE TABLE IF NOT EXISTS scores (
    id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    rankable INTEGER NOT NULL,
    {", ".join(column.declaration for column in COLUMNS)},
    UNIQUE (seq, boundary, formula)
) STRICT;
CREATE INDEX IF NOT EXISTS scores_compared ON scores({VARIANT}, rankable, time_ns, verdict, seq);
CREATE TABLE IF NOT EXISTS score_bodies (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS window_facts (run_id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
"""
"""``window_facts`` are those of a run's windows, by their ids. ``scores`` has what scores are
chosen by and shown with, ``score_bodies`` the JSON of each."""
