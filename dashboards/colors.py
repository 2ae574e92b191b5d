"""Colours and words of what is drawn: one meaning, one colour, on every dashboard.

Each mark has a contrast of at least 3:1 on Grafana's light and dark background.
"""

from typing import Final

from wattmark_core.catalogue import Domain
from wattmark_core.results import Phase, Verdict

DOMAINS: Final = {
    Domain.GPU: ("GPU", "#0072B2"),
    Domain.PACKAGE: ("CPU package", "#D55E00"),
    Domain.DRAM: ("memory", "#009E73"),
    Domain.PSYS: ("whole platform", "#CC79A7"),
}
"""Domain → its name and colour. core and uncore lie inside the package and are not drawn."""
PHASES: Final = {
    Phase.IDLE: ("idle", "#8A94A3"),
    Phase.WARMUP: ("warm-up", "#B8860B"),
    Phase.GUARD: ("guard", "#6E7B8C"),
    Phase.INFERENCE: ("inference", "#3E8FB0"),
    Phase.TRAINING: ("training", "#7A52B3"),
}
VERDICTS: Final = {
    Verdict.VALID: ("✓ valid", "green"),
    Verdict.WARNED: ("! warned", "orange"),
    Verdict.INVALID: ("✗ invalid", "red"),
}
ESTIMATED: Final = "≈ ESTIMATED"
TEXT: Final = "text"
"""Grafana's own colour of text: that of totals and of the annotation of what was measured."""
