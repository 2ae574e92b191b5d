"""Options that do not go together: one line, and nothing starts."""

import pytest

from wattmark_collector.options import parse
from wattmark_core.errors import ConfigurationError

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


def test_a_spool_holds_a_gibibyte_unless_told() -> None:
    """And nobody is told of the collector's health."""
    options = parse(["--config", "t.yml", *INFLUX, "--spool", "d"])
    assert options.spool_bytes == 1 << 30
    assert options.listen is None
