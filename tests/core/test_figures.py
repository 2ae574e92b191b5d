"""Numbers as text: digits by the interval, one SI prefix, and back again."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattmark_core import figures
from wattmark_core.figures import (
    JOULES,
    PER_MWH,
    PER_SECOND,
    PERCENT,
    PLAIN,
    SECONDS,
    TIMES,
    WATTS,
    Unit,
    figure,
)


@pytest.mark.parametrize(
    ("numbers", "unit", "text"),
    [
        ((3.7e-3, 3.2e-3, 4.2e-3), JOULES, "3.7 ± 0.5 mJ"),
        ((12.2e-3, 11.8e-3, 12.6e-3), JOULES, "12.2 ± 0.4 mJ"),
        ((0.9996, 0.9846, 1.0146), JOULES, "1.000 ± 0.015 J"),
        ((1.0, 0.904, 1.096), JOULES, "1.00 ± 0.10 J"),
        ((240e-6, 150e-6, 390e-6), JOULES, "240 µJ (150–390)"),
        ((170e-6, 55e-6, 600e-6), JOULES, "≈ 170 µJ (60–600)"),
        ((0.5e-3, 0.1e-3, 2.2e-3), JOULES, "≈ 500 µJ (100–2000)"),
        ((12e3, 8e3, 19e3), PLAIN, "12 k (8–19 k)"),
        ((292e3, 59.5e3, 1.44e6), PLAIN, "≈ 300 k (60–1400 k)"),
        ((0.0122, 0.0118, 0.0126), PLAIN, "0.0122 ± 0.0004"),
        ((12.2e3, 11.8e3, 12.6e3), PER_MWH, "12.2 ± 0.4 k/mWh"),
        ((12e3, 8e3, 19e3), PER_MWH, "12 k/mWh (8–19)"),
        ((860.0, 740.0, 980.0), PER_MWH, "860 ± 120 /mWh"),
        ((292e3, 59.5e3, 1.44e6), PER_MWH, "≈ 300 k/mWh (60–1400)"),
        ((0.0122, 0.0118, 0.0126), PER_MWH, "0.0122 ± 0.0004 /mWh"),
        ((1.02, 0.98, 1.06), TIMES, "×1.02 (0.98–1.06)"),
        ((15.0, 10.0, 23.0), TIMES, "×15 (10–23)"),
        ((0.0, -0.001, 0.001), JOULES, "0.0 ± 1.0 mJ"),
        ((-0.2, -0.7, 0.1), JOULES, "−200 mJ (−700 to 100)"),
        ((37_700.0, 37_700.0, 37_700.0), PLAIN, "37.7 k"),
    ],
)
def test_an_interval_gives_the_digits(
    numbers: tuple[float, float, float], unit: Unit, text: str
) -> None:
    """One of its half-width, two if it begins with 1, and the value to the same place."""
    assert figure(*numbers, unit=unit) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (7.1, WATTS, "7.10 W"),
        (57e-6, JOULES, "57.0 µJ"),
        (999.7, WATTS, "1.00 kW"),
        (0.0, JOULES, "0 J"),
        (None, JOULES, "–"),
        (math.nan, JOULES, "–"),
        (0.679 * 100, PERCENT, "67.9 %"),
        (2_223_720.0, PLAIN, "2.22 M"),
        (-3.5, WATTS, "−3.50 W"),
    ],
)
def test_without_an_interval_there_are_three_digits(
    value: float | None, unit: Unit, text: str
) -> None:
    """Zeros stay; missing is a dash."""
    assert figure(value, unit=unit) == text
    assert figure(value, None, 3.0, unit) == text
    assert figure(value, -math.inf, math.inf, unit) == text


def test_an_estimate_is_marked() -> None:
    """With ≈, whatever its interval; alone it has one digit, two if that is 1."""
    assert figure(170e-6, 85e-6, 340e-6, JOULES, estimated=True) == "≈ 170 µJ (90–300)"
    assert figure(3.7e-3, 3.2e-3, 4.2e-3, JOULES, estimated=True) == "≈ 3.7 ± 0.5 mJ"
    assert figure(2.13, unit=WATTS, estimated=True) == "≈ 2 W"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (12.5e-6, JOULES, "12.5 µJ"),
        (0.9999, WATTS, "1.00 W"),
        (788_373.0, PER_SECOND, "788 k/s"),
        (3600.0, SECONDS, "3600 s"),
        (0.000563, SECONDS, "563 µs"),
        (0.0009, PER_SECOND, "0.000900 /s"),
    ],
)
def test_units_have_the_prefixes_that_people_use(value: float, unit: Unit, text: str) -> None:
    """Seconds no kilo, and a rate no milli."""
    assert figure(value, unit=unit) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (30.0, SECONDS, "30 s"),
        (0.3, SECONDS, "300 ms"),
        (2500.0, WATTS, "2.5 kW"),
        (20_000.0, PLAIN, "20 k"),
        (5.0, PERCENT, "5 %"),
        (0.0, WATTS, "0 W"),
        (-3.0, PLAIN, "−3"),
        (None, SECONDS, "–"),
    ],
)
def test_what_was_chosen_has_no_digit_more_than_it_needs(
    value: float | None, unit: Unit, text: str
) -> None:
    """Limits, settings, ticks of an axis."""
    assert figures.exact(value, unit) == text


def test_numbers_for_other_programs_have_no_prefix() -> None:
    """Three digits or as many as are asked for; what is missing is a dash."""
    assert figures.plain(238_398.7) == "238000"
    assert figures.plain(3.14159) == "3.14"
    assert figures.plain(3.14159, 4) == "3.142"
    assert figures.plain(None) == "–"


def test_times_and_shares() -> None:
    """In UTC, to the second; time left as minutes and seconds; whole per cent."""
    assert figures.moment(1_700_000_000_999_999_999) == "2023-11-14 22:13:20 UTC"
    assert figures.moment(None) == "–"
    assert figures.duration(75.4) == "1:15"
    assert figures.duration(-1.0) == "0:00"
    assert figures.share(0.8734) == "87 %"


def test_counts_are_whole() -> None:
    """In groups of three."""
    assert figures.count(2_223_720) == "2\u2009223\u2009720"
    assert figures.count(360) == "360"
    assert figures.count(None) == "–"


@pytest.mark.parametrize(
    ("share", "images", "text"),
    [
        (0.908, 360, "90.8 ± 3.0 %"),
        (339 / 360, 360, "94.2 ± 2.5 %"),
        (0.764, 50_000, "76.4 ± 0.4 %"),
        (0.764123, 10_000_000, "76.41 ± 0.03 %"),
        (0.908, None, "90.8 %"),
        (1.0, 100, "100.0 % (96.3–100.0)"),
        (0.0, 10, "0.0 % (0.0–27.8)"),
        (None, 360, "–"),
        (1.25, 360, "125.0 %"),
        (-0.01, 360, "−1.0 %"),
        (0.9, -5, "90.0 %"),
    ],
)
def test_an_accuracy_has_wilsons_interval(
    share: float | None, images: int | None, text: str
) -> None:
    """To the tenth of a per cent at least; none of what is no share, or of no images."""
    assert figures.accuracy(share, images) == text


def test_wilsons_interval_is_the_published_one() -> None:
    """Of 81 among 263: 0.255 to 0.366 (Newcombe 1998, table I, method 3)."""
    low, high = figures.wilson(81 / 263, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


POWERS = {prefix: power for power, prefix in figures.PREFIXES.items()}
NUMBER = r"−?\d+(?:\.\d+)?"


def _read(text: str, unit: Unit) -> tuple[list[tuple[float, float]], str]:
    """Each number of a text with the step of its last digit, in base units, and the prefix."""
    body = text.removeprefix("≈ ").removeprefix(unit.before)
    words = [match[0] for match in re.finditer(NUMBER, body)]
    letters = set(re.findall(r"[a-zA-Zµ]+", body.replace("to", "")))
    assert len(letters) <= 1, text
    prefix = next(iter(letters), unit.symbol).removesuffix(unit.symbol)
    scale = 10.0 ** POWERS[prefix]
    found = []
    for word in words:
        decimals = len(word.partition(".")[2])
        digits = word.partition(".")[0].strip("−")
        zeros = len(digits) - len(digits.rstrip("0")) if not decimals else 0
        step = 10.0 ** (zeros - decimals)
        found.append((float(word.replace("−", "-")) * scale, step * scale))
    return found, prefix


sizes = st.floats(-11.0, 11.0).map(lambda exponent: 10.0**exponent)
units = st.sampled_from([JOULES, WATTS, Unit("s", smallest=-3)])


@given(sizes, st.floats(1e-4, 0.49), units, st.booleans())
def test_an_even_interval_reads_back_within_rounding(
    value: float, share: float, unit: Unit, estimated: bool
) -> None:
    """Value and half-width end at the same place, whose step is at most a tenth part of the
    half-width where that begins with 1, and no more than the half-width else."""
    half = share * value
    text = figure(value, value - half, value + half, unit, estimated=estimated)
    (shown, step), (width, _) = _read(text, unit)[0]
    assert " ± " in text
    assert text.startswith("≈ ") is estimated
    decimals = [len(word.partition(".")[2]) for word in re.findall(NUMBER, text)]
    assert decimals[0] == decimals[1]
    assert abs(width - half) <= 0.26 * half
    assert abs(shown - value) <= 0.5 * max(step, half) * 1.001
    assert abs(shown - value) <= 0.5 * half * 1.05


@given(sizes, st.floats(1.05, 50.0), st.floats(1.05, 50.0), units)
def test_both_ends_read_back_within_rounding(
    value: float, down: float, up: float, unit: Unit
) -> None:
    """Each end is shown to within half of the interval's width, or of a digit of its own."""
    low, high = value / down, value * up
    text = figure(value, low, high, unit)
    numbers, _ = _read(text, unit)
    if " ± " in text:
        return
    shown, lowest, highest = (number for number, _ in numbers)
    wide = text.startswith("≈ ")
    assert wide is (max(up, down) >= figures.WIDE)
    slack = 0.27 if wide else 0.0
    for known, read in zip((value, low, high), (shown, lowest, highest), strict=True):
        assert abs(read - known) <= max(slack * known, 0.0 if wide else 0.27 * (high - low))
    assert lowest <= shown <= highest


@given(sizes, units)
def test_three_digits_read_back(value: float, unit: Unit) -> None:
    """Within half of the third, and with at most three digits before the point."""
    text = figure(value, unit=unit)
    ((shown, _),), prefix = _read(text, unit)
    assert abs(shown - value) <= 0.0051 * value
    assert len(re.sub(r"^0\.0*|\D", "", text)) == 3
    if -12 <= math.log10(value) < 15 and (unit.smallest <= math.log10(value)):
        assert 1.0 <= shown / 10.0 ** POWERS[prefix] < 1000.0001


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(), st.floats(), st.booleans())
def test_any_number_has_a_text(value: float, low: float, high: float, estimated: bool) -> None:
    """Nothing that arithmetic can give breaks a page."""
    for unit in (JOULES, PLAIN, TIMES):
        assert figure(value, low, high, unit, estimated=estimated)
