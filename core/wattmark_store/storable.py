"""Which samples a store can never keep, so that one of them keeps no other waiting.

Both stores take integers and times of 64 bits (sqlite.org/datatype3.html; InfluxDB's line protocol)
and text that is Unicode.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from wattmark_core.errors import SamplesRefused
from wattmark_core.printable import quoted
from wattmark_core.sample import AnySample

LEAST: Final = -(2**63)
MOST: Final = 2**63 - 1
BITS: Final = "needs more than 64 bits"


def unstorable(sample: AnySample) -> str:
    """Why no store keeps the sample, for a message; empty if one does."""
    if not _fits(sample.time_ns):
        return f"its time, {_shown(sample.time_ns)} ns, {BITS}"
    for name, value in sample.fields.items():
        if isinstance(value, int) and not _fits(value):
            return f"its field {quoted(name)}, {_shown(value)}, {BITS}"
    texts = (sample.measurement, *sample.fields, *(text for pair in sample.tags for text in pair))
    unknown = next((text for text in texts if not _is_unicode(text)), None)
    return "" if unknown is None else f"{quoted(unknown)} is not Unicode"


def parted(samples: Iterable[AnySample]) -> tuple[list[AnySample], list[AnySample]]:
    """The samples that a store keeps, and those that none does."""
    kept: list[AnySample] = []
    refused: list[AnySample] = []
    for sample in samples:
        (refused if unstorable(sample) else kept).append(sample)
    return kept, refused


def refusal(store: str, samples: Sequence[AnySample]) -> SamplesRefused:
    """What ``store`` (its name for a message) says of samples that it does not keep, beside others
    that it has written."""
    first = samples[0]
    more = "" if len(samples) == 1 else f" and {len(samples) - 1} more"
    return SamplesRefused(
        f"{store} never takes a sample of {quoted(first.measurement)}{more}:"
        f" {unstorable(first)}; all others are written; correct what gives it", samples
    )  # fmt: skip


def _fits(number: int) -> bool:
    return LEAST <= number <= MOST


def _shown(number: int) -> str:
    """Short, whatever its length: Python makes no text of more than 4,300 digits."""
    digits = int(number.bit_length() * math.log10(2))
    return str(number) if digits < 40 else f"a number of about {digits} digits"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
