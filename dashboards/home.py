"""Is all well, and what is new: hosts, alerts, newest runs, the best network of each host."""

from typing import Final

from dashboards.board import dashboard, link_to
from dashboards.columns import (
    LINKED,
    OPEN_RUN,
    column,
    hidden,
    narrow,
    to_ranking,
    verdict_column,
)
from dashboards.hosts import (
    energy_of_all,
    hosts_answering,
    hosts_silent,
    hosts_table,
    power_of_all,
)  # fmt: skip
from dashboards.panels import RESULTS, TELEMETRY, Panel, ordered, stat, table, tables, text
from dashboards.queries import field, names_of, results, runs, tag_values
from dashboards.score_queries import RANKABLE
from dashboards.variables import query_variable, results_variable, telemetry_variable
from wattmark_core.results import ENERGY_SCORE

# Within what a run counts first: one row a run.
HEADLINE: Final = f'"formula" = \'{ENERGY_SCORE}\' AND "main" = 1'
LATELY: Final = "time > now() - 30d"
NO_RUN: Final = "No run in the last 30 days: start one on the runner's page."
NEWEST: Final = 10


def make() -> dict[str, object]:
    """The dashboard, which Grafana opens first."""
    return dashboard(
        "home", "Wattmark: home", "Is all well, and what is new?",
        [
            [hosts_answering(), hosts_silent(), power_of_all(), energy_of_all("Energy, 24 h"),
             _runs_counted(), _start()],
            [hosts_table(width=16, height=9), _alerts()],
            [_newest_runs(), _best()],
        ],
        [
            telemetry_variable(), results_variable(),
            query_variable("host", "Hosts", TELEMETRY, tag_values("energy", "host"), multi=True,
                           everything=True, hide=True),
        ],
        links=[link_to("live", "Live host"), link_to("ranking", "Ranking"),
               link_to("fleet", "Fleet")],
        since="now-24h", refresh="1m",
    )  # fmt: skip


def _runs_counted() -> Panel:
    query = f'SELECT count("start_ms") AS "runs" FROM ({runs()})'
    return stat("Runs, 24 h", "Runs with a window in the shown time.", "none", tables([query]),
                source=RESULTS, field="runs",
                empty="None: start one on the runner's page.")  # fmt: skip


def _start() -> Panel:
    return text("Start a run", "On the runner's page.", "### [Open the runner's page](${runner})",
                width=4, height=4)  # fmt: skip


def _alerts() -> Panel:
    shown = {"firing": True, "pending": True, "noData": True, "error": True, "normal": False}
    return Panel(
        "alertlist", "Alerts", "What fires now: each says what to do.", "none", [], width=8,
        height=9, empty="No alert fires.",
        options={"viewMode": "list", "groupMode": "default", "maxItems": 20, "sortOrder": 3,
                 "dashboardAlerts": False, "alertName": "", "stateFilter": shown},
    )  # fmt: skip


def _newest_runs() -> Panel:
    names = ("variant", "workload", "place", "energy_text", "verdict", *LINKED)
    return table(
        "Newest runs", "Of the last 30 days; a network's name opens its run.",
        tables([results("score", names, HEADLINE, LATELY, timed=False, newest=NEWEST)]),
        source=RESULTS, width=13, height=12,
        transformations=[ordered("variant", "workload", "place", "energy_text", "verdict", "Time")],
        overrides=[
            column("variant", "network", links=[OPEN_RUN]),
            column("workload", "workload", **narrow(100)), column("place", "host", **narrow(150)),
            column("energy_text", "energy per inference", **narrow(170)),
            verdict_column(**narrow(90)),
            column("Time", "started", unit="dateTimeFromNow", **narrow(130)), *hidden(*LINKED),
        ],
        empty=NO_RUN,
    )  # fmt: skip


def _best() -> Panel:
    texts = ("energy_text", "accuracy_text", *LINKED)
    by = ("place", "workload")
    picked = "".join(f", {field('score', name)}" for name in texts)
    newest = (
        f'SELECT last({field("score", "value")}) AS "score"{picked} FROM "score"'
        f" WHERE {LATELY} AND {HEADLINE} AND {RANKABLE}"
        f" GROUP BY {names_of('score', (*by, 'variant'))}"
    )
    best = (
        f'SELECT max("score") AS "score", "variant"{picked} FROM ({newest})'
        f" GROUP BY {names_of('score', by)}"
    )
    columns = names_of("score", (*by, "variant", *texts))
    return table(
        "Best network of each host", "The highest accuracy² / energy among each network's newest"
        " scores of the last 30 days, for each workload.",
        tables([f"SELECT {columns} FROM ({best})"]), source=RESULTS, width=11, height=12,
        transformations=[ordered(*by, "variant", "energy_text", "accuracy_text")],
        overrides=[
            column("place", "host", **narrow(150)),
            column("workload", "workload", links=[to_ranking()], **narrow(100)),
            column("variant", "network", links=[OPEN_RUN]),
            column("energy_text", "energy per inference", **narrow(170)),
            column("accuracy_text", "accuracy", **narrow(120)),
            *hidden("Time", *LINKED),
        ],
        empty=NO_RUN,
    )  # fmt: skip
