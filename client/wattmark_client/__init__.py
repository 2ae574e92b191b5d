"""A client of Wattmark's runner: start runs, annotate windows of code of your own, read scores.

from wattmark_client import Client

with Client("http://127.0.0.1:8080") as client:
    with client.window(model="my-network", workload="my-test-set") as window:
        predictions = model(images)
        window.record(inferences=len(images), correct=int((predictions == labels).sum()))
    print(window.score())
"""

from wattmark_client.client import Client
from wattmark_client.documents import (
    Column,
    Curve,
    EnergyCounter,
    Parameter,
    PhaseSpan,
    Power,
    Sensor,
    Sensors,
    Table,
    Workload,
    Workloads,
)
from wattmark_client.errors import ClientError, FieldError
from wattmark_client.models import (
    Check,
    Event,
    Progress,
    RankedGroup,
    Run,
    RunScores,
    Score,
    ScoreTexts,
    WindowItem,
)
from wattmark_client.window import ClientWindow

__all__ = [
    "Check", "Client", "ClientError", "ClientWindow", "Column", "Curve", "EnergyCounter", "Event",
    "FieldError", "Parameter", "PhaseSpan", "Power", "Progress", "RankedGroup", "Run", "RunScores",
    "Score", "ScoreTexts", "Sensor", "Sensors", "Table", "WindowItem", "Workload", "Workloads",
]  # fmt: skip
