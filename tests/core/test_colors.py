"""Colours that stand out from what lies behind them."""

from itertools import product

import pytest

from wattmark_core.colors import DARK, DOMAINS, LIGHT, PHASES, css_variables

GRAFANA_DARK = "#181b1f"
TEXTS = ("fg", "dim", "good", "warn", "bad", "act")


def _light(color: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    channels = [int(digits[at : at + 2], 16) / 255.0 for at in (0, 2, 4)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    lights = sorted((_light(one), _light(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


@pytest.mark.parametrize("ground", [LIGHT["bg"], DARK["bg"], GRAFANA_DARK])
def test_marks_stand_out_from_every_ground(ground: str) -> None:
    """At least 3:1, as WCAG 2.2 asks of graphics."""
    low = {
        name: round(contrast(color, ground), 2)
        for name, color in (*DOMAINS.items(), *PHASES.items())
        if contrast(color, ground) < 3.0
    }
    assert low == {}


@pytest.mark.parametrize(("scheme", "name"), [*product((LIGHT, DARK), TEXTS)])
def test_text_can_be_read_on_page_and_card(scheme: dict[str, str], name: str) -> None:
    """At least 4.5:1."""
    assert min(contrast(scheme[name], scheme[ground]) for ground in ("bg", "card")) >= 4.5


def test_the_two_schemes_have_the_same_variables() -> None:
    """What one lacks would shine through from the other."""
    assert LIGHT.keys() == DARK.keys()
    for name in (*LIGHT, *DOMAINS, *PHASES):
        assert f"--{name}: #" in css_variables()
