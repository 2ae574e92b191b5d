"""A damaged target file is one printable line, or targets; never anything else."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.damage import Damage, damaged
from wattmark_collector.config import load_targets
from wattmark_collector.targets import Target
from wattmark_core.errors import ConfigurationError

TEXT = b"""\
global: {scrape_interval: 2s, scrape_timeout: 1m30s}
scrape_configs:
- job_name: one
  scrape_interval: 500ms
  scheme: https
  metrics_path: /samples
  static_configs:
  - targets: ["h1:9109", "[::1]:9109"]
    labels: {host: gpu1}
- job_name: two
  max_watts: 3000
  series_limit: 100
  static_configs: [{targets: [h3:9100]}]
  metric_relabel_configs:
  - {source_labels: [__name__], regex: "node_load1|x.*", action: keep}
"""
JOB = "scrape_configs:\n- job_name: a\n  static_configs: [{targets: [h:1]}]\n"


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(damaged(TEXT))
def test_damage_is_one_line(tmp_path: Path, damage: Damage) -> None:
    """A file whose damage is not found has targets all the same."""
    config = tmp_path / "targets.yml"
    config.write_bytes(damage.text)
    message, targets = str(config), tuple[Target, ...]()
    try:
        targets = load_targets(config)
    except ConfigurationError as error:
        message = str(error)
    assert message.isprintable()
    assert str(config) in message
    assert len(message) < 1000
    assert all(f"{t.job}{t.url}{t.host}".isprintable() for t in targets)


def test_limits_of_a_target(tmp_path: Path) -> None:
    """They stand with its job."""
    config = tmp_path / "targets.yml"
    config.write_bytes(TEXT)
    one, _, two = load_targets(config)
    assert (one.max_watts, one.series_limit) == (None, 20_000)
    assert (two.max_watts, two.series_limit) == (3000.0, 100)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (JOB + "  max_watts: 0", "line 4: max_watts '0' is not a number of watts like 3000"),
        (JOB + "  max_watts: .nan", "line 4: max_watts '.nan' is not a number of watts"),
        (JOB + "  max_watts: -5", "line 4: max_watts '-5' is not a number"),
        (JOB + "  series_limit: many", "line 4: series_limit 'many' is not a number like 20000"),
        (JOB + f"  scrape_interval: {'9' * 5000}s", "line 4: a duration is longer than 4096 char"),
        (JOB + f"  scrape_interval: {'9' * 500}s", "line 4: '999.* is not a duration"),
        (JOB + "  scrape_interval: 999999d", "line 4: '999999d' is longer than a day"),
        (JOB + '  "\\e[31m": 1', r"line 4: key '\\x1b\[31m' is not known"),
        (JOB + "  ? [a, b]\n  : 1", "line 4: key '' is not known"),
        (JOB.replace("a\n", '"a\\u202e"\n'), "line 2: job_name holds U\\+202E, which cannot be"),
        (JOB.replace("h:1", '"h\\0:1"'), r"line 3: targets holds U\+0000, which cannot be printed"),
        (JOB.replace("h:1", "hôte:1"), "line 3: target 'hôte:1' is not HOST:PORT"),
        (JOB.replace("]}]", "], labels: {host: \"a\\tb\"}}]"), r"line 3: host holds U\+0009"),
        (JOB + '  tls_config: {ca_file: "a\\0b"}', r"line 4: ca_file holds U\+0000"),
        (JOB + "scrape_config_files: [/]", "line 4: scrape_config_files '/' names no file"),
        (JOB + "scrape_config_files: ['**']", "line 4: scrape_config_files .* names no file"),
        (JOB + "# \x1b[2J", r"is not YAML: line 4 holds U\+001B, which cannot be printed; take"),
        (JOB + "\x00", r"is not YAML: line 4 holds U\+0000"),
        ("[" * 3000, "is nested too deeply; it needs four levels"),
        (JOB + '  scheme: "\\UFFFFFFFF"', "is not YAML: an escape is no character"),
        ("a: &x [*x]\nb: *y", "is not YAML: found undefined alias"),
    ],
)  # fmt: skip
def test_an_odd_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    """Which line, what to do, in printable text."""
    config = tmp_path / "targets.yml"
    config.write_text(text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        load_targets(config)
    assert str(caught.value).isprintable()


def test_bytes_that_are_no_text_are_told_by_line(tmp_path: Path) -> None:
    """As an editor of another encoding leaves them."""
    config = tmp_path / "targets.yml"
    config.write_bytes(JOB.encode() + b"# caf\xe9\n")
    with pytest.raises(ConfigurationError, match=r"not UTF-8 text in line 4 \(byte 0xE9\); save"):
        load_targets(config)


def test_a_file_of_any_size_is_not_read(tmp_path: Path) -> None:
    """A disk's image by mistake."""
    config = tmp_path / "targets.yml"
    config.write_bytes(b"#" * (5 << 20))
    with pytest.raises(ConfigurationError, match="has over 4194304 bytes; split it"):
        load_targets(config)
