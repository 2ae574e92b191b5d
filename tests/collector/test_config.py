"""The target file: what it may say, and one line for all that it may not."""

import re
from pathlib import Path

import pytest

from wattmark_collector.config import load_targets
from wattmark_collector.targets import Target
from wattmark_core.errors import ConfigurationError

EXAMPLE = Path(__file__).parents[2] / "collector/targets.example.yml"
JOB = "scrape_configs:\n- job_name: a\n  static_configs: [{targets: [h:1]}]\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Where the target file is; beside it lies a token."""
    (tmp_path / "token").write_text("secret")
    return tmp_path / "targets.yml"


def test_the_example_is_read(config: Path) -> None:
    """As it is, and with its comments taken away."""
    assert load_targets(EXAMPLE) == (Target("wattmark", "http://localhost:9109/samples", 1.0, 5.0),)
    text = re.sub(r"^  # ?(?=- job|  )", "  ", EXAMPLE.read_text(), flags=re.MULTILINE)
    config.write_text(text.replace("exporter.token", "token").replace("ca.pem", "token"))
    targets = {target.job: target for target in load_targets(config)}
    assert set(targets) == {"wattmark", "wattmark-remote", "node"}
    assert targets["wattmark-remote"].host == targets["node"].host == "gpu1"
    assert targets["wattmark-remote"].is_exporter
    assert not targets["node"].is_exporter


def test_every_key_of_the_subset(config: Path) -> None:
    """Defaults come from ``global``, a job's own keys win, files lie beside the target file."""
    config.write_text("""
global: {scrape_interval: 2s, scrape_timeout: 1m30s}
scrape_configs:
- job_name: one
  scrape_interval: 500ms
  scheme: https
  metrics_path: /samples
  authorization: {type: Bearer, credentials_file: token}
  tls_config: {ca_file: token}
  static_configs:
  - targets: ["h1:9109", "[::1]:9109"]
    labels: {host: gpu1}
  - targets: [h2]
- job_name: two
  static_configs: [{targets: [h3:9100]}]
  metric_relabel_configs:
  - {source_labels: [__name__], regex: "node_load1|x.*", action: keep}
""")
    token = config.parent / "token"
    common = {"interval_seconds": 0.5, "timeout_seconds": 90.0, "credentials_file": token,
              "ca_file": token}  # fmt: skip
    *exporters, plain = load_targets(config)
    assert [(t.url, t.host) for t in exporters] == [
        ("https://h1:9109/samples", "gpu1"), ("https://[::1]:9109/samples", "gpu1"),
        ("https://h2/samples", ""),
    ]  # fmt: skip
    assert all(getattr(t, name) == value for t in exporters for name, value in common.items())
    assert plain == Target(
        "two", "http://h3:9100/metrics", 2.0, 90.0, keep=re.compile("node_load1|x.*")
    )
    assert exporters[1].base_url == "https://[::1]:9109"


def test_further_files_add_their_jobs(config: Path) -> None:
    """With the defaults of the first file; their own files lie beside them."""
    more = config.parent / "more"
    more.mkdir()
    config.write_text("global: {scrape_interval: 2s}\nscrape_config_files: [more/*.yml]\n" + JOB)
    assert [target.job for target in load_targets(config)] == ["a"]
    (more / "token").write_text("secret")
    (more / "b.yml").write_text(
        "scrape_configs:\n- job_name: b\n  authorization: {credentials_file: token}\n"
        "  static_configs: [{targets: [h:2]}]\n"
    )
    _, added = load_targets(config)
    assert (added.job, added.interval_seconds) == ("b", 2.0)
    assert added.credentials_file == more / "token"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("global: {}", "line 1: key 'global' is not known in the file; it takes scrape_configs"),
        ("{}", "line 1: scrape_configs is missing"),
        (JOB, "line 2: target http://h:1/metrics is named twice"),
    ],
)
def test_a_bad_further_file_is_one_line(config: Path, text: str, message: str) -> None:
    """It names that file."""
    config.write_text("scrape_config_files: [b.y*]\n" + JOB)
    (config.parent / "b.yml").write_text(text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        load_targets(config)
    assert str(caught.value).startswith(f"target file {config.parent / 'b.yml'}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; it needs scrape_configs"),
        ("a: [", "is not YAML: .*line 1"),
        ("[]", "line 1: the file holds no keys"),
        ("global: {}", "line 1: scrape_configs is missing"),
        ("scrape_configs: []", "line 1: scrape_configs is not a list with at least one entry"),
        (JOB + "rule_files: []", "line 4: key 'rule_files' is not known in the file; it takes"),
        (JOB + "  honor_labels: true", "line 4: key 'honor_labels' is not known in scrape_configs"),
        (JOB + "  job_name: b", "line 4: key 'job_name' stands twice"),
        (JOB + "  scheme: ftp", "line 4: scheme 'ftp' is neither http nor https"),
        (JOB + "  scrape_interval: 1", "line 4: '1' is not a duration like 1s"),
        (JOB + "  scrape_interval: 0s", "line 4: '0s' is not a duration"),
        (JOB + "  scrape_timeout: 1s2", "line 4: '1s2' is not a duration"),
        (JOB + "  metrics_path: metrics", "line 4: metrics_path 'metrics' does not begin with /"),
        (JOB + "  authorization: {credentials: x}", "line 4: key 'credentials' is not known"),
        (JOB + "  authorization: {type: Basic, credentials_file: token}", "line 4: .*not Bearer"),
        (JOB + "  authorization: {type: Bearer}", "line 4: authorization needs credentials_file"),
        (JOB + "  authorization: {credentials_file: no}", "credentials_file .*no cannot be read"),
        (JOB + "  tls_config: {insecure_skip_verify: true}", "line 4: key 'insecure_skip_verify'"),
        (JOB + "  tls_config: {}", "line 4: tls_config needs ca_file"),
        (JOB + "  metric_relabel_configs: [{action: drop}]", "line 4: a rule has source_labels"),
        (JOB + "  metric_relabel_configs: [{source_labels: [__name__], regex: '(', action: keep}]",
         "line 4: regex '\\(' is not one"),
        ("scrape_configs: [{static_configs: []}]", "line 1: job_name is missing"),
        ("scrape_configs: [{job_name: a}]", "line 1: job a has no static_configs"),
        ("scrape_configs: [{job_name: a, static_configs: [{labels: {host: x}}]}]",
         "targets is missing"),
        ("scrape_configs: [{job_name: a, static_configs: [{targets: ['http://h:1']}]}]",
         "target 'http://h:1' is not HOST:PORT"),
        ("scrape_configs: [{job_name: a, static_configs: [{targets: ['h:99999']}]}]",
         "target 'h:99999' is not HOST:PORT"),
        ("scrape_configs: [{job_name: a, static_configs: [{targets: ['h:1', 'h:1']}]}]",
         "line 1: target http://h:1/metrics is named twice"),
        ("scrape_configs: [{job_name: a, static_configs: [{targets: [h], labels: {env: x}}]}]",
         "key 'env' is not known in labels; it takes host"),
    ],
)  # fmt: skip
def test_a_bad_file_is_one_line(config: Path, text: str, message: str) -> None:
    """It names the file, and the line and key where there is one."""
    config.write_text(text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        load_targets(config)
    assert str(caught.value).startswith(f"target file {config}")
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_one_line(config: Path) -> None:
    """Missing, a directory, or not text."""
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        load_targets(config)
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        load_targets(config.parent)
    config.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="cannot be read: it is not UTF-8"):
        load_targets(config)
