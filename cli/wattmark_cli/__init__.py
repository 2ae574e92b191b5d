"""The command ``wattmark``, and the rooms it starts for the embedded default."""
