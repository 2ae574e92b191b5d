"""Are there power samples that no working device gives?"""

from typing import Final

from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Check
from wattmark_scoring.arrays import GaugeData
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words, of_powers
from wattmark_scoring.checks.verdicts import against_limit


def check(series: EnergySeries, power: GaugeData | None, start_ns: int, end_ns: int) -> Check:
    """A 0 W or negative power sample inside fails."""
    bad = 0 if power is None else int((power.inside(start_ns, end_ns).values <= 0.0).sum())
    message = f"power samples of 0 W or less, {series.device}"
    return against_limit("zero power", float(bad), 0.0, "", message, fail=0.0)


CHECK: Final = CheckFamily(
    words={
        "zero power": Words(
            Question.SENSOR, "samples of 0 W", "Power samples of 0 W or less of {device}: {found}",
            remedy="Look at the sensor: a device that works draws power", device=r"or less, (.*)$",
        ),
    },
    limits=(Limit("zero power", "no power sample of 0 W or less", "any"),),
    of_window=of_powers(check),
)  # fmt: skip
