"""Sensors, one file each. Each reads; what the numbers mean over time is the meter's work."""
