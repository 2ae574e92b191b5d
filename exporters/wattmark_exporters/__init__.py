"""Sensors of one host, their sampler, and the HTTP server that hands the samples out."""

from wattmark_exporters.readings import Counter, Lost, Power, Reading, Sensor, Traits, Values

__all__ = ["Counter", "Lost", "Power", "Reading", "Sensor", "Traits", "Values"]
