"""The paper's tables over one's own runs: what may stand together, ranks, ratios, formats."""

import csv
import io
from collections.abc import Iterable
from dataclasses import replace

import pytest

from wattmark_core.catalogue import Method
from wattmark_core.errors import ConfigurationError
from wattmark_core.results import Boundary, Score, Verdict
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_runner.views.tables import TABLES, Cell, Choice, Table
from wattmark_runner.views.tables.text import to_csv, to_latex, to_markdown

S = 1_000_000_000


def run_of(
    model: str, host: str = "lab1", *, joules: float | None = 2.0, accuracy: float = 0.9,
    method: Method = Method.COUNTER, verdict: Verdict = Verdict.VALID, time_ns: int = S,
    workload: str = "w", boundary: Boundary = Boundary.CPU, settings: str = "", gpu: str = "",
) -> RunRecord:  # fmt: skip
    """A scored run: 1,000 images at 100 a second."""
    value = None if joules is None else accuracy**2 / (joules / 3.6)

    def score(formula: str, number: float | None, how: Method | None) -> Score:
        return Score(
            f"r-{model}-{host}-{time_ns}", host, model, workload, boundary, formula, time_ns, how,
            verdict, number, number, number, accuracy=accuracy, joules_per_inference=joules,
            watts=None if joules is None else joules * 100.0, inferences_per_second=100.0,
            parameters=2_000_000, macs=500_000_000, settings=settings, gpu=gpu,
        )  # fmt: skip

    return RunRecord(
        f"r-{model}-{host}-{time_ns}", RunRequest(workload, model), RunState.DONE, host, "boot",
        "i", 0, time_ns, test_images=1000,
        usage={"cpu_utilization_ratio": 0.5, "memory_used_bytes": 2.0**31},
        scores=(
            score("accuracy^2/energy", value, method),
            score("accuracy/parameters", 100 * accuracy / 2.0, None),
        ),
    )  # fmt: skip


def table1(records: Iterable[RunRecord], choice: Choice) -> list[Table]:
    """Table I over runs."""
    return TABLES["1"].make([record.completed_scores for record in records], choice)


def table2(records: Iterable[RunRecord], choice: Choice) -> list[Table]:
    """Table II over runs."""
    return TABLES["2"].make([record.completed_scores for record in records], choice)


def table3(records: Iterable[RunRecord], choice: Choice) -> list[Table]:
    """Table III over runs."""
    return TABLES["3"].make([record.completed_scores for record in records], choice)


def cells_of(table: Table, row: tuple[Cell, ...]) -> dict[str, object]:
    """A row by the names of its columns."""
    return dict(zip([column.name for column in table.columns], row, strict=True))


def cells(table: Table, model: str, host: str = "lab1") -> dict[str, object]:
    """The row of a model on a host."""
    rows = (cells_of(table, row) for row in table.rows)
    return next(row for row in rows if (row["model"], row["host"]) == (model, host))


def test_table_1_is_one_pass_over_the_test_set() -> None:
    """1,000 images at 100 a second and 2 J each: 10 s, 200 W, 2,000 J; without a GPU no GPU's."""
    (table,) = table1([run_of("m")], Choice())
    row = cells(table, "m")
    assert row["accuracy_percent"] == pytest.approx(90.0)
    assert row["seconds"] == pytest.approx(10.0)
    assert row["watts"] == pytest.approx(200.0)
    assert row["watt_hours"] == pytest.approx(2000.0 / 3600.0)
    assert row["cpu_utilization_percent"] == pytest.approx(50.0)
    assert row["memory_gibibytes"] == pytest.approx(2.0)
    assert (row["parameters_millions"], row["macs_billions"]) == (
        pytest.approx(2.0),
        pytest.approx(0.5),
    )
    assert row["gpu_utilization_percent"] is None
    assert row["method"] == "counter"


def test_estimated_energy_stands_in_a_table_of_its_own() -> None:
    """Called so in its title, and so do workloads and boundaries."""
    tables = table1([
        run_of("m"), run_of("m", method=Method.ESTIMATED), run_of("m", workload="v"),
        run_of("m", boundary=Boundary.HOST),
    ], Choice())  # fmt: skip
    assert len(tables) == 4
    assert sum("ESTIMATED energy" in table.title for table in tables) == 1
    (one,) = table1([run_of("m"), run_of("m", workload="v")], Choice(workload="v"))
    assert "v" in one.title


