"""An exporter of a version to come, read by every program that reads one."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.newer import newer_exporter
from wattmark_collector.exporter import ExporterSource
from wattmark_collector.host_ownership import HostOwnership
from wattmark_collector.targets import Target
from wattmark_core.testing import FakeClock
from wattmark_runner.windows.exporter_link import ExporterLink, read_host


@pytest.fixture
def url() -> Iterator[str]:
    """Where the newer exporter serves."""
    with newer_exporter() as address:
        yield address


def test_the_collector_takes_its_samples(url: str) -> None:
    """Nothing is dropped, and the host is the exporter's."""
    clock = FakeClock()
    target = Target("t", f"{url}/samples", 1.0, 5.0)
    with closing(ExporterSource(target, "", HostOwnership(clock), clock)) as source:
        batch = source.read()
    assert [sample.fields for sample in batch.samples] == [{"joules": 1.0}]
    assert (batch.cursor, source.host, source.dropped) == ("i:9", "newhost", 0)


def test_the_runner_knows_host_series_and_time_base(url: str) -> None:
    """As it knows an exporter of its own version."""
    report = read_host(url)
    assert report.host == "newhost"
    assert [series.device for series in report.energy] == ["socket0", "socket2"]
    with ExporterLink(url) as link:
        base = link.edge().base()
    assert base is not None
    assert base.offset_ns == 7
    assert link.failure == ""


def test_the_command_shows_its_sensors(url: str) -> None:
    """The one in an unknown state as not readable, beside the known one; status 0."""
    command = [sys.executable, "-m", "wattmark_cli", "sensors", "--json", "--exporter", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    rapl, battery = json.loads(done.stdout)["sensors"]
    assert (rapl["sensor"], rapl["readable"], rapl["chosen"]) == ("rapl", True, True)
    assert (battery["sensor"], battery["readable"]) == ("battery", False)
    assert (battery["remedy"], battery["report"]["state"]) == ("on mains", "asleep")
