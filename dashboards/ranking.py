"""Which network, on which host? Accuracy against energy, ranked; estimated apart from measured."""

from typing import Final

from dashboards.board import dashboard, link_to
from dashboards.live_host import runs_table
from dashboards.panels import RESULTS, Closed, Json, Panel
from dashboards.queries import PLACE, tag_values
from dashboards.ranking_tables import (
    ESTIMATED,
    MEASURED,
    NONE_MEASURED,
    REFERENCE,
    SAME,
    energies,
    energy_ratios,
    every_formula,
    invalid,
    ranked,
    score_ratios,
    scores,
    table_one,
)  # fmt: skip
from dashboards.score_queries import FORMULAS, lines_of_equal_score, marks
from dashboards.variables import query_variable, results_variable
from dashboards.xychart import accuracy_against_energy
from wattmark_scoring.scores import ENERGY_SCORE

COUNTS: Final = (
    "cpu: CPU package and memory. gpu: the GPU in use. host: both. Scores of different ones are not"
    " comparable."
)
NO_ESTIMATE: Final = "No estimated score of this host in this time: choose another in Compared to."
KEPT: Final = "${workload:queryparam}&${boundary:queryparam}&${place:queryparam}"


def make() -> Json:
    """The dashboard."""
    return dashboard(
        "ranking", "Wattmark: ranking", "Which network, on which host: measured apart from"
        " estimated.",
        [
            [_picture("Accuracy against energy", (PLACE, MEASURED), NONE_MEASURED),
             ranked("Ranked by ${formula:text}", MEASURED, PLACE, empty=NONE_MEASURED)],
            [energies(), scores()],
            Closed("Estimated on ${reference}: compare within this row only", [[
                _picture("Accuracy against energy: ESTIMATED", (REFERENCE, ESTIMATED), NO_ESTIMATE),
                ranked("Ranked by ${formula:text}: ESTIMATED", ESTIMATED, REFERENCE,
                       empty=NO_ESTIMATE),
            ]]),
            Closed("Invalid: not ranked, and why", [[invalid()]]),
            Closed("Table I of the paper: time, power, energy, use", [[table_one()]]),
            Closed("Table II: every score on ${reference}", [[every_formula()]]),
            Closed("Table III: ratios to ${reference}", [[energy_ratios(), score_ratios()]]),
            Closed("Runs", [[runs_table(SAME[0])]]),
        ],
        _variables(), links=_links(), since="now-2y", refresh="",
    )  # fmt: skip


def _picture(title: str, where: tuple[str, ...], empty: str) -> Panel:
    return accuracy_against_energy(
        title, "Better is up and to the left. A mark is the newest of a network with its settings;"
        " its network is in the tooltip. On a dashed line the score accuracy² / energy is the same."
        " Warned scores are there, invalid ones are not.",
        marks(*SAME, *where), lines_of_equal_score(*SAME), width=9, height=14, empty=empty,
    )  # fmt: skip


def _variables() -> list[Json]:
    """Of names in order "host" comes last: where networks ran on a GPU, all that they need opens.
    The formula is chosen by the links at the top."""
    workload, both = SAME[0], " AND ".join(SAME)
    return [
        results_variable(),
        query_variable("workload", "Workload", RESULTS, tag_values("score", "workload")),
        query_variable("boundary", "Counts", RESULTS, tag_values("score", "boundary", workload),
                       newest_first=True) | {"description": COUNTS},
        query_variable("place", "Hosts, GPUs", RESULTS, tag_values("score", "place", both),
                       multi=True, everything=True),
        query_variable("reference", "Compared to", RESULTS, tag_values("score", "place", both)),
        _formula(),
    ]  # fmt: skip


def _formula() -> Json:
    """Hidden, always one of the three, at first accuracy² / energy."""
    options = [
        {"text": words, "value": formula, "selected": formula == ENERGY_SCORE}
        for formula, words in FORMULAS.items()
    ]
    return {
        "name": "formula", "label": "Score", "type": "custom", "hide": 2, "multi": False,
        "includeAll": False, "options": options, "current": options[0],
        "query": ", ".join(f"{words} : {formula}" for formula, words in FORMULAS.items()),
    }  # fmt: skip


def _links() -> list[Json]:
    by = [
        link_to("ranking", f"by {words}", f"var-formula={formula}&{KEPT}")
        for formula, words in FORMULAS.items()
    ]
    return [link_to("home", "Home"), *by, link_to("fleet", "Fleet")]
