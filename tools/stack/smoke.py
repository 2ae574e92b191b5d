"""Does the running stack do what it is for: permissions, one sample, one window, Grafana."""

import base64
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from tools.stack import secret_files
from tools.stack.compose import Compose, StackError, say
from tools.stack.databases import DATABASES, READS, WRITES

PORTS: Final = {"grafana": "3000", "runner": "8080", "influxdb": "8086"}
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
ANY: Final = 'SELECT * FROM "energy" LIMIT 1'
"""A user who may not read gets an error. (To SHOW, 2.7 answers as if nothing were there.)"""
COMMENT: Final = "# may this user write?"
"""A line that stores nothing, and is refused to those who may not write."""
ARRIVAL_SECONDS: Final = 60.0
WINDOW_SECONDS: Final = 2.0
TIMEOUT_SECONDS: Final = 15.0
DATA_SOURCES: Final = ("wattmark-telemetry", "wattmark-telemetry-1m", "wattmark-results")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body of an HTTP answer."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.text)


def test(compose: Compose) -> None:
    """Raises ``StackError`` with the first thing that is not as it should be."""
    influx = Influx(f"http://{address(compose, 'influxdb')}")
    influx.check_permissions()
    say("each user of InfluxDB may do what it must, and nothing else")
    _await("a sample in InfluxDB", lambda: influx.rows(
        "grafana", "telemetry", "SELECT last(joules) FROM energy WHERE time > now() - 10s"
    ))  # fmt: skip
    say("samples arrive")
    run_id = _window(f"http://{address(compose, 'runner')}/api/v1")
    _await("the window in InfluxDB", lambda: influx.rows(
        "grafana", "results", f"SELECT end_ns FROM \"window\" WHERE run_id = '{run_id}'",  # noqa: S608 - an id of ours
    ))  # fmt: skip
    say("a window was measured and stored")
    if "grafana" in compose.containers():
        _check_grafana(f"http://{address(compose, 'grafana')}")
        say("Grafana reads InfluxDB")


def address(compose: Compose, service: str) -> str:
    """HOST:PORT where a service is published on this machine."""
    published = compose.read("port", service, PORTS[service]).strip()
    return published.replace("0.0.0.0:", "127.0.0.1:")


@dataclass(frozen=True, slots=True)
class Influx:
    """InfluxDB as its users see it."""

    url: str

    def check_permissions(self) -> None:
        """Each user's permitted and refused calls; and nobody's. Nothing is written."""
        for user in READS:
            for database in DATABASES:
                may = self.query(user, database, ANY) is not None
                if may != (database in READS[user]):
                    raise StackError(_wrong(user, "read", database, may=may))
                may = self.write(user, database, COMMENT).status < 400
                if may != (database in WRITES[user]):
                    raise StackError(_wrong(user, "write", database, may=may))
        if self.query("", "telemetry", ANY) is not None:
            raise StackError(_wrong("somebody without a password", "read", "telemetry", may=True))

    def query(self, user: str, database: str, text: str) -> list[dict[str, Any]] | None:
        """The result's series; None if the user may not."""
        answer = request(
            f"{self.url}/query?db={database}&epoch=ns", form(text), {**basic(user), **FORM}
        )  # fmt: skip
        if answer.status != 200:
            return None
        (result,) = answer.json["results"]
        return None if "error" in result else list(result.get("series", []))

    def rows(self, user: str, database: str, text: str) -> list[Any]:
        """All rows of the result, of all series."""
        series = self.query(user, database, text) or []
        return [row for table in series for row in table["values"]]

    def write(self, user: str, database: str, line: str) -> Answer:
        """Write one line of line protocol."""
        return request(f"{self.url}/write?db={database}", line.encode(), basic(user))


def request(
    url: str, body: bytes | None, headers: dict[str, str], method: str | None = None
) -> Answer:
    """Any answer, also one that is an error. Raises ``StackError`` where nobody answers."""
    call = urllib.request.Request(url, body, headers, method=method)  # noqa: S310 - our own URLs
    try:
        with urllib.request.urlopen(call, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            return Answer(answer.status, answer.read().decode())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read().decode("utf-8", "replace"))
    except OSError as error:
        raise StackError(f"{url} does not answer: {error}") from error


def _window(api: str) -> str:
    """Open a window, wait, close it; the run that it made."""
    headers = {
        "Authorization": f"Bearer {secret_files.runner_key('run')}",
        "Content-Type": "application/json",
    }
    window = {"workload": "stack smoke test", "model": "none"}
    opened = request(f"{api}/windows", json.dumps(window).encode(), headers)
    if opened.status != 201:
        raise StackError(f"the runner opens no window: {opened.status} {opened.text}")
    time.sleep(WINDOW_SECONDS)
    url = f"{api}/windows/{opened.json['window_id']}"
    closed = request(url, b'{"inferences": 1}', headers, method="PATCH")
    if closed.status != 200:
        raise StackError(f"the runner closes no window: {closed.status} {closed.text}")
    return str(closed.json["run_id"])


def _check_grafana(url: str) -> None:
    credentials = f"admin:{secret_files.read('grafana-admin-password')}"
    for uid in DATA_SOURCES:
        answer = request(f"{url}/api/datasources/uid/{uid}/health", None, _header(credentials))
        if answer.status != 200 or answer.json.get("status") != "OK":
            raise StackError(f"Grafana's data source {uid}: {answer.status} {answer.text[:200]}")


def _await(what: str, query: Callable[[], list[Any]]) -> None:
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while not query():
        if time.monotonic() > deadline:
            raise StackError(
                f"{what} did not arrive within {ARRIVAL_SECONDS:g} s; see the logs of collector"
                " and runner: docker compose -p wattmark logs"
            )
        time.sleep(0.5)


def form(statement: str) -> bytes:
    """A query as the body of a POST: no password of it comes into a log of addresses."""
    return f"q={quote(statement)}".encode()


def basic(user: str) -> dict[str, str]:
    """The header of one of InfluxDB's users; of nobody for an empty name."""
    return _header(f"{user}:{secret_files.read(f'influxdb-{user}-password')}") if user else {}


def _header(credentials: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}


def _wrong(user: str, verb: str, database: str, *, may: bool) -> str:
    return (
        f"InfluxDB: {user} {'may' if may else 'cannot'} {verb} {database}; `make stack-update`"
        " gives users their rights, see docs/stack.md"
    )
