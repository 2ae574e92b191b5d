"""Ranking: within one boundary, and never estimated energy among measured."""

from collections.abc import Iterable
from dataclasses import dataclass

from wattmark_core.catalogue import Method
from wattmark_core.results import Boundary, Score, Verdict


@dataclass(frozen=True, slots=True)
class RankedGroup:
    """Scores that may be compared. ``ranked`` best first, ``unranked`` invalid or without value.

    ``host``: whose estimates they are; empty for measured energy, of any hosts.
    """

    workload: str
    boundary: Boundary
    formula: str
    estimated: bool
    ranked: tuple[Score, ...]
    unranked: tuple[Score, ...]
    host: str = ""


Key = tuple[bool, str, Boundary, str, str]


def rank(scores: Iterable[Score]) -> tuple[RankedGroup, ...]:
    """Groups of comparable scores, measured groups before estimated ones.

    Only scores of one workload, boundary and formula are comparable, only measured with measured,
    and of estimates, each good within a factor of two, only those of one host. Warned scores rank;
    invalid ones are listed apart.
    """
    groups: dict[Key, list[Score]] = {}
    for score in scores:
        estimated = score.method is Method.ESTIMATED
        host = score.host if estimated else ""
        key = (estimated, score.workload, score.boundary, score.formula, host)
        groups.setdefault(key, []).append(score)
    return tuple(
        _group(key, members) for key, members in sorted(groups.items(), key=lambda item: item[0])
    )


def _group(key: Key, members: list[Score]) -> RankedGroup:
    estimated, workload, boundary, formula, host = key
    ranked = sorted(filter(_is_rankable, members), key=lambda score: -(score.value or 0.0))
    unranked = tuple(score for score in members if not _is_rankable(score))
    return RankedGroup(workload, boundary, formula, estimated, tuple(ranked), unranked, host)


def _is_rankable(score: Score) -> bool:
    return score.value is not None and score.verdict is not Verdict.INVALID
