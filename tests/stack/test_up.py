"""What a start of the stack asks of Docker, written down instead of done."""

from typing import Any

import pytest

from tools.stack import up, users


class Paper:
    """Writes the commands down, and has InfluxDB's script say that all is as it should be."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    def run(self, *arguments: str) -> None:
        self.commands.append(" ".join(arguments))

    def containers(self) -> dict[str, dict[str, Any]]:
        running = {"Running": True, "Health": {"Status": "healthy"}}
        return {"influxdb": {"State": running, "RestartCount": 0}}


class Settled:
    """An InfluxDB in which nothing is new."""

    def make(self) -> list[str]:
        return []


def test_each_start_goes_on_with_the_power_of_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the databases are there: a start before may have been interrupted in it."""
    monkeypatch.setattr(users, "server", lambda _: Settled())
    paper: Any = Paper()
    up.start(paper)
    assert paper.commands[-1].startswith("run --rm --no-deps -T collector back-fill --store=")
    assert paper.commands[-1].endswith(" --older")
