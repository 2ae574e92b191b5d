"""What an earlier collector could not send, sent by today's."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wattmark_core.line_protocol import decode_lines

pytest.importorskip("influxdb_client", reason="needs the extra influxdb")
PATIENCE_SECONDS = 30.0


def lines_of(spool: Path) -> Iterator[str]:
    """The lines of its records, read as the earlier version wrote them: 20 bytes, of which the
    third and fourth four are the lengths of what follows, JSON and line protocol."""
    for segment in sorted(spool.glob("*.segment")):
        left = segment.read_bytes()
        while left:
            about, body = (int.from_bytes(left[at : at + 4], "little") for at in (8, 12))
            yield from left[20 + about :][:body].decode().split("\n")
            left = left[20 + about + body :]


def test_all_of_it_arrives(old_data: Path, influx: Any, tmp_path: Path) -> None:
    """Each sample of each series once, at its time with its values, in a real InfluxDB."""
    before = {
        (sample.measurement, frozenset(sample.tags), sample.time_ns): sample.fields
        for sample in decode_lines("\n".join(lines_of(old_data / "spool")))
    }
    assert len(before) > 50
    (tmp_path / "targets.yml").write_text(
        "scrape_configs:\n- job_name: gone\n  static_configs: [{targets: ['127.0.0.1:9']}]\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "wattmark_collector", "--config", str(tmp_path / "targets.yml"),
         "--store", influx.url("collector"), "--spool", str(old_data / "spool"),
         "--store-password-file", str(influx.password_file("collector"))],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (in_store := stored(influx)).keys() < before.keys() and time.monotonic() < deadline:
            time.sleep(0.1)
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    assert {key: in_store.get(key) for key in before} == before


def stored(influx: Any) -> dict[Any, dict[str, Any]]:
    """All that is in the store but what today's collector reports of itself."""
    series = influx.query("telemetry", "SELECT * FROM /.*/ GROUP BY *").get("series", [])
    found = {}
    for each in series:
        tags = frozenset((name, value) for name, value in each.get("tags", {}).items() if value)
        for row in each["values"]:
            fields = dict(zip(each["columns"], row, strict=True))
            time_ns = fields.pop("time")
            known = {name: value for name, value in fields.items() if value is not None}
            found[each["name"], tags, time_ns] = known
    return found
