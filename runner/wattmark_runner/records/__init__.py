"""The records of runs, and the SQLite file that holds them."""
