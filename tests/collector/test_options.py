"""Options that do not go together: one line, and nothing starts."""

import re
from pathlib import Path

import pytest

from wattmark_collector.__main__ import main
from wattmark_collector.options import parse
from wattmark_core.errors import ConfigurationError

GOOD = "scrape_configs:\n- job_name: j\n  static_configs:\n  - targets: ['127.0.0.1:9']\n"
INFLUX = ("--store", "influxdb://u@h:8086")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (INFLUX, "an influxdb: store keeps no cursors: give --spool DIR"),
        (("--store", "influxdb://u:secret@h:8086"), "keeps no cursors"),
        (("--store", "sqlite:///s", "--spool", "d"), "needs no spool; leave --spool out"),
        ((*INFLUX, "--spool", "d", "--spool-bytes", "5"), "--spool-bytes 5 is below 1048576"),
    ],
)
def test_bad_options_are_one_line(arguments: tuple[str, ...], message: str) -> None:
    """Which says what to do, and no secret."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        parse(["--config", "t.yml", *arguments])
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_spool_holds_a_gibibyte_unless_set() -> None:
    """And the collector's health is not served."""
    options = parse(["--config", "t.yml", *INFLUX, "--spool", "d"])
    assert options.spool_bytes == 1 << 30
    assert options.listen is None


@pytest.mark.parametrize(
    ("config", "more", "says"),
    [
        ("nowhere.yml", (), "target file .*nowhere.yml cannot be read"),
        ("bad.yml", (), "target file .*bad.yml is not YAML"),
        ("good.yml", ("--listen", "9110"), "--listen 9110: not of the form HOST:PORT"),
        ("good.yml", ("--listen", "0.0.0.0:0"), "--listen 0.0.0.0:0 is not loopback"),
    ],
)
def test_files_and_addresses_are_checked_before_a_store_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], config: str, more: tuple[str, ...],
    says: str,
) -> None:  # fmt: skip
    """One line, status 2, and neither a store nor a line READY."""
    (tmp_path / "bad.yml").write_text("scrape_configs: [")
    (tmp_path / "good.yml").write_text(GOOD)
    store = tmp_path / "s.sqlite"
    options = ["--config", str(tmp_path / config), "--store", f"sqlite:///{store}", *more]
    assert main(options) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert re.search(says, printed.err)
    assert not store.exists()
