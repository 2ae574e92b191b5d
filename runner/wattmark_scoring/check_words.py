"""The words of each check, by its name in ``checks.py``; ``words.py`` makes sentences of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from wattmark_core.results import Verdict


class Question(StrEnum):
    """What a check is there to answer."""

    MACHINE = "Was the machine quiet?"
    SENSOR = "Is the sensor good enough?"
    REPEATS = "Do the repeats agree?"
    DEVICE = "Was the device free?"
    COUNTS = "Are the counts right?"


@dataclass(frozen=True, slots=True)
class Words:
    """A check in words.

    ``sentence``: what was found, with ``{found}`` and perhaps ``{device}``; ``unknown``: the
    sentence without a value. ``remedy``: what to do about one that did not pass. ``at_least``: the
    value must reach the limit. ``device``: finds the device in the check's message. ``states``: for
    a check of a state and not of a value, what is found and the sentence, by verdict; the sentence
    may hold ``{message}``. ``of_a_window`` False: it is the same in all, and names none.
    """

    question: Question
    name: str
    sentence: str = ""
    unknown: str = ""
    remedy: str = ""
    at_least: bool = False
    device: str = ""
    states: Mapping[Verdict, tuple[str, str]] = field(default_factory=dict)
    of_a_window: bool = True


def _throttled(reason: str, by: str) -> tuple[str, Words]:
    return f"throttled {reason}", Words(
        Question.DEVICE, f"held down by {by}",
        f"The GPU's clock was held down by {by} for {{found}}",
        f"Whether {by} held the GPU's clock down is not known",
        "Cool the GPU, or give it the power it needs, and measure again",
    )  # fmt: skip


_V: Final = Verdict
WORDS: Final[Mapping[str, Words]] = {
    "telemetry": Words(
        Question.SENSOR, "samples throughout",
        remedy="See that the exporter runs, then measure again",
        states={_V.INVALID: ("interrupted", "The samples were interrupted: {message}")},
    ),
    "late samples": Words(
        Question.SENSOR, "samples beyond the end", remedy="Score the run again",
        states={_V.INVALID: ("not there", "Samples did not arrive: {message}")},
    ),
    "exclusive": Words(
        Question.MACHINE, "no other window",
        remedy="Measure one thing at a time on a host",
        states={
            _V.VALID: ("alone", "No other window shared the time"),
            _V.INVALID: ("shared", "Another window of the host shared the time, so what it cost"
                         " cannot be told apart"),
        },
    ),
    "foreign CPU": Words(
        Question.MACHINE, "other programs", "Other programs used {found}",
        "How much CPU time other programs used is not known",
        "End them, or measure when the machine is idle",
    ),
    "steal": Words(
        Question.MACHINE, "hypervisor", "The hypervisor took {found} of the CPUs' time",
        "How much time the hypervisor took is not known",
        "Measure when the other guests are idle, or on a machine of your own",
    ),
    "sampler cost": Words(
        Question.MACHINE, "cost of measuring", "The exporter itself used {found}",
        "How much CPU time the exporter used is not known",
        "Let the exporter read fewer sensors, or less often",
    ),
    "foreign GPU processes": Words(
        Question.DEVICE, "other processes on the GPU", "Other processes on the GPU: {found}",
        "Whether other processes used the GPU is not known",
        "End them, or measure on another GPU",
    ),
    **dict([
        _throttled("hw_thermal", "heat (hardware)"),
        _throttled("sw_thermal", "heat (software)"),
        _throttled("power_brake", "the external power brake"),
        _throttled("hw_slowdown", "the hardware slowdown"),
    ]),
    "power cap": Words(
        Question.DEVICE, "at the power cap",
        "The GPU was held at its power cap for {found}, which is recorded and not judged",
        "Whether the GPU was at its power cap is not known",
    ),
    "complete": Words(
        Question.SENSOR, "energy of the whole window",
        remedy="See that the exporter runs throughout, then measure again",
        states={
            _V.VALID: ("whole", "Every counter covers the windows"),
            _V.INVALID: ("not whole", "A counter does not cover the window: {message}"),
        },
    ),
    "plausible": Words(
        Question.SENSOR, "plausible power", "Mean power of {device} was {found}",
        "No energy of {device} was counted",
        "Look at the sensor: it reads nothing, or more than the device can draw",
        device=r"mean power of (.*?)(?:: no energy|; limit not known)?$",
    ),
    "zero power": Words(
        Question.SENSOR, "samples of 0 W", "Power samples of 0 W or less of {device}: {found}",
        remedy="Look at the sensor: a device that works draws power", device=r"or less, (.*)$",
    ),
    "method": Words(
        Question.SENSOR, "measured or estimated",
        remedy="To publish it, measure on a machine with a counter of energy",
        states={
            _V.VALID: ("{device}", "Energy is measured ({device})"),
            _V.WARNED: ("ESTIMATED", "Energy is ESTIMATED from CPU time, within ×/÷ 2: compare"
                        " on this host only"),
        },
        device=r"method (\w+)", of_a_window=False,
    ),
    "duration": Words(
        Question.SENSOR, "length of the windows", "A window lasted {found}",
        remedy="Measure longer windows", at_least=True,
    ),
    "samples": Words(
        Question.SENSOR, "power samples", "Power samples of {device} in a window: {found}",
        "How many power samples of {device} there are is not known",
        "Measure longer windows, or let the exporter read more often",
        at_least=True, device=r"power samples of (.*?)(?:: not measurable here)?$",
    ),
    "gap": Words(
        Question.SENSOR, "gaps between samples", "The largest gap between samples of {device} was"
        " {found}", remedy="See in the exporter's log why reads were left out, then measure again",
        device=r"samples of (.*)$",
    ),
    "edges": Words(
        Question.SENSOR, "samples at the edges",
        "The nearest sample of {device} outside a window's edges was {found} away",
        "No sample of {device} lies outside a window's edges",
        "See in the exporter's log why reads were left out, then measure again",
        device=r"edges, (.*?)(?:: not measurable here)?$",
    ),
    "agreement": Words(
        Question.SENSOR, "counter and power agree",
        "Energy counter and integrated power of {device} differ by {found}",
        "Whether energy counter and power of {device} agree is not known",
        "Do not trust this sensor: check it against a meter",
        device=r"power, (.*?)(?:: not measurable here)?$",
    ),
    "clock": Words(
        Question.SENSOR, "who stamped the windows",
        remedy="Let the runner stamp them: open a window, then close it",
        states={_V.WARNED: ("the client", "The client gave the windows' times, which cannot be"
                            " checked")},
    ),
    **{
        f"coverage {name}": Words(
            Question.SENSOR, f"{what}, for a part-time sensor", sentence, unknown, remedy,
            at_least=True, device=r"^(.*) sees",
        )
        for name, what, sentence, unknown, remedy in (
            ("length", "length", "A window lasted {found}, and {device} sees a part of the time"
             " only", "", "Measure longer windows"),
            ("iterations", "batches", "A window held {found} batches, and {device} sees a part of"
             " the time only", "How many batches a window held is not known, and {device} sees a"
             " part of the time only", "Measure longer windows"),
            ("step", "not in step", "The batches' period lies {found} from the beat of a sensor"
             " that sees a part of the time only", "", "Change the batch size"),
        )
    },
    "counted": Words(
        Question.COUNTS, "inferences and accuracy",
        remedy="Count inferences and correct predictions in the measured windows",
        states={
            _V.VALID: ("both", "Accuracy comes from the predictions that were measured"),
            _V.WARNED: ("no accuracy", "Correct predictions were not counted: energy without"
                        " accuracy, and no score"),
            _V.INVALID: ("not both", "Inferences and correct predictions were not both counted"),
        },
    ),
    "warm-up": Words(
        Question.REPEATS, "warm-up", "The warm-up before the first window lasted {found}",
        "There was no warm-up before the first window", "Warm up for longer", at_least=True,
    ),
    "idle length": Words(
        Question.MACHINE, "idle baselines", "The shorter idle baseline lasted {found}",
        "An idle baseline is missing, before or after",
        "Measure the idle machine for longer, before and after", at_least=True,
    ),
    "idle agreement": Words(
        Question.MACHINE, "idle before and after", "Idle power before and after differed by"
        " {found}", "Whether idle power was the same before and after is not known",
        "See what else began or ended in between, then measure again",
    ),
    "repeats": Words(
        Question.REPEATS, "number of repeats", "Measured windows: {found}",
        remedy="Measure more repeats", at_least=True,
    ),
    "steady": Words(
        Question.REPEATS, "even power", "Mean power of a window's halves differed by {found}",
        "Whether power was even in the windows is not known",
        "Warm up for longer, and see what else runs",
    ),
    "drift": Words(
        Question.REPEATS, "trend", "Energy per inference drifted by {found} over the repeats",
        remedy="Warm up for longer, and see what else runs",
    ),
    "largest deviation": Words(
        Question.REPEATS, "worst repeat", "The worst repeat's energy per inference was {found} off"
        " the mean", remedy="See what else ran in that repeat, then measure again",
    ),
    "deviation": Words(
        Question.REPEATS, "spread of the repeats", "Energy per inference was {found} off its mean,"
        " on average over the repeats", remedy="See what else ran, or measure more repeats",
    ),
}  # fmt: skip
"""In the order in which findings are shown: causes before what they cause."""
