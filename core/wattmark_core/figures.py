"""Numbers and times as people read them, on every surface.

A measured number has as many digits as are known, one SI prefix, and its interval beside it.

The half-width of the 95 % interval has one digit, two if it begins with 1, and the value ends at
the same place: ``3.7 ± 0.5 mJ``. Where the two sides differ by more than 20 % both ends are shown:
``240 µJ (150–390)``. Where the interval is as wide as ×/÷ 2 each number has one digit, two if it
begins with 1: ``≈ 170 µJ (50–600)``. Without an interval there are three digits: ``7.10 W``.
A number that was chosen, not measured, has the digits it needs: ``30 s``. Missing is ``–``.

``share``, ``duration`` and ``moment`` have a twin of the same name in the runner's page
(``format.js``), which shows what only the browser knows: live progress and the viewer's time zone.
A test compares the two.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

MISSING: Final = "–"
ABOUT: Final = "≈ "
PREFIXES: Final = {
    -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P",
}  # fmt: skip
"""Power of ten → SI prefix."""
UNLIKE: Final = 1.2
"""One side of an interval over the other, from which both ends are shown."""
WIDE: Final = 2.0 * (1.0 - 1e-9)
"""Value over low, or high over value, from which a number is about right only. An estimate without
any other error stands just there."""
NARROW: Final = 1e-5
"""Half-width over value, below which an interval says no more than its value."""
THIN_SPACE: Final = "\u2009"
Z95: Final = 1.96
"""Half-width of a 95 % interval in standard deviations (normal)."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A number's unit; ``smallest`` and ``largest``: the powers of ten that have a prefix.

    ``prefixed`` False: no prefix at all. ``before``: stands before the number, as in ×15.
    """

    symbol: str
    smallest: int = -12
    prefixed: bool = True
    before: str = ""
    largest: int = 15


JOULES: Final = Unit("J")
WATTS: Final = Unit("W")
SECONDS: Final = Unit("s", smallest=-9, largest=0)
PER_SECOND: Final = Unit("/s", smallest=0)
PLAIN: Final = Unit("", smallest=0)
"""A number without a unit: ``12 k``."""
PER_MWH: Final = Unit("/mWh", smallest=0)
"""Of accuracy² / energy: ``12.2 ± 0.4 k/mWh``."""
PERCENT: Final = Unit("%", prefixed=False)
TIMES: Final = Unit("", prefixed=False, before="×")
"""A ratio: ``×1.02 (0.98–1.06)``."""


def figure(
    value: float | None,
    low: float | None = None,
    high: float | None = None,
    unit: Unit = PLAIN,
    *,
    estimated: bool = False,
) -> str:
    """A value with its 95 % interval, base unit. An end that is not known, or not finite, is none.

    ``estimated`` marks what is known within a factor only.
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if low is None or high is None or not math.isfinite(low) or not math.isfinite(high):
        return _alone(value, unit, estimated)
    down, up = value - low, high - value
    half = (up + down) / 2.0
    if half <= NARROW * abs(value) or half <= 0.0:
        return _alone(value, unit, estimated)
    if value > 0.0 and (low * WIDE <= value or high >= value * WIDE):
        return _wide(value, low, high, unit)
    place = _place(half)
    about = ABOUT if estimated else ""
    if unit is TIMES or max(up, down) > UNLIKE * min(up, down):
        return about + _both_ends(value, low, high, unit, place)
    power = _power(value if _rounded(value, place) else half, place, unit)
    shown = f"{_at(value, place, power)} ± {_at(half, place, power)}"
    return about + unit.before + _joined(shown, unit, power)


def count(number: int | None) -> str:
    """A whole number in groups of three: ``2 223 720`` (thin spaces)."""
    return MISSING if number is None else f"{number:,}".replace(",", THIN_SPACE)


def exact(value: float | None, unit: Unit = PLAIN) -> str:
    """A number that was chosen (a limit, a setting, a tick of an axis): ``30 s``, ``2.5 k``.

    Up to four digits, without zeros at the end.
    """
    if value is None or not math.isfinite(value):
        return MISSING
    rounded = _rounded_exponent(value, 4) if value else 0
    power = _power(value, rounded, unit) if value else 0
    shown = Decimal(f"{value:.3e}").scaleb(-power).normalize()
    text = f"{abs(shown):f}"
    return unit.before + _joined(f"−{text}" if shown < 0 else text, unit, power)


def plain(value: float | None, digits: int = 3) -> str:
    """Rounded to ``digits`` significant digits, for tables that other programs read: no prefix, no
    zeros at the end, an exponent from ten million on and below 0.0001."""
    if value is None:
        return MISSING
    text = f"{value:.{digits}g}"
    if "e" not in text:
        return text
    return f"{float(text):.0f}" if 1 <= abs(value) < 1e7 else text


def share(ratio: float | None) -> str:
    """Whole per cent: ``0.43`` → ``43 %``."""
    return MISSING if ratio is None else f"{math.floor(100.0 * ratio + 0.5)} %"


