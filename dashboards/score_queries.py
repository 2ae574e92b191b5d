"""InfluxQL of one run's power, and of scores side by side."""

from typing import Final

from dashboards.queries import NOT_PARTS, TIME, field, names_of
from wattmark_core.results import ENERGY_SCORE

RANKABLE: Final = "\"verdict\" <> 'invalid'"
"""``ranking.rankable`` in InfluxQL; a score without a value has no row."""
OF_ENERGY: Final = f"\"formula\" = '{ENERGY_SCORE}'"
"""The score whose rows hold the energy: each run has one, with or without an accuracy."""


def curves(*conditions: str) -> str:
    """The power of a run's windows as it is stored with its results, W, per counter."""
    where = " AND ".join([TIME, *conditions, NOT_PARTS])
    by = names_of("window_power", ("domain", "device", "method"))
    return (
        f'SELECT mean({field("window_power", "watts")}) FROM "window_power" WHERE {where}'
        f" GROUP BY time($__interval), {by} fill(null)"
    )


def newest(*conditions: str, by: tuple[str, ...]) -> str:
    """The newest score of each group: ``score``."""
    where = " AND ".join([TIME, *conditions])
    return (
        f'SELECT last({field("score", "value")}) AS "score" FROM "score" WHERE {where}'
        f" GROUP BY {names_of('score', by)}"
    )


def best_scores(*conditions: str) -> str:
    """A row for each workload: the highest of its networks' newest scores, ``best``."""
    workload = field("score", "workload")
    scores = newest(*conditions, by=("workload", "place", "variant"))
    best = f'SELECT max("score") AS "best" FROM ({scores}) GROUP BY {workload}'
    return f'SELECT {workload}, "best" FROM ({best})'


def marks(*conditions: str) -> str:
    """A row for each network and place that has both: where it lies in the picture of accuracy
    against energy. ``series`` is its place."""
    joules, accuracy = field("score", "joules_per_inference"), field("score", "accuracy")
    where = " AND ".join([TIME, OF_ENERGY, *conditions, f"{joules} > 0", f"{accuracy} > 0"])
    both = (
        f'SELECT last({joules}) AS {joules}, {accuracy} FROM "score" WHERE {where}'
        f" GROUP BY {names_of('score', ('place', 'variant'))}"
    )
    return (
        f'SELECT {field("score", "place")} AS "series", {field("score", "variant")} AS "network",'
        f' {joules} AS "energy per inference", {accuracy} FROM ({both})'
    )


def lines_of_equal_score(*conditions: str) -> str:
    """Points of the lines on which a score is the same, of no time. ``series`` is their label."""
    columns = {"line": "series", "joules_per_inference": "energy per inference"}
    named = [f'{field("isoline", name)} AS "{column}"' for name, column in columns.items()]
    return (
        f'SELECT {", ".join(named)}, {field("isoline", "accuracy")} FROM "isoline"'
        f" WHERE {' AND '.join(conditions)}"
    )
