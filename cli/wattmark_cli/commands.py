"""The commands, in the order of the help: where each one is, and its summary.

Only the module of the command that is called is imported: the others bring rich, numpy, jinja2 or
cryptography, which would make ``wattmark --help`` slow.
"""

from dataclasses import dataclass
from typing import Final

from wattmark_runner.views.tables import TABLES


@dataclass(frozen=True, slots=True)
class Command:
    """``module``: the one of this package whose ``add_parser`` adds the command."""

    module: str
    summary: str


COMMANDS: Final = {
    "fit": Command("fit", "Measure all networks of a workload on this machine and rank them."),
    "sensors": Command(
        "sensors", "Show every sensor of this machine and what keeps it from working."
    ),
    "exec": Command(
        "exec_command", "Measure the energy of a command; its output and exit status stay its own."
    ),
    "export": Command("export", "Write samples, windows or scores as CSV or JSON."),
    "report": Command("report", "Write one HTML file about runs; it opens without network."),
    "republish": Command("republish", "Write windows and scores of saved runs into a store again."),
    "serve": Command(
        "serve", "Serve runs, windows and scores over REST, and a page, until Ctrl-C."
    ),
    "run": Command(
        "run_command", "Have the runner measure models, and follow them to their scores."
    ),
    "runs": Command("runs", "List the runner's runs, newest first."),
    "cancel": Command("runs", "Cancel a run that waits or is under way."),
    "score": Command("scores", "Show the scores of a run and the checks that they rest on."),
    "ranking": Command("scores", "Rank the newest score of each host, model and settings."),
    **{f"table{name}": Command("table_commands", table.meaning) for name, table in TABLES.items()},
    "paper": Command("paper", "Compute the published tables again, and compare cell by cell."),
    "tls": Command("tls", "Make certificates for exporter, collector and runner."),
}
