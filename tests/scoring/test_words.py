"""Every check in words that a reader can act on."""

import ast
import fnmatch
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from wattmark_core.catalogue import Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Boundary, Check, Score, Verdict
from wattmark_scoring import checks, words
from wattmark_scoring.arrays import CounterData, GaugeData
from wattmark_scoring.boundary import boundary_energy
from wattmark_scoring.checks import (
    WORDS,
    Question,
    complete,
    counted,
    coverage,
    deviation,
    edges,
    exclusive,
    foreign_cpu,
    gap,
    idle,
    method,
    plausible,
    repeats,
    samples,
    zero_power,
)
from wattmark_scoring.energy import SeriesEnergy

S = 1_000_000_000
VALID, WARNED, INVALID = Verdict.VALID, Verdict.WARNED, Verdict.INVALID
MakeSeries = Callable[..., EnergySeries]


def _made(family: str) -> set[str]:
    """The names under which a file makes checks, as its source gives them; ``*`` for a part that
    is not known before."""
    tree = ast.parse(Path(checks.__path__[0], f"{family}.py").read_text())
    constants = {
        node.target.id: node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value
    }
    names = [
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"Check", "against_limit"}
    ]
    return {_pattern(constants.get(getattr(name, "id", ""), name)) for name in names}


def _pattern(name: ast.expr) -> str:
    parts = name.values if isinstance(name, ast.JoinedStr) else [name]
    return "".join(str(p.value) if isinstance(p, ast.Constant) else "*" for p in parts)


@pytest.mark.parametrize("family", checks.FILES)
def test_every_check_has_words_and_no_words_are_left_over(family: str) -> None:
    """What a file makes and what it has words for are the same names."""
    named = set(checks.FAMILIES[checks.FILES.index(family)].words)
    made = _made(family)
    assert made
    assert all(fnmatch.filter(named, pattern) for pattern in made)
    assert {name for pattern in made for name in fnmatch.filter(named, pattern)} == named


def test_every_file_is_listed() -> None:
    """No check is forgotten."""
    files = {path.stem for path in Path(checks.__path__[0]).glob("*.py")}
    assert files - {"__init__", "definition", "verdicts"} == set(checks.FILES)


@pytest.mark.parametrize("name", WORDS)
@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("value", [None, 0.679])
def test_words_are_sentences(name: str, verdict: Verdict, value: float | None) -> None:
    """With a capital and a full stop, one line, nothing left to fill in, no field's name."""
    check = Check(name, verdict, value, 0.02, "ratio", "mean power of package socket0 (window 3)")
    meaning = words.meaning(check)
    assert meaning[0].isupper(), meaning
    assert meaning.endswith(".")
    assert not set("{}\n_") & set(meaning.replace(check.message, ""))
    assert words.found(check)
    assert words.allowed(check)
    assert isinstance(WORDS[name].question, Question)


@pytest.mark.parametrize("device", ["package cpu", "CPU package", "memory socket1"])
@pytest.mark.parametrize(("name", "message"), [
    ("plausible", "mean power of {}"), ("plausible", "mean power of {}; limit not known"),
    ("edges", "nearest sample outside the edges, {}"),
    ("gap", "largest gap between samples of {}"),
])  # fmt: skip
def test_a_counter_is_named_whatever_version_found_it(name: str, message: str, device: str) -> None:
    """As 9ca66c9 called it in what is stored, or as every surface does today."""
    check = Check(name, Verdict.WARNED, 9.0, 2.0, "s", message.format(device))
    assert f" of {device} " in words.meaning(check)


def test_a_finding_names_value_limit_and_repeat() -> None:
    """Cause, how much, in which repeat, and what is allowed; then what to do."""
    (busy,) = checks.worst([[foreign_cpu.check(9.4, 0.39, 10.0)]])
    assert words.found(busy) == "0.901 cores"
    assert words.allowed(busy) == "at most 0.05 cores"
    assert words.meaning(busy) == (
        "Other programs used 0.901 cores, in repeat 1; allowed 0.05 cores. End them, or measure"
        " when the machine is idle."
    )
    drift = deviation.check([1.679, 1.3, 1.0])[-1]
    assert words.finding(drift) == (
        "Energy per inference drifted by 51.2 % over the repeats; allowed 2 %"
    )
    short = idle.check(10.0, 12.0, 2.0, 2.0)[0]
    assert words.finding(short) == "The shorter idle baseline lasted 10.0 s; needed 30 s"
    assert words.allowed(short) == "at least 30 s"


