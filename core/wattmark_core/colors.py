"""Colours of what is drawn: one meaning, one colour, on the page, in reports and in Grafana.

Each mark has a contrast of at least 3:1 on white, on ``#12161c`` (the page's dark background) and
on ``#181b1f`` (Grafana's).
"""

from collections.abc import Mapping
from typing import Final

from wattmark_core.catalogue import Domain
from wattmark_core.results import Phase

DOMAINS: Final[Mapping[Domain, str]] = {
    Domain.GPU: "#0072B2",
    Domain.PACKAGE: "#D55E00",
    Domain.DRAM: "#009E73",
    Domain.PSYS: "#CC79A7",
}
PHASES: Final[Mapping[Phase, str]] = {
    Phase.IDLE: "#8A94A3",
    Phase.WARMUP: "#B8860B",
    Phase.GUARD: "#6E7B8C",
    Phase.INFERENCE: "#3E8FB0",
    Phase.TRAINING: "#7A52B3",
}
GREY: Final = "#8A94A3"
LIGHT: Final[Mapping[str, str]] = {
    "bg": "#fff", "fg": "#1c2330", "dim": "#5c6675", "rule": "#d9dee6", "card": "#f6f8fa",
    "field": "#fff", "edge": "#77818f", "bar": "#3b76b8", "act": "#2b5f9a", "act-fg": "#fff",
    "good": "#17703a", "warn": "#8a5a00", "bad": "#b3261e",
}  # fmt: skip
DARK: Final[Mapping[str, str]] = {
    "bg": "#12161c", "fg": "#e4e8ee", "dim": "#9aa5b4", "rule": "#303945", "card": "#1a2028",
    "field": "#0d1116", "edge": "#77818f", "bar": "#6ea8e5", "act": "#8fbcec", "act-fg": "#10151b",
    "good": "#5fcf8a", "warn": "#e3b341", "bad": "#ff8a80",
}  # fmt: skip
"""Surfaces, text and verdicts of the page and of reports, by the viewer's choice of scheme."""


def css_variables() -> str:
    """CSS: every colour as a variable (``--package``, ``--idle``, ``--fg`` …), for both schemes."""
    marks = {str(name): color for name, color in (*DOMAINS.items(), *PHASES.items())}
    return (
        f":root {{ color-scheme: light dark; {_variables({**LIGHT, **marks})} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}\n"
    )


def _variables(colors: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {color};" for name, color in colors.items())
