"""What people see of recorded runs on *Run* and *Ranking*: InfluxDB's answers through Grafana's own
library."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dashboards import ranking, run
from tests.dashboards.conftest import VARIABLES, extras, score
from tests.dashboards.panels import every_panel
from tools.pictures.library import (
    DataFrame,
    Library,
    LibraryMissing,
    Question,
    Shown,
    Span,
    Variable,
)
from wattmark_core.results import ENERGY_SCORE, NETSCORE
from wattmark_store import open_store

S = 1_000_000_000
ON_GPU = "h1 GPU-12345678"
PANELS = {
    panel["title"]: panel for make in (run.make, ranking.make) for panel in every_panel(make())
}
CHOSEN = {
    name: Variable((VARIABLES[name],))
    for name in ("reference", "workload", "boundary", "formula", "run_id", "place", "variant")
}
ENERGIES = "Energy per inference by network and host"
RATIOS = "Energy per inference, times that of ${reference}"
RANKED = "Ranked"
Seen = Callable[..., Shown]


@pytest.fixture(scope="module")
def seen(recorded: Any) -> Iterator[Seen]:
    """A panel by its title: of the recorded runs and of a network that only the GPU ran."""
    store: Any = open_store(recorded.influxd.url("admin"), recorded.influxd.password_file("admin"))
    store.put_shown_score(
        score("run4", "only", recorded.end_ns - 9 * S, value=3.0, accuracy=0.1,
              joules_per_inference=0.0123, gpu="GPU-12345678"),
        extras(recorded.end_ns - 9 * S),
    )  # fmt: skip
    store.close()
    end_ms = recorded.end_ns // 1_000_000
    try:
        with Library(Span(end_ms - 700_000, end_ms)) as library:

            def ask(title: str, **chosen: str) -> Shown:
                panel = PANELS[title]
                answers = [_answer(recorded, target, chosen) for target in panel["targets"]]
                shown = library.shown([Question(panel, answers, CHOSEN)])[0]
                assert not shown.error
                return shown

            yield ask
    except LibraryMissing as error:
        pytest.skip(str(error))


def _answer(recorded: Any, target: Any, chosen: dict[str, str]) -> dict[str, Any]:
    """With times in ms, as Grafana asks for them."""
    answer = recorded.ask(target["datasource"]["uid"], target["query"], **chosen)
    for series in answer:
        for row in series["values"]:
            row[0] //= 1_000_000
    return {"series": answer} if answer else {}


def column(frame: DataFrame, title: str) -> Any:
    """A column by its head."""
    return next(field for field in frame.fields if field.title == title)


def test_the_headline_of_a_run(seen: Seen) -> None:
    """Texts with their intervals, the verdict with its mark and colour."""
    texts = [seen(title).numbers[0].text for title in (
        "Energy per inference", "Accuracy", "Mean power", "Verdict")]  # fmt: skip
    assert texts == ["9.0 ± 0.1 J", "90.0 ± 1.9 %", "300 W", "✓ valid"]


def test_a_run_without_settings_has_dashes(seen: Seen) -> None:
    """In one line with its time, of which its name is the link."""
    table = seen("What ran")
    assert table.heads == ["network", "workload", "settings", "host", "GPU", "counts", "energy is",
                           "started", "took", "run"]  # fmt: skip
    row = table.rows[0]
    assert (row["settings"], row["GPU"], row["took"]) == ("–", "–", "4.50 mins")
    assert row["counts"] == "CPU, memory, GPU"
    (link,) = column(table.frames[0], "run").links[0]
    assert "var-run_id=run0&from=" in link.href


def test_checks_are_read_from_the_worst_on(seen: Seen) -> None:
    """With their marks."""
    table = seen("Checks")
    assert table.heads == ["verdict", "check", "found", "allowed", "what it means"]
    assert [row["verdict"] for row in table.rows] == ["✗ invalid", "! warned", "✓ valid"]


def test_only_the_outlier_is_red(seen: Seen) -> None:
    """The other has a dash."""
    outlier = column(seen("Repeats").frames[0], "outlier")
    shown = dict(zip(outlier.texts, outlier.colors, strict=True))
    assert set(shown) == {"–", "outlier: 38 % above the median"}
    assert shown["outlier: 38 % above the median"] == "#F2495C"
    assert shown["–"] != "#F2495C"


def test_each_line_of_power_is_a_counter(seen: Seen) -> None:
    """Called by its domain and device."""
    titles = {field.title for frame in seen("Power").frames for field in frame.fields}
    assert titles == {"Time", "CPU package socket0", "GPU 12345678"}


def test_the_ranked_networks(recorded: Any, seen: Seen) -> None:
    """Best first, with rank, texts, ratio to the first, and a link to the run at its time."""
    table = seen(RANKED)
    assert table.heads == ["#", "network", "host", "energy per inference", "accuracy", "score",
                           "of the 1st", "verdict"]  # fmt: skip
    got = [(r["#"], r["network"], r["host"], r["of the 1st"]) for r in table.rows]
    assert got[0] == ("1", "only", ON_GPU, "×1")
    assert set(got[1:3]) <= {(n, m, "h1", "×0.500") for n in "23" for m in "mn"}
    assert got[3] == ("4", "m", ON_GPU, "×0.250")
    (link,) = column(table.frames[0], "network").links[0]
    start_ms = recorded.end_ns // 1_000_000 - 9_000
    assert link.href.endswith(f"var-run_id=run4&from={start_ms - 13_500}&to={start_ms + 283_500}")


def test_a_missing_cell_is_a_dash(seen: Seen) -> None:
    """It was 0 J: where a host lacks a network, and where a formula has no energy."""
    for formula in (ENERGY_SCORE, NETSCORE):
        table = seen(ENERGIES, formula=formula)
        assert table.rows == [
            {"network": "m", "h1": "9 J", ON_GPU: "18 J"},
            {"network": "n", "h1": "9 J", ON_GPU: "–"},
            {"network": "only", "h1": "–", ON_GPU: "12.3 mJ"},
        ]
    scores = seen("Score by network and host", formula=NETSCORE)
    assert [(row["network"], row["h1"].strip()) for row in scores.rows] == [
        ("m", "80"),
        ("n", "80"),
    ]


def test_ratios_are_of_others_to_the_reference(seen: Seen) -> None:
    """Only of networks that both have."""
    assert seen(RATIOS).rows == [{"network": "m", ON_GPU: "×2"}]
    other = seen(RATIOS, reference=ON_GPU)
    assert other.rows == [{"network": "m", "h1": "×0.500"}]
    nothing = seen(RATIOS, place="h1")
    assert nothing.rows == []


def test_every_score_has_a_column(seen: Seen) -> None:
    """Called as people do; a formula that nothing was scored by has none."""
    rows = seen("Every score on ${reference}").rows
    assert [{head: text.strip() for head, text in row.items()} for row in rows] == [
        {"network": name, "NetScore": "80", "accuracy² / energy": "1.50"} for name in "mn"
    ]


def test_the_picture_is_one_frame_of_places_and_lines(seen: Seen) -> None:
    """As xychart reads it: x is a column, each other number column a series with its own points,
    undefined (here: none) where another has one. Null would be drawn at 0 %."""
    (frame,) = seen("Accuracy against energy").frames
    x = frame.fields[0]
    assert (x.title, x.config["unit"]) == ("energy per inference", "joule")
    assert x.custom["scaleDistribution"] == {"type": "log", "log": 10}
    numbers = {field.title: field for field in frame.fields[1:] if field.type == "number"}
    assert {name for name, field in numbers.items() if field.custom["show"] == "points"} >= {
        "h1", ON_GPU,
    }  # fmt: skip
    for line in ("1 /mWh", "3 /mWh"):
        assert numbers[line].custom["show"] == "lines"
    places = {name: sorted((a, v) for a, v in zip(x.values, numbers[name].values, strict=True)
                           if v is not None)
              for name in ("h1", ON_GPU)}  # fmt: skip
    assert places == {"h1": [(9.0, 0.9)], ON_GPU: [(0.0123, 0.1), (18.0, 0.9)]}


def test_one_pass_of_the_test_set(seen: Seen) -> None:
    """Table I has units, and a dash where a machine has no GPU."""
    row = next(r for r in seen("Time, power, energy and use of the machine").rows
               if (r["network"], r["host"]) == ("n", "h1"))  # fmt: skip
    assert (row["one pass"], row["energy of a pass"]) == ("30.3 s", "9 kJ")
    assert (row["power"], row["CPU use"], row["energy is"]) == ("300 W", "50%", "≈ ESTIMATED")
