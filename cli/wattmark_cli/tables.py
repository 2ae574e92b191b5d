"""Ranked scores as tables for a terminal."""

from collections.abc import Iterable

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from wattmark_core.figures import MISSING
from wattmark_core.printable import printable
from wattmark_core.results import Score, Verdict
from wattmark_scoring.ranking import RankedGroup
from wattmark_scoring.score_words import reasons, score_texts

_STYLES = {Verdict.VALID: "green", Verdict.WARNED: "yellow", Verdict.INVALID: "red"}


def ranked(group: RankedGroup) -> Group:
    """One group of comparable scores: best first, the invalid ones below a line, unranked."""
    table = Table(
        title=Text(printable(group.title)),
        box=box.SIMPLE_HEAD,
        title_justify="left",
        padding=(0, 1, 0, 0),
    )
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("model", overflow="fold")
    table.add_column("energy per\ninference", justify="right", no_wrap=True)
    table.add_column("accuracy", justify="right", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("mean power\nspeed\nCPU time", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for number, score in enumerate(group.ranked, start=1):
        table.add_row(str(number), *_cells(score, group), end_section=number == len(group.ranked))
    for score in group.unranked:
        table.add_row(MISSING, *_cells(score, group))
    return Group(table, Text(_legend(group), style="dim"), *_reasons(group))


def _reasons(group: RankedGroup) -> list[Text]:
    """Per model the checks behind its verdict; one line where all share them."""
    lines = {
        " ".join(_who(score, group)): f"{score.verdict}: {', '.join(reasons(score))}"
        for score in (*group.ranked, *group.unranked)
        if reasons(score)
    }
    if len(set(lines.values())) == 1 and len(lines) > 1:
        return [Text(printable(f"all {next(iter(lines.values()))}"))]
    return [Text(printable(f"{who} {line}")) for who, line in lines.items()]


def _who(score: Score, group: RankedGroup) -> list[str]:
    """The model, its settings, and where the group holds several hosts or GPUs which it is."""
    place = [f"on {score.place}"] if group.several_places else []
    return [score.model, *score.settings.split(), *place]


def _legend(group: RankedGroup) -> str:
    lines = ["score = accuracy² / energy per inference in mWh; ± and (a–b): 95 % interval"]
    if group.estimated:
        lines.append("estimated from CPU time within a factor of two: compare within this table")
    if group.unranked:
        lines.append(f"{MISSING} = not ranked: see the checks in the report")
    return "\n".join(lines)


def _cells(score: Score, group: RankedGroup) -> list[str | Text]:
    texts = score_texts(score)
    return [
        Text("\n".join(map(printable, _who(score, group)))),
        _in_two(texts.energy),
        _in_two(texts.accuracy),
        _in_two(texts.score),
        f"{texts.power}\n{texts.speed}\n{texts.cpu_time}",
        Text(texts.verdict, style=_STYLES[score.verdict]),
    ]


def _in_two(text: str) -> str:
    """The ends of an interval below the value: a table fits into 80 columns."""
    return text.replace(" (", "\n(")


def show(groups: Iterable[RankedGroup]) -> None:
    """All groups on standard output."""
    console = Console()
    for group in groups:
        console.print(ranked(group))
        console.print()
