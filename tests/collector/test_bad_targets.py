"""Targets that answer nonsense: one line on change, a metric, no crash, others unharmed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wattmark_store.sqlite import SqliteStore

WaitFor = Callable[[Callable[[], object]], None]
MEGABYTES = 50
BAD = {
    "HTML": "<!DOCTYPE html>\n<html><body>Log in</body></html>\n",
    "duplicate labels": 'b{x="1",x="2"} 1\n',
    "half a page": 'b 1\nb{x="1',
    "50 MB": f"# {'x' * 997}\n" * (MEGABYTES * 1000) + "<\n",
    "nothing": "",
}


def job(good: str, bad: str, path: str) -> str:
    """Polled ten times a second."""
    return (
        "global: {scrape_interval: 100ms, scrape_timeout: 10s}\nscrape_configs:\n"
        f"- job_name: good\n  static_configs: [{{targets: ['{good}']}}]\n"
        f"- job_name: bad\n  metrics_path: {path}\n  static_configs: [{{targets: ['{bad}']}}]\n"
    )


@pytest.mark.parametrize("path", ["/metrics", "/samples"])
@pytest.mark.parametrize("name", BAD)
def test_nonsense_is_down_and_logged_once(
    name: str, path: str, serve: Callable[[str], Any], run_collector: Callable[[str], Any],
    wait_for: WaitFor, tmp_path: Path,
) -> None:  # fmt: skip
    """An empty page is a page, but not of an exporter; what can be read of half a page is taken."""
    good, bad = serve("a 1\n"), serve(BAD[name])
    collector = run_collector(job(good.address, bad.address, path))
    store = SqliteStore(tmp_path / "s.sqlite")

    def polls(address: str, path: str) -> list[float | int | None]:
        series = store.series("target", 0, 2**62, {"target": f"http://{address}{path}"})
        return list(series[0].fields["up"]) if series else []

    rounds = 1 if name == "50 MB" else 2
    wait_for(lambda: len(polls(bad.address, path)) >= rounds)
    wait_for(lambda: len(polls(good.address, "/metrics")) >= 5)
    fine = name in {"nothing", "half a page"} and path == "/metrics"
    assert set(polls(bad.address, path)) == {int(fine)}
    assert set(polls(good.address, "/metrics")) == {1}
    store.close()
    assert collector.stop() == 0
    lines = [line for line in collector.errors.splitlines() if bad.address in line]
    assert len(lines) == (0 if name == "nothing" and fine else 1)


def test_values_that_are_no_numbers_are_dropped_and_counted(
    serve: Callable[[str], Any], run_collector: Callable[[str], Any], tmp_path: Path
) -> None:
    """The target is up, the others of its values are there."""
    target = serve("a NaN\nb +Inf\nc 1\n")
    collector = run_collector(job(target.address, "127.0.0.1:9", "/metrics"))
    collector.stop()
    store = SqliteStore(tmp_path / "s.sqlite")
    (data,) = store.series("target", 0, 2**62, {"target": f"http://{target.address}/metrics"})
    assert data.fields["dropped"][0] == 2
    assert store.series("a", 0, 2**62, {}) == store.series("b", 0, 2**62, {}) == []
    assert store.series("c", 0, 2**62, {})
    store.close()


def test_one_bad_line_keeps_nothing_else_out_of_the_store(
    serve: Callable[[str], Any], run_collector: Callable[[str], Any], tmp_path: Path
) -> None:
    """A time in us or ns, a line of nonsense, escape sequences: the rest is stored, both targets
    are up, and nothing that cannot be printed is in the log."""
    first = serve("gpfs_size 5 1795813365926000000\ngpfs_free 3\n\x1b[31m red\n")
    second = serve('gpfs_size 5 1795813365926000\nother{x="\x1b]0;title\x07"} 4\nbad{ 1\n')
    collector = run_collector(job(first.address, second.address, "/metrics"))
    assert collector.stop() == 0
    store = SqliteStore(tmp_path / "s.sqlite")
    assert store.series("gpfs_size", 0, 2**63 - 1, {}) == []
    (free,) = store.series("gpfs_free", 0, 2**62, {})
    assert set(free.fields["value"]) == {3.0}
    (other,) = store.series("other", 0, 2**62, {})
    assert other.tag["x"] == "\\x1b]0;title\\x07"
    for target, bad in ((first, 2), (second, 2)):
        url = f"http://{target.address}/metrics"
        (health,) = store.series("target", 0, 2**62, {"target": url})
        assert set(health.fields["up"]) == {1}
        assert health.fields["dropped"][0] == bad
        told = [line for line in collector.errors.splitlines() if url in line]
        assert len(told) == 2
    store.close()
    assert collector.errors.replace("\n", "").isprintable()


def test_a_series_is_one_targets(
    serve: Callable[[str], Any], run_collector: Callable[[str], Any], wait_for: WaitFor,
    tmp_path: Path,
) -> None:  # fmt: skip
    """Of two that give it the one whose host the file names; the other's own series are stored."""
    one, two = serve("same 1\nmine 1\n"), serve("same 2\nyours 2\n")
    text = job(one.address, two.address, "/metrics")
    bound = text.replace(f"['{two.address}']}}", f"['{two.address}'], labels: {{host: lab}}}}")
    collector = run_collector(
        bound.replace(f"['{one.address}']}}", f"['{one.address}'], labels: {{host: lab}}}}")
    )
    store = SqliteStore(tmp_path / "s.sqlite")
    wait_for(lambda: store.series("yours", 0, 2**62, {"host": "lab"}))
    assert collector.stop() == 0
    (same,) = store.series("same", 0, 2**62, {"host": "lab"})
    assert len(set(same.fields["value"])) == 1
    assert store.series("mine", 0, 2**62, {"host": "lab"})
    assert collector.errors.count("same (value) of host 'lab' is left out, it is given by") == 1
    store.close()
