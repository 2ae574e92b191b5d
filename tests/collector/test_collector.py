"""The collector as a program, against real exporters and targets."""

import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wattmark_core.exporter_api import ExporterClient
from wattmark_core.host_name import own_host
from wattmark_core.line_protocol import decode_lines
from wattmark_core.sample import Sample
from wattmark_store import SeriesData
from wattmark_store.sqlite import SqliteStore

Run = Callable[..., Any]
WaitFor = Callable[[Callable[[], object]], None]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """The store that the collector writes."""
    made = SqliteStore(tmp_path / "s.sqlite")
    yield made
    made.close()


def job(*addresses: str, path: str = "/samples", rest: str = "") -> str:
    """A target file with one job polled ten times a second."""
    return (
        "scrape_configs:\n- job_name: t\n  scrape_interval: 100ms\n"
        f"  metrics_path: {path}\n  static_configs: [{{targets: {list(addresses)}}}]\n{rest}"
    )


def last(store: SqliteStore, field: str, **tags: str) -> float | int | None:
    """The last value of a field of ``target``; None if there is none."""
    found = store.series("target", 0, 2**62, tags)
    return found[0].fields[field][-1] if found else None


def up(store: SqliteStore, address: str, path: str = "/samples") -> float | int | None:
    """Was the last poll of the target a success?"""
    return last(store, "up", target=f"http://{address}{path}")


def meter(store: SqliteStore) -> SeriesData:
    """The meter's energy."""
    (data,) = store.series("energy", 0, 2**62, {"source": "meter"})
    return data


def ring(address: str) -> list[Sample]:
    """The meter's energy in the exporter's ring."""
    client = ExporterClient(f"http://{address}")
    page = client.samples()
    client.close()
    assert page.lost == 0
    return [s for s in decode_lines(page.text) if s.measurement == "energy"]


def test_a_killed_collector_loses_and_doubles_nothing(
    run_exporter: Callable[[], str], run_collector: Run, wait_for: WaitFor, store: SqliteStore
) -> None:
    """SIGKILL in the middle of polling, five times: the store holds the exporter's very samples,
    values and all."""
    address = run_exporter()
    for pause in (0.0, 0.03, 0.07, 0.12, 0.2):
        collector = run_collector(job(address))
        time.sleep(pause)  # a different place in the round each time
        collector.process.kill()
        collector.process.wait()
    collector = run_collector(job(address))
    assert collector.stop() == 0
    data = meter(store)
    expected = [s for s in ring(address) if s.time_ns <= data.times_ns[-1]]
    assert list(data.times_ns) == [s.time_ns for s in expected]
    assert list(data.fields["joules"]) == [s.fields["joules"] for s in expected]
    assert set(data.fields["epoch"]) == {s.fields["epoch"] for s in expected}
    steps = [b - a for a, b in itertools.pairwise(data.fields["joules"]) if a is not None and b]
    assert set(steps) == {1.0}


def test_a_host_label_wins_over_what_the_exporter_says(
    run_exporter: Callable[[], str], run_collector: Run, wait_for: WaitFor, store: SqliteStore
) -> None:
    """On every sample."""
    address = run_exporter()
    run_collector(job(address).replace("]}]", "], labels: {host: lab}}]"))
    wait_for(lambda: store.series("sensor", 0, 2**62, {"host": "lab"}))
    wait_for(lambda: up(store, address) == 1)
    assert meter(store).tag["host"] == "lab"
    for measurement in ("energy", "sensor", "target", "cpu"):
        assert store.series(measurement, 0, 2**62, {"host": "h1"}) == []


def test_two_exporters_of_one_host_are_an_error(
    run_exporter: Callable[[], str], run_collector: Run, wait_for: WaitFor, store: SqliteStore
) -> None:
    """One is ingested, the other is logged once and is down; its samples stay out."""
    addresses = [run_exporter(), run_exporter()]
    collector = run_collector(job(*addresses))
    wait_for(lambda: sorted(map(str, (up(store, a) for a in addresses))) == ["0", "1"])
    wait_for(lambda: len(meter(store).times_ns) > 40)
    chosen = next(address for address in addresses if up(store, address) == 1)
    collector.stop()
    assert set(meter(store).times_ns) <= {s.time_ns for s in ring(chosen)}
    assert collector.errors.count("both give sensor 'meter' of host 'h1'") == 1


def test_a_target_that_is_down_or_slow_delays_nobody(
    serve: Callable[[str], Any],
    run_collector: Run,
    wait_for: WaitFor,
    store: SqliteStore,
    tmp_path: Path,
) -> None:
    """Down is 0 and logged once, and so is recovery."""
    good, slow, bad = serve("a 1\n"), serve("b 1\n"), serve("nonsense\n")
    slow.delay_seconds = 3.0
    collector = run_collector(job(good.address, bad.address, path="/metrics"))
    assert up(store, good.address, "/metrics") == 1
    assert up(store, bad.address, "/metrics") == 0
    bad.text = "c 1\n"
    wait_for(lambda: up(store, bad.address, "/metrics") == 1)
    wait_for(lambda: "is back" in collector.errors)
    assert collector.errors.count("does not answer in Prometheus's text format") == 1
    (tmp_path / "targets.yml").write_text(
        job(good.address, slow.address, "127.0.0.1:9", path="/metrics")
    )
    wait_for(lambda: up(store, "127.0.0.1:9", "/metrics") == 0)
    before = len(store.series("a", 0, 2**62, {})[0].times_ns)
    wait_for(lambda: len(store.series("a", 0, 2**62, {})[0].times_ns) >= before + 10)
    assert up(store, slow.address, "/metrics") in (None, 1)
    assert collector.stop() == 0


