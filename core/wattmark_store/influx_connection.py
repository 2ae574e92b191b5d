"""The calls to an InfluxDB: ``/query`` and ``/write`` over HTTP.

The only file that knows the client library, of which it takes the connection.
"""

import json
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

import urllib3
from influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException

from wattmark_core.errors import StoreUnavailable
from wattmark_core.retry_after import wait_seconds
from wattmark_store import influx_queries as queries
from wattmark_store.influx_errors import MalformedLines, refusal
from wattmark_store.influx_url import InfluxLocation

WRITTEN_STATUS: Final = 204
TIMEOUT_MS: Final = 60_000
CONNECTIONS: Final = 16


class InfluxConnection:
    """One server. Threads may share it. Nothing is asked of it before the first call."""

    def __init__(self, location: InfluxLocation) -> None:
        self.location = location
        token = f"{location.user}:{location.password}" if location.user else None
        self._client = InfluxDBClient(
            location.url, token=token, org="-", auth_basic=token is not None,
            timeout=TIMEOUT_MS, retries=urllib3.Retry(0, redirect=0),
            ssl_ca_cert=None if location.ca is None else str(location.ca),
            connection_pool_maxsize=CONNECTIONS,
        )  # fmt: skip

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def ask(self, database: str, statements: Sequence[str]) -> list[queries.Rows]:
        """The series of each InfluxQL statement; a deletion has none. Raises ``StoreError``."""
        if not statements:
            return []
        _, answer = self._call(
            "/query", [("db", database), ("epoch", "ns")],
            {"Content-Type": "application/x-www-form-urlencoded"},
            post_params=[("q", ";".join(statements))],
        )  # fmt: skip
        results = self._results(answer)
        for result in results:
            if "error" in result:
                raise refusal(200, result["error"], self.location)
        rows: dict[int, queries.Rows] = {
            number: [] for number, statement in enumerate(statements) if _has_no_result(statement)
        }
        for result in results:
            series = [queries.Row.of(series_json) for series_json in result.get("series", [])]
            rows.setdefault(result.get("statement_id", -1), []).extend(series)
        if set(rows) != set(range(len(statements))):
            raise self._not_influxdb()
        return [rows[number] for number in range(len(statements))]

    def _results(self, answer: bytes) -> list[dict[str, Any]]:
        """2.x answers ``{}`` where no statement has a result."""
        try:
            results = {"results": [], **json.loads(answer)}.pop("results")
            answers: list[dict[str, Any]] = [dict(result) for result in results]
        except (ValueError, TypeError) as error:
            raise self._not_influxdb() from error
        return answers

    def _send(self, database: str, lines: Iterable[str]) -> None:
        """Write lines; if some cannot be parsed all others are written before it is raised. (2.x
        stores nothing of a batch with such a line, 1.x all but the line.)"""
        batch, malformed = list(lines), None
        while batch:
            try:
                self._post(database, batch)
            except MalformedLines as error:
                rest = [line for line in batch if line not in error.lines]
                if len(rest) == len(batch):
                    raise
                batch, malformed = rest, malformed or error
            else:
                break
        if malformed is not None:
            raise malformed

    def _post(self, database: str, lines: Sequence[str]) -> None:
        body, headers = "\n".join(lines), {"Content-Type": "text/plain"}
        status, _ = self._call("/write", [("db", database)], headers, body=body)
        if status != WRITTEN_STATUS:
            raise self._not_influxdb()

    def _not_influxdb(self) -> StoreUnavailable:
        return StoreUnavailable(f"{self.location.url} is not an InfluxDB; correct --store")

    def _call(
        self, path: str, query: list[tuple[str, str]], headers: dict[str, str], **arguments: Any
    ) -> tuple[int, bytes]:
        try:
            answer = self._client.api_client.call_api(
                path, "POST", query_params=query, header_params=headers, _preload_content=False,
                _return_http_data_only=True, **arguments,
            )  # fmt: skip
            data: bytes = answer.data
        except ApiException as error:
            refused = refusal(error.status, error.body, self.location)
            if isinstance(refused, StoreUnavailable):
                asked = (error.headers or {}).get("Retry-After")
                refused.wait_seconds = wait_seconds(error.status, asked, time.time())
            raise refused from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise StoreUnavailable(
                f"no InfluxDB answers at {self.location.url} ({_cause(error)}); start it or"
                " correct --store"
            ) from error
        return answer.status, data


def _cause(error: BaseException) -> str:
    reason = getattr(error, "reason", None)
    text = str(reason if isinstance(reason, BaseException) else error)
    return text.rpartition(": ")[2] or type(error).__name__


def _has_no_result(statement: str) -> bool:
    """Whether 2.x leaves out the statement's result."""
    return statement.startswith(("DELETE ", "DROP MEASUREMENT "))