def test_the_device_is_named(make_series: MakeSeries) -> None:
    """Where several counters are checked, a finding says which it is of."""
    series = make_series(method=Method.INTEGRATED, limit_watts=100.0)
    counter = CounterData.of([0, S], [0.0, 10.0], [1, 1], [0.0, 0.0])
    found = [
        gap.check(series, counter, 0, 10 * S), edges.check(series, counter, S // 2, 10 * S),
        plausible.check(series, 9e9, 1.0), plausible.check(series, 0.0, 1.0),
        samples.check(series, None, 0, S), samples.check(series, GaugeData.of([0], [1.0]), 0, S),
        zero_power.check(series, GaugeData.of([0], [0.0]), 0, S),
        coverage.check(replace(series, coverage_ratio=0.25), 1.0, 10)[0],
    ]  # fmt: skip
    for check in checks.worst([found]) + tuple(found):
        assert check.verdict is not VALID
        assert series.device in words.finding(check), check
        assert "a sensor" not in words.finding(check)


def test_states_are_described_by_what_they_are(make_series: MakeSeries) -> None:
    """Not by a value beside a limit of 0."""
    estimated = make_series(method=Method.ESTIMATED)
    energy = boundary_energy(Boundary.CPU, [SeriesEnergy(estimated, 3.0, True)])
    (estimate,) = checks.worst([[method.check(energy)]])
    assert words.found(estimate) == "ESTIMATED"
    assert words.finding(estimate).endswith("compare on this host only")
    measured = boundary_energy(Boundary.CPU, [SeriesEnergy(make_series(), 3.0, True)])
    assert words.meaning(method.check(measured)) == "Energy is measured (counter)."
    assert words.found(exclusive.check(True)) == "shared"
    assert words.allowed(exclusive.check(True)) == "–"
    assert words.found(counted.check(2_223_720, None)) == "no accuracy"
    lost = boundary_energy(Boundary.CPU, [SeriesEnergy(make_series(), None, False, "no sample")])
    assert "no sample" in words.finding(complete.check(lost))
    plain = samples.check(make_series(), None, 0, S)
    assert words.finding(plain) == "A counter needs its edges only"


def test_findings_begin_with_causes() -> None:
    """What failed before what warns, and in each the cause before what it does."""
    drift = deviation.check([1.5, 1.2, 1.0])[-1]
    busy, alone = foreign_cpu.check(9.4, 0.39, 10.0), exclusive.check(True)
    score = Score("r", "h", "m", "w", Boundary.CPU, "f", 0, None, INVALID, None, None, None,
                  checks=(drift, busy, alone, exclusive.check(False)))  # fmt: skip
    first, second, third = words.findings(score).split("; allowed ")[0], busy, drift
    assert first.startswith("Another window of the host")
    findings = words.findings(score)
    assert findings.index(words.finding(second)) < findings.index(words.finding(third))
    assert findings.count(". ") == 2
    assert not findings.endswith(".")
    assert words.findings(replace(score, checks=(), verdict=VALID)) == "every check passed"
    assert words.findings(replace(score, checks=())) == "no energy was measured"


def test_of_many_findings_the_worst_three_are_given() -> None:
    """And how many more there are; fewer than three where those are long, and never much over two
    hundred letters: they stand in a table's cell."""
    made = [foreign_cpu.check(9.4, 0.39, 10.0), repeats.check(2), *deviation.check([1.5, 1.2]),
            *idle.check(10.0, 12.0, 2.0, 2.5)]  # fmt: skip
    score = Score("r", "h", "m", "w", Boundary.CPU, "f", 0, None, WARNED, None, None, None,
                  checks=tuple(made))  # fmt: skip
    assert words.findings(score) == (
        "Other programs used 0.901 cores; allowed 0.05 cores. The shorter idle baseline lasted"
        " 10.0 s; needed 30 s. Idle power before and after differed by 22.2 %; allowed 2 %."
        " And 4 more"
    )
    few = replace(score, checks=tuple(made[:1]))
    assert words.findings(few) == "Other programs used 0.901 cores; allowed 0.05 cores"
    long = [Check(f"n{i}", WARNED, None, None, "", f"{'word ' * 20}{i}") for i in range(4)]
    assert words.findings(replace(score, checks=tuple(long))).endswith("word 1. And 2 more")
    endless = Check("n", WARNED, None, None, "", "word " * 80)
    findings = words.findings(replace(score, checks=(endless,)))
    assert findings.endswith("word …")
    assert 200 < len(findings) <= 220


def test_a_check_of_an_older_version_is_given_by_its_name() -> None:
    """A saved run can be shown whatever made it."""
    old = Check("sun", WARNED, 3.0, 1.0, "", "the sun shone")
    assert words.finding(old) == "sun: 3; allowed 1"
    assert words.worst_first([old])[0] is old
