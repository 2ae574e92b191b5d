"""Lines as InfluxDB 2.7 takes them: all of a batch, or none if one cannot be parsed."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from tests.influxdb.backend import SCRATCH, Backend

_NAME: Final = rb"(?:[^\\,= \n]|\\[^\n])+"
_NUMBER: Final = rb"-?\d{1,18}i|-?\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?"
_VALUE: Final = _NUMBER + rb'|[tTfF]|[tT]rue|TRUE|[fF]alse|FALSE|"(?:[^"\\]|\\.)*"'
_FIELD: Final = _NAME + rb"=(?:" + _VALUE + rb")"
WELL_FORMED: Final = re.compile(
    rb"(?:[^\\,# \n]|\\[^\n])(?:[^\\, \n]|\\[^\n])*(?:," + _NAME + rb"=" + _NAME + rb")*"
    rb" " + _FIELD + rb"(?:," + _FIELD + rb")*(?: -?[1-8]?\d{1,18})?",
    re.DOTALL,
)
"""Lines that certainly can be parsed; of others the server behind is asked."""
_BEYOND: Final = "points beyond retention policy"
_MEASUREMENT: Final = re.compile(rb"(?:[^\\, ]|\\.)+", re.DOTALL)
NS_PER_S: Final = 1_000_000_000


def unparsed(lines: bytes, backend: Backend, options: dict[str, str]) -> Iterator[str]:
    """What is wrong with each line that cannot be parsed."""
    for line in lines.split(b"\n"):
        if not line or WELL_FORMED.fullmatch(line):
            continue
        status, answer = backend.call("/write", {**options, "db": SCRATCH}, line)
        message = json.loads(answer)["error"] if status == 400 else ""
        if "unable to parse" in message:
            yield message


def renamed(lines: bytes) -> bytes:
    """1.6 reads an equals sign behind a backslash in a measurement's name as the sign alone, 2.7 as
    both."""
    if b"\\=" not in lines:
        return lines
    return b"\n".join(
        _MEASUREMENT.sub(lambda name: name[0].replace(b"\\=", b"\\\\="), line, count=1)
        for line in lines.split(b"\n")
    )


def refusal(message: str, lines: bytes, retention: str, bucket: str) -> str:
    """2.7's words for why 1.6 took only a part of the lines."""
    if _BEYOND not in message:
        return f"failure writing points to database: {message}"
    bound = datetime.now(UTC).timestamp() - int(retention.partition("h")[0]) * 3600
    times = sorted(
        (int(line.rsplit(b" ", 1)[1]), line.partition(b" ")[0].decode())
        for line in lines.split(b"\n") if line
    )  # fmt: skip
    late = [time for time in times if time[0] < bound * NS_PER_S]
    limit = f"{datetime.fromtimestamp(bound, UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"
    oldest, newest = (
        f"{word} point {name} at {datetime.fromtimestamp(time_ns / NS_PER_S, UTC):%FT%TZ} dropped"
        f" because it violates a Retention Policy Lower Bound at {limit}"
        for word, (time_ns, name) in (("oldest", late[0]), ("newest", late[-1]))
    )
    count = message.rpartition("dropped=")[2]
    return (
        f"failure writing points to database: partial write: dropped {count} points outside"
        f" retention policy of duration {retention} - {oldest}, {newest} dropped={count} for"
        f" database: {bucket} for retention policy: autogen"
    )
