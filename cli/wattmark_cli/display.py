"""Numbers for people."""

from typing import Final

MISSING: Final = "–"
_PREFIXES: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"),
                    (1e-9, "n"))  # fmt: skip


def si(value: float | None, unit: str, digits: int = 3) -> str:
    """``1.25e-5, "J"`` → ``12.5 µJ``; a missing value is a dash, never a zero."""
    if value is None:
        return MISSING
    scale, prefix = _prefix(value, digits)
    return f"{plain(value / scale, digits)} {prefix}{unit}".strip()


def _prefix(value: float, digits: int = 3) -> tuple[float, str]:
    """Scale and prefix that put ``value`` between 1 and 1,000."""
    if value == 0:
        return 1.0, ""
    fitting = (p for p in _PREFIXES if abs(value) >= p[0] * (1 - 0.5 * 10**-digits))
    return next(fitting, _PREFIXES[-1])


def plain(value: float | None, digits: int = 3) -> str:
    """Rounded to ``digits`` significant digits, without an exponent up to a million."""
    if value is None:
        return MISSING
    text = f"{value:.{digits}g}"
    if "e" not in text:
        return text
    return f"{float(text):.0f}" if 1 <= abs(value) < 1e7 else text


def between(low: float | None, high: float | None, unit: str = "") -> str:
    """An interval in one unit, ``6.2–25 µJ``; empty where there is none."""
    if low is None or high is None:
        return ""
    scale, prefix = _prefix(high)
    return f"{plain(low / scale)}–{plain(high / scale)} {prefix}{unit}".strip()


def percent(ratio: float | None) -> str:
    """``0.8734`` → ``87.3 %``."""
    return MISSING if ratio is None else f"{100 * ratio:.1f} %"


def duration(seconds: float) -> str:
    """``75`` → ``1:15``."""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"
