"""Runs: windows of inference, their guards and baselines, and the worker that infers."""
