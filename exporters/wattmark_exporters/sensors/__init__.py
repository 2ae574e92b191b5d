"""Sensors, one file each. Each reads; what the numbers mean over time is the meter's work."""

from typing import Final

BUILT_IN: Final = (
    "rapl.sensor:Rapl",
    "hwmon:Hwmon",
    "nvml.sensor:Nvml",
    "host:Host",
    "estimate:Estimate",
)
"""``module:Class`` of every sensor of this package. What is listed here is in ``/sensors``, in
``wattmark sensors``, in ``wattmark-exporter sensors`` and in the dashboards."""