def test_the_newest_run_counts_and_an_invalid_one_is_not_hidden() -> None:
    """A later run of the same host and model replaces it; a later invalid one stands beside it."""
    (table,) = table1([
        run_of("m", joules=2.0, time_ns=S), run_of("m", joules=4.0, time_ns=2 * S),
        run_of("m", joules=9.0, time_ns=3 * S, verdict=Verdict.INVALID),
    ], Choice())  # fmt: skip
    watts = [column.name for column in table.columns].index("watts")
    assert [row[watts] for row in table.rows] == pytest.approx([400.0, 900.0])
    assert [row[-1] for row in table.rows] == ["valid", "invalid"]


GPUS = ("GPU-11111111-aaaa-bbbb-cccc-dddddddddddd", "GPU-22222222-aaaa-bbbb-cccc-dddddddddddd")


def test_frameworks_and_gpus_are_told_apart() -> None:
    """What ran with other settings or on another GPU is neither newer nor older than the rest."""
    records = [
        run_of("m", joules=2.0), run_of("m", joules=1.0, settings="backend=torch", time_ns=2 * S),
        run_of("m", joules=4.0, settings="backend=jax", time_ns=3 * S),
    ]  # fmt: skip
    (table,) = table2(records, Choice())
    ranks = {row[1]: cells_of(table, row)["rank by accuracy^2/energy"] for row in table.rows}
    assert ranks == {"": 2, "backend=torch": 1, "backend=jax": 3}
    (table,) = table1([run_of("m", gpu=gpu) for gpu in GPUS], Choice())
    assert [cells_of(table, row)["gpu"] for row in table.rows] == ["GPU-11111111", "GPU-22222222"]
    (table,) = table2([run_of("m", gpu=gpu) for gpu in GPUS], Choice())
    assert [cells_of(table, row)["rank by accuracy^2/energy"] for row in table.rows] == [1, 1]


def test_ratios_compare_equal_settings() -> None:
    """With the baseline's run of the same settings, else with its only one; of two others neither
    is it. A baseline may be one GPU of a host."""
    torch = "backend=torch"
    records = [
        run_of("m", "lab1", joules=1.0), run_of("m", "lab1", joules=2.0, settings=torch),
        run_of("m", "lab2", joules=6.0, settings=torch), run_of("m", "lab2", settings="x=1"),
        run_of("n", "lab1", joules=1.0), run_of("n", "lab2", joules=3.0, settings=torch),
    ]  # fmt: skip
    (table,) = table3(records, Choice())
    ratios = {row[:3]: cells_of(table, row)["energy_ratio"] for row in table.rows}
    assert ratios["m", torch, "lab2"] == pytest.approx(3.0)
    assert ratios["m", "x=1", "lab2"] is None
    assert ratios["n", torch, "lab2"] == pytest.approx(3.0)
    records = [
        run_of("m", joules=joules, gpu=gpu) for joules, gpu in zip((1.0, 4.0), GPUS, strict=True)
    ]
    (table,) = table3(records, Choice(baseline="lab1 GPU-22222222"))
    assert [cells_of(table, row)["energy_ratio"] for row in table.rows] == [0.25, 1.0]
    (table,) = table3(records, Choice(baseline="lab1"))
    assert [cells_of(table, row)["energy_ratio"] for row in table.rows] == [1.0, 4.0]
    assert "the baseline is lab1 GPU-11111111" in table.notes[0]


def test_ranks_are_those_of_a_host_and_an_invalid_score_has_none() -> None:
    """Of the score of energy; scores that rest on no energy rank all the same."""
    (table,) = table2([
        run_of("good", joules=1.0), run_of("bad", joules=3.0, accuracy=0.95),
        run_of("broken", joules=0.1, verdict=Verdict.INVALID), run_of("good", "lab2", joules=9.0),
    ], Choice(host="lab1"))  # fmt: skip
    assert [cells(table, m)["rank by accuracy^2/energy"] for m in ("good", "bad", "broken")] == [
        1, 2, None,
    ]  # fmt: skip
    assert cells(table, "bad")["rank by accuracy/parameters"] == 1


def test_a_model_with_two_rows_is_one_rival() -> None:
    """An invalid row beside a valid one moves no other model's rank down."""
    (table,) = table2([
        run_of("a", accuracy=0.95), run_of("b"),
        run_of("a", accuracy=0.95, time_ns=2 * S, verdict=Verdict.INVALID),
    ], Choice())  # fmt: skip
    assert len(table.rows) == 3
    assert cells(table, "b")["rank by accuracy/parameters"] == 2
    better = run_of("a", accuracy=0.99, time_ns=2 * S, verdict=Verdict.INVALID)
    (table,) = table2([run_of("a", accuracy=0.95), run_of("b"), better], Choice())
    ranks = [cells_of(table, row)["rank by accuracy/parameters"] for row in table.rows]
    assert ranks == [1, 1, 2]


