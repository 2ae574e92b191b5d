"""What is kept of a run, and the SQLite file that it is kept in."""
