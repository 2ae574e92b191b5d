"""Carrying a run out: baselines, the worker process, repeats, progress."""
