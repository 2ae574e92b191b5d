"""Which network, on which host? Accuracy against energy, ranked; estimated apart from measured."""

from typing import Final

from dashboards.board import dashboard, link_to
from dashboards.panels import RESULTS, Closed, Json, Panel
from dashboards.queries import PLACE, tag_values
from dashboards.ranking_tables import (
    ESTIMATED,
    MEASURED,
    NONE_MEASURED,
    SAME,
    energies,
    energy_ratios,
    estimated,
    every_formula,
    every_run,
    invalid,
    ranked,
    score_ratios,
    scores,
    table_one,
)  # fmt: skip
from dashboards.score_queries import lines_of_equal_score, marks
from dashboards.variables import query_variable, results_variable
from dashboards.xychart import accuracy_against_energy
from wattmark_core.results import ENERGY_SCORE

COUNTS: Final = (
    "cpu: CPU package and memory. gpu: the GPU in use. host: both. Scores of different ones are not"
    " comparable."
)
NO_ESTIMATE: Final = "No estimated score in this time: choose another workload or Counts."


def make() -> Json:
    """The dashboard."""
    return dashboard(
        "ranking", "Wattmark: ranking", "Which network, on which host: measured apart from"
        " estimated.",
        [
            [_picture("Accuracy against energy", "measured", MEASURED, NONE_MEASURED),
             ranked()],
            [energies(), scores()],
            Closed("Estimated: compare networks of one host only", [[
                _picture("Accuracy against energy: ESTIMATED", "estimated", ESTIMATED, NO_ESTIMATE),
                estimated(empty=NO_ESTIMATE),
            ]]),
            Closed("Invalid: not ranked, and why", [[invalid()]]),
            Closed("Table I of the paper: time, power, energy, use", [[table_one()]]),
            Closed("Table II: every score on ${reference}", [[every_formula()]]),
            Closed("Table III: ratios to ${reference}", [[energy_ratios(), score_ratios()]]),
            Closed("Runs", [[every_run()]]),
        ],
        _variables(),
        links=[link_to("home", "Home"), link_to("live", "Live host"), link_to("fleet", "Fleet")],
        since="now-2y", refresh="",
    )  # fmt: skip


def _picture(title: str, energy: str, where: str, empty: str) -> Panel:
    return accuracy_against_energy(
        title, "Better is up and to the left. A mark is the newest of a network with its settings;"
        " its network is in the tooltip. On a dashed line the score accuracy² / energy is the same."
        " Warned scores are there, invalid ones are not.",
        marks(*SAME, PLACE, where), lines_of_equal_score(*SAME, f"\"energy\" = '{energy}'"),
        width=9, height=14, empty=empty,
    )  # fmt: skip


def _variables() -> list[Json]:
    """Of names in order "host" comes last: where networks ran on a GPU, all that they need opens.
    Hosts are chosen in the tables' heads; ``?var-place=`` narrows all panels."""
    workload, both = SAME[0], " AND ".join(SAME)
    return [
        results_variable(),
        query_variable("workload", "Workload", RESULTS, tag_values("score", "workload")),
        query_variable("boundary", "Counts", RESULTS, tag_values("score", "boundary", workload),
                       newest_first=True) | {"description": COUNTS},
        query_variable("formula", "Score", RESULTS, tag_values("score", "formula", both),
                       first=ENERGY_SCORE),
        query_variable("reference", "Compared to", RESULTS, tag_values("score", "place", both)),
        query_variable("place", "Hosts, GPUs", RESULTS, tag_values("score", "place", both),
                       multi=True, everything=True, hide=True),
    ]  # fmt: skip