def test_ratios_are_to_the_baseline() -> None:
    """Missing where either is missing or invalid; in a table without the baseline there are none,
    and a note says so; a baseline without any run is an error. Every row has its method, verdict
    and interval."""
    records = [run_of("m", "lab1", joules=2.0), run_of("m", "lab2", joules=6.0),
               run_of("n", "lab2"), run_of("m", "lab3", verdict=Verdict.INVALID)]  # fmt: skip
    (table,) = table3(records, Choice())
    assert cells(table, "m", "lab2")["energy_ratio"] == pytest.approx(3.0)
    assert cells(table, "m", "lab2")["score_ratio"] == pytest.approx(1 / 3)
    assert cells(table, "n", "lab2")["energy_ratio"] is None
    assert cells(table, "m", "lab3")["energy_ratio"] is None
    assert cells(table, "m", "lab3")["verdict"] == "invalid"
    assert cells(table, "m", "lab1")["method"] == "counter"
    (one,) = table3(records, Choice(baseline="lab1", host="lab2"))
    assert [row[2] for row in one.rows] == ["lab2", "lab2"]
    assert cells(one, "m", "lab2")["energy_ratio"] == pytest.approx(3.0)
    _, other = table3([*records, run_of("m", "lab9", workload="x")], Choice(baseline="lab1"))
    assert other.notes[0] == "no run of lab1: no ratios"
    with pytest.raises(ConfigurationError, match="baseline nobody; there are runs of lab1, lab2"):
        table3(records, Choice(baseline="nobody"))


def test_estimates_of_two_hosts_are_not_compared() -> None:
    """Each is good within a factor of two; a ratio of them says nothing."""
    records = [run_of("m", host, method=Method.ESTIMATED) for host in ("lab1", "lab2")]
    (table,) = table3(records, Choice())
    assert cells(table, "m", "lab2")["energy_ratio"] is None
    assert "not compared" in table.notes[0]


def test_energy_without_accuracy_is_shown() -> None:
    """Of random weights, as the scorer leaves them: joules and their ratio, no score."""
    records = [run_of("m", host, verdict=Verdict.WARNED) for host in ("lab1", "lab2")]
    for record in records:
        record.scores = tuple(
            replace(score, value=None, accuracy=None) for score in record.scores
        )  # fmt: skip
    (table,) = table3(records, Choice())
    assert cells(table, "m", "lab2")["energy_ratio"] == pytest.approx(1.0)
    assert cells(table, "m", "lab2")["score"] is None


def test_the_papers_hosts_stand_beside_ones_own() -> None:
    """Of the same boundary only, and never beside estimated energy."""
    own = run_of("EfficientNetV2S", joules=1.0)
    (table,) = table3([own], Choice(paper=True))
    row = cells(table, "EfficientNetV2S", "paper: Intel i7")
    assert row["joules"] == pytest.approx(4195e-6 * 3600)
    assert row["score"] == pytest.approx(0.839**2 / 4.195)
    assert row["low"] == pytest.approx(0.8385**2 / 4.1955)
    assert row["energy_ratio"] == pytest.approx(4195e-6 * 3600 / 1.0)
    assert row["verdict"] == "as printed"
    assert not any("A100" in str(row[2]) for row in table.rows)
    (guess,) = table3([run_of("EfficientNetV2S", method=Method.ESTIMATED)], Choice(paper=True))
    assert not any("paper" in str(row[2]) for row in guess.rows)


def test_every_format_shows_what_is_missing() -> None:
    """As a dash, or an empty cell; and escapes what its syntax knows."""
    tables = table1([run_of("50%_a|b", joules=None), run_of("[*]\n<c>", workload="v")], Choice())
    rows = list(csv.DictReader(io.StringIO(to_csv(tables))))
    assert [row["model"] for row in rows] == ["[*]\n<c>", "50%_a|b"]
    rows = rows[1:]
    assert rows[0]["watts"] == ""
    assert float(rows[0]["accuracy_percent"]) == pytest.approx(90.0)
    assert rows[0]["settings"] == ""
    markdown = to_markdown(tables)
    assert "settings" not in markdown  # where all are at their defaults
    assert r"50%_a\|b" in markdown
    assert "| [*] &lt;c&gt; |" in markdown
    assert "| – |" in markdown
    latex = to_latex(tables)
    assert r"50\%\_a\textbar{}b" in latex
    assert r"{[}{*}{]} \textless{}c\textgreater{}" in latex
    assert latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")
