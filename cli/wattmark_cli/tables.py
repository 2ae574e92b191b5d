"""Ranked scores as tables for a terminal."""

from collections.abc import Iterable

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from wattmark_cli.display import MISSING, between, percent, si
from wattmark_core.results import Score, Verdict
from wattmark_core.units import joules_to_mwh
from wattmark_scoring.ranking import RankedGroup

_STYLES = {Verdict.VALID: "green", Verdict.WARNED: "yellow", Verdict.INVALID: "red"}


def ranked(group: RankedGroup) -> Group:
    """One group of comparable scores: best first, the invalid ones below a line, unranked."""
    table = Table(
        title=Text(title(group)), box=box.SIMPLE_HEAD, title_justify="left", padding=(0, 1, 0, 0)
    )
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("model", overflow="fold")
    table.add_column("accuracy", justify="right", no_wrap=True)
    table.add_column("energy\nper inference", justify="right", no_wrap=True)
    table.add_column("score\n1/mWh", justify="right", no_wrap=True)
    table.add_column("power\nspeed\nCPU time", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for number, score in enumerate(group.ranked, start=1):
        table.add_row(str(number), *_cells(score, group), end_section=number == len(group.ranked))
    for score in group.unranked:
        table.add_row(MISSING, *_cells(score, group))
    return Group(table, Text(_legend(group), style="dim"), *_reasons(group))


def _reasons(group: RankedGroup) -> list[Text]:
    """Per model the checks behind its verdict; one line where all share them."""
    reasons = {
        " ".join(_who(score, group)): f"{score.verdict} by {', '.join(troubles(score))}"
        for score in (*group.ranked, *group.unranked)
        if troubles(score)
    }
    if len(set(reasons.values())) == 1 and len(reasons) > 1:
        return [Text(f"all {next(iter(reasons.values()))}")]
    return [Text(f"{who}: {reason}") for who, reason in reasons.items()]


def _who(score: Score, group: RankedGroup) -> list[str]:
    """The model, its settings, and where the group holds several hosts or GPUs which it is."""
    places = {each.place for each in (*group.ranked, *group.unranked)}
    return [
        score.model,
        *score.settings.split(),
        *([f"on {score.place}"] if len(places) > 1 else []),
    ]


def title(group: RankedGroup) -> str:
    """Boundary and method are part of every table."""
    method = "ESTIMATED energy, relative only" if group.estimated else "measured energy"
    host = f" · {group.host}" if group.host else ""
    return f"{group.workload} · boundary {group.boundary} · {method}{host}"


def _legend(group: RankedGroup) -> str:
    lines = ["score = accuracy² / energy per inference in mWh; a–b = 95 % interval"]
    if group.estimated:
        lines.append("estimated from CPU time within a factor of two: compare within this table")
    if group.unranked:
        lines.append(f"{MISSING} = not ranked: see the checks in the report")
    return "\n".join(lines)


def _cells(score: Score, group: RankedGroup) -> list[str | Text]:
    energy = score.joules_per_inference
    mwh = None if energy is None else joules_to_mwh(energy)
    return [
        Text("\n".join(_who(score, group))),
        percent(score.accuracy),
        "\n".join(
            [
                si(energy, "J"),
                MISSING if mwh is None else f"{mwh:.3g} mWh",
                between(score.joules_per_inference_low, score.joules_per_inference_high, "J"),
            ]
        ),
        f"{si(score.value, '')}\n{between(score.low, score.high)}",
        f"{si(score.watts, 'W')}\n{si(score.inferences_per_second, '/s')}\n"
        f"{si(score.cpu_seconds_per_inference, 's')}",
        Text(score.verdict, style=_STYLES[score.verdict]),
    ]


def troubles(score: Score) -> list[str]:
    """The checks behind the verdict: those that failed, else those that warned."""
    if score.verdict is Verdict.VALID:
        return []
    return [check.name for check in score.checks if check.verdict is score.verdict]


def show(groups: Iterable[RankedGroup]) -> None:
    """All groups on standard output."""
    console = Console()
    for group in groups:
        console.print(ranked(group))
        console.print()
