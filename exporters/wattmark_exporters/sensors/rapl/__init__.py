"""Intel's and AMD's RAPL counters through Linux's powercap."""