def duration(seconds: float | None) -> str:
    """Minutes and seconds: ``75`` → ``1:15``."""
    if seconds is None:
        return MISSING
    whole = max(0, math.floor(seconds + 0.5))
    return f"{whole // 60}:{whole % 60:02d}"


def moment(time_ns: int | None) -> str:
    """Unix ns → ``2026-11-27 23:12:18 UTC``."""
    if time_ns is None:
        return MISSING
    return f"{datetime.fromtimestamp(time_ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def wilson(share: float, number: int) -> tuple[float, float]:
    """The 95 % interval of a share seen among ``number`` > 0 draws (Wilson 1927)."""
    square = Z95**2 / number
    middle = (share + square / 2.0) / (1.0 + square)
    half = Z95 * math.sqrt(share * (1.0 - share) / number + square / (4.0 * number)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def accuracy(share: float | None, images: int | None) -> str:
    """An accuracy in per cent, to the tenth at least: ``90.8 ± 3.0 %``.

    ``±`` is half of Wilson's interval over the test images; where that would leave 0 to 100 %,
    both ends stand beside: ``99.9 % (98.4–100.0)``. Without images there is no interval, and none
    of what is no share of them: below 0 or above 1.
    """
    if share is None or not math.isfinite(share):
        return MISSING
    percent = 100.0 * share
    if not images or images < 0 or not 0.0 <= share <= 1.0:
        return _joined(_at(percent, -1, 0), PERCENT, 0)
    low, high = (100.0 * end for end in wilson(share, images))
    half = (high - low) / 2.0
    place = min(-1, _place(half))
    if percent - half < 0.0 or percent + half > 100.0:
        return _both_ends(percent, low, high, PERCENT, place)
    return _joined(f"{_at(percent, place, 0)} ± {_at(half, place, 0)}", PERCENT, 0)


def _alone(value: float, unit: Unit, estimated: bool) -> str:
    """Three digits; an estimate has one or two."""
    if value == 0.0:
        return unit.before + _joined("0", unit, 0)
    place = _place(value) if estimated else _rounded_exponent(value, 3) - 2
    power = _power(value, place, unit)
    about = ABOUT if estimated else ""
    return about + unit.before + _joined(_at(value, place, power), unit, power)


def _wide(value: float, low: float, high: float, unit: Unit) -> str:
    power = _power(value, _place(value), unit)
    ends = [_at(end, _place(end), power) if end else "0" for end in (low, high)]
    text = unit.before + _joined(_at(value, _place(value), power), unit, power)
    return f"{ABOUT}{text} ({_range(ends, unit, power)})"


def _both_ends(value: float, low: float, high: float, unit: Unit, place: int) -> str:
    power = _power(value if _rounded(value, place) else high, place, unit)
    ends = [_at(end, place, power) for end in (low, high)]
    text = unit.before + _joined(_at(value, place, power), unit, power)
    return f"{text} ({_range(ends, unit, power)})"


def _range(ends: list[str], unit: Unit, power: int) -> str:
    """Without the unit, which stands before; a bare prefix is repeated: ``12 k (8–19 k)``."""
    dash = " to " if ends[0].startswith("−") else "–"
    bare = f" {PREFIXES[power]}" if power and not unit.symbol else ""
    return dash.join(ends) + bare


def _joined(shown: str, unit: Unit, power: int) -> str:
    behind = PREFIXES[power] + unit.symbol
    return f"{shown} {behind}" if behind else shown


def _power(value: float, place: int, unit: Unit) -> int:
    """The power of ten of the prefix with which the value, as it is shown, has 1 to 3 digits
    before its point."""
    if not unit.prefixed:
        return 0
    shown = _rounded(value, place)
    power = 3 * math.floor((shown.adjusted() if shown else place) / 3)
    return min(max(power, unit.smallest), unit.largest, max(PREFIXES))


def _at(value: float, place: int, power: int) -> str:
    """The value in units of 10^power, rounded at 10^place; a real minus sign."""
    shown = _rounded(value, place).scaleb(-power)
    text = f"{abs(shown):.{max(0, power - place)}f}"
    return f"−{text}" if shown < 0 else text


def _rounded(value: float, place: int) -> Decimal:
    return Decimal(round(Decimal(value).scaleb(-place))).scaleb(place)


def _rounded_exponent(value: float, digits: int) -> int:
    """Of the first digit, once the value is rounded to ``digits`` digits."""
    return int(f"{abs(value):.{digits - 1}e}".partition("e")[2])


def _place(width: float) -> int:
    """Exponent of a number's last digit: its first, or the second if it begins with 1."""
    digits, _, exponent = f"{abs(width):.1e}".partition("e")
    if digits.startswith("1"):
        return int(exponent) - 1
    one, _, exponent = f"{abs(width):.0e}".partition("e")
    return int(exponent) - (1 if one == "1" else 0)