def test_the_file_is_read_again_when_it_changes(
    serve: Callable[[str], Any], run_collector: Run, wait_for: WaitFor, tmp_path: Path,
    store: SqliteStore,
) -> None:  # fmt: skip
    """A bad one leaves the targets as they were, with one line."""
    first, second = serve("a 1\n"), serve("b 2\n")
    collector = run_collector(job(first.address, path="/metrics"))
    config = tmp_path / "targets.yml"
    config.write_text("scrape_configs: 5")
    wait_for(lambda: "the targets stay as they were" in collector.errors)
    count = len(store.series("a", 0, 2**62, {})[0].times_ns)
    wait_for(lambda: len(store.series("a", 0, 2**62, {})[0].times_ns) > count)
    config.write_text(job(second.address, path="/metrics"))
    wait_for(lambda: store.series("b", 0, 2**62, {}))
    wait_for(lambda: "1 targets" in collector.errors)
    requests = len(first.authorizations)
    time.sleep(0.5)
    assert len(first.authorizations) == requests
    assert collector.errors.count("the targets stay") == 1
    assert collector.stop() == 0


def test_a_further_file_is_read_when_it_comes(
    serve: Callable[[str], Any], run_collector: Run, wait_for: WaitFor, tmp_path: Path,
    store: SqliteStore,
) -> None:  # fmt: skip
    """Its target is this machine where the label says localhost."""
    first, second = serve("a 1\n"), serve("b 2\n")
    run_collector("scrape_config_files: [more-*.yml]\n" + job(first.address, path="/metrics"))
    more = job(second.address, path="/metrics").replace("]}]", "], labels: {host: localhost}}]")
    (tmp_path / "more-gpu.yml").write_text(more)
    wait_for(lambda: store.series("b", 0, 2**62, {}))
    assert store.series("b", 0, 2**62, {})[0].tag["host"] == own_host()
    assert store.series("a", 0, 2**62, {})


def test_a_token_is_sent(
    serve: Callable[[str], Any], run_collector: Run, tmp_path: Path, store: SqliteStore
) -> None:
    """From its file; a refusal is down."""
    target = serve("a 1\n")
    target.status = 401
    (tmp_path / "token").write_text("secret\n")
    rest = "  authorization: {credentials_file: token}\n"
    collector = run_collector(job(target.address, path="/metrics", rest=rest))
    assert target.authorizations[0] == "Bearer secret"
    assert up(store, target.address, "/metrics") == 0
    assert "answered 401" in collector.errors


def test_one_round_and_out(serve: Callable[[str], Any], tmp_path: Path) -> None:
    """``--once``: status 0 when all were up, 1 when one was not."""
    good, bad = serve("a 1\n"), serve("nonsense\n")
    config, url = tmp_path / "t.yml", f"sqlite:///{tmp_path / 'once.sqlite'}"
    for addresses, status in (((good.address,), 0), ((good.address, bad.address), 1)):
        config.write_text(job(*addresses, path="/metrics"))
        done = subprocess.run(
            [sys.executable, "-m", "wattmark_collector", "--config", str(config), "--store", url,
             "--once"], capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (status, "")
    store = SqliteStore(tmp_path / "once.sqlite")
    assert store.series("a", 0, 2**62, {})
    store.close()


@pytest.mark.parametrize(
    ("config", "store", "status", "message"),
    [
        ("nowhere.yml", "sqlite:///s.sqlite", 2, "nowhere.yml cannot be read"),
        ("bad.yml", "sqlite:///s.sqlite", 2, "bad.yml, line 2: key 'remote_write' is not known"),
        ("good.yml", "mysql:///s", 2, "store 'mysql:///s' is neither sqlite:///PATH nor influxdb"),
        ("good.yml", "sqlite:///notes.txt", 1, "is not an SQLite database"),
        ("good.yml", "sqlite:///no/s.sqlite", 1, "there is no directory no; create it first"),
    ],
)
def test_bad_input_is_one_line(
    tmp_path: Path, config: str, store: str, status: int, message: str
) -> None:
    """On stderr, and nothing starts."""
    (tmp_path / "good.yml").write_text(job("127.0.0.1:9"))
    (tmp_path / "bad.yml").write_text("global: {}\nremote_write: []\n")
    (tmp_path / "notes.txt").write_text("my notes")
    done = subprocess.run(
        [sys.executable, "-m", "wattmark_collector", "--config", config, "--store", store],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == status
    assert done.stdout == ""
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_full_disk_is_logged_once_and_nothing_is_lost(
    run_exporter: Callable[[], str], run_module: Run, wait_for: WaitFor, tmp_path: Path
) -> None:
    """The cursor waits; when there is space again the samples come from the exporter's ring."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root and mount(8)")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)],
                          capture_output=True, text=True, check=False)  # fmt: skip
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    try:
        address = run_exporter()
        (tmp_path / "targets.yml").write_text(job(address))
        collector = run_module("wattmark_collector", "--config", str(tmp_path / "targets.yml"),
                               "--store", f"sqlite:///{disk / 's.sqlite'}")  # fmt: skip
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                file.flush()
        wait_for(lambda: "no space is left on its disk" in collector.errors)
        time.sleep(0.5)
        filler.unlink()
        wait_for(lambda: "the store takes samples again" in collector.errors)
        assert collector.stop() == 0
        assert collector.errors.count("no space is left") == 1
        store = SqliteStore(disk / "s.sqlite")
        data = meter(store)
        store.close()
        expected = [s.time_ns for s in ring(address) if s.time_ns <= data.times_ns[-1]]
        assert list(data.times_ns) == expected
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
