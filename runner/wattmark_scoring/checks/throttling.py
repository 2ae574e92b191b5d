"""Was the GPU's clock held down? Reasons: those of NVML's ``nvmlClocksEventReasons``."""

from collections.abc import Iterator, Mapping
from typing import Final

from wattmark_core.results import Check, Verdict
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.measured import MeasuredWindow

REASONS: Final = {
    "hw_thermal": "heat (hardware)",
    "sw_thermal": "heat (software)",
    "power_brake": "the external power brake",
    "hw_slowdown": "the hardware slowdown",
}
"""Those that fail, and what each is in words."""
CAP: Final = "power_cap"


def check(seconds_by_reason: Mapping[str, float | None]) -> list[Check]:
    """Heat, slowdown or brake fail; the power cap is recorded."""
    checks = [
        against_limit(f"throttled {reason}", seconds_by_reason[reason], 0.0, "s",
                      f"GPU clock held down by {reason.replace('_', ' ')}", fail=0.0)
        for reason in REASONS
        if reason in seconds_by_reason
    ]  # fmt: skip
    cap = seconds_by_reason.get(CAP)
    if cap is not None:
        text = "GPU at its power cap (recorded)"
        checks.append(Check("power cap", Verdict.VALID, cap, None, "s", text))
    return checks


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """Of each GPU in use."""
    for gpu in measured.gpus:
        yield from check({
            reason: measured.data.growth("gpu", f"throttled_{reason}_seconds", gpu)
            for reason in (*REASONS, CAP)
        })  # fmt: skip


def _words(reason: str) -> Words:
    return Words(
        Question.DEVICE, f"held down by {reason}",
        f"The GPU's clock was held down by {reason} for {{found}}",
        f"Whether {reason} held the GPU's clock down is not known",
        "Cool the GPU, or give it the power it needs, and measure again",
    )  # fmt: skip


CHECK: Final = CheckFamily(
    words={
        **{f"throttled {reason}": _words(meaning) for reason, meaning in REASONS.items()},
        "power cap": Words(
            Question.DEVICE, "at the power cap",
            "The GPU was held at its power cap for {found}, which is recorded and not judged",
            "Whether the GPU was at its power cap is not known",
        ),
    },
    limits=(
        Limit(f"throttled {', '.join(REASONS)}", "0 s", "any"), Limit("power cap", "recorded only"),
    ),
    of_window=of_window,
)  # fmt: skip
