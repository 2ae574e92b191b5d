"""Colours and labels as Grafana's panels take them, from ``wattmark_core``."""

from typing import Final

from wattmark_core import colors, labels
from wattmark_core.results import Verdict

DOMAINS: Final = {domain: (labels.DOMAINS[domain], color)
                  for domain, color in colors.DOMAINS.items()}  # fmt: skip
"""Domain → its name and colour."""
PHASES: Final = {phase: (labels.PHASES[phase], color) for phase, color in colors.PHASES.items()}
VERDICTS: Final = {
    Verdict.VALID: (labels.VERDICTS[Verdict.VALID], "green"),
    Verdict.WARNED: (labels.VERDICTS[Verdict.WARNED], "orange"),
    Verdict.INVALID: (labels.VERDICTS[Verdict.INVALID], "red"),
}
ESTIMATED: Final = f"≈ {labels.ESTIMATED}"
GREY: Final = colors.GREY
TEXT: Final = "text"
"""Grafana's own colour of text: that of totals and of the annotation of what was measured."""
