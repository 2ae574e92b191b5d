"""The runner's REST API as Python calls."""

import os
import ssl
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from wattmark_client.documents import Power, Sensors, Table, Workload, Workloads
from wattmark_client.errors import ClientError, refusal, unreachable
from wattmark_client.events import follow
from wattmark_client.models import Event, RankedGroup, Run, RunScores, Score, WindowItem, parse
from wattmark_client.window import ClientWindow

if TYPE_CHECKING:
    import httpx

DEFAULT_URL: Final = "http://127.0.0.1:8080"
PAGE: Final = 200
ROLES: Final = frozenset({"read", "run"})
NAMED: Final = 3
"""Words in a line with a key's name."""
API: Final = "/api/v1"


class Client:
    """A connection to one runner; ``with`` it, or ``close`` it. One thread at a time.

    ``url``: default $WATTMARK_RUNNER, else this machine. ``key``: default the content of the file
    $WATTMARK_KEY_FILE. ``ca``: the CA certificate(s) to trust, PEM. All calls but ``window`` raise
    ``ClientError``. httpx is imported here and not before: it takes longer than all of ours.
    """

    def __init__(
        self, url: str = "", *, key: str = "", ca: Path | None = None, timeout_seconds: float = 10.0
    ) -> None:
        import httpx

        self.url = (url or os.environ.get("WATTMARK_RUNNER") or DEFAULT_URL).rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            raise ClientError(f"runner {self.url} is not http://HOST:PORT or https://HOST:PORT")
        key = key or key_of(os.environ.get("WATTMARK_KEY_FILE", ""))
        try:
            self._http = httpx.Client(
                base_url=self.url + API,
                headers={"Authorization": f"Bearer {key}"} if key else {},
                verify=True if ca is None else _trusting(ca),
                timeout=timeout_seconds,
            )
        except (httpx.InvalidURL, OSError, ValueError) as error:
            raise ClientError(f"runner {self.url}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the client cannot be used after it."""
        self._http.close()

    # Runs

    def start_run(self, workload: str, model: str, **options: Any) -> Run:
        """Queue a run; ``options`` as in the API: repeats, seconds, parameters, labels, …"""
        body = {"workload": workload, "model": model, **options}
        return parse(Run, self.call("POST", "/runs", body))

    def run(self, run_id: str) -> Run:
        """One run, with its whole record."""
        return parse(Run, self.call("GET", f"/runs/{run_id}"))

    def runs(self, **filters: Any) -> Iterator[Run]:
        """Runs, newest first: state, workload, model, owner, source, label (NAME:VALUE, a list)."""
        for body in self._pages("/runs", "runs", filters):
            yield parse(Run, body)

    def cancel(self, run_id: str) -> Run:
        """Cancel a run that waits or is under way."""
        return parse(Run, self.call("POST", f"/runs/{run_id}/cancel"))

    def log(self, run_id: str) -> str:
        """What the run's worker printed."""
        return self.request("GET", f"/runs/{run_id}/log").text

    def wait(
        self,
        run_id: str,
        on_event: Callable[[Event], None] | None = None,
        timeout_seconds: float | None = None,
    ) -> Run:
        """Follow a run to its end, through a runner's restart; ``on_event`` gets each event."""
        for event in follow(self._http, self.url, f"/runs/{run_id}/events", timeout_seconds):
            if on_event is not None:
                on_event(event)
        return self.run(run_id)

    # Scores

    def score(self, run_id: str) -> list[Score]:
        """The scores of a run; ``ClientError`` with status 409 if it has none yet."""
        return list(self.checked_scores(run_id).scores)

    def score_again(self, run_id: str) -> list[Score]:
        """Score a run once more from the samples that are kept of it."""
        return list(self.checked_scores(run_id, again=True).scores)

    def checked_scores(self, run_id: str, *, again: bool = False) -> RunScores:
        """The scores of a run with its checks; ``again``: scored once more."""
        return parse(RunScores, self.call("POST" if again else "GET", f"/runs/{run_id}/score"))

    def scores(self, **filters: Any) -> Iterator[Score]:
        """Scores, last scored first: run_id, host, model, workload, boundary, formula, verdict."""
        for body in self._pages("/scores", "scores", filters):
            yield parse(Score, body)

    def ranking(self, **filters: Any) -> list[RankedGroup]:
        """The newest score of each host and model, ranked among those that may be compared."""
        body = self.call("GET", "/ranking", params=filters)
        return [parse(RankedGroup, group) for group in _entries(body, "groups")]

    def table(self, number: str, **options: Any) -> list[Table]:
        """The paper's table 1, 2 or 3 over the runner's runs, one for each workload and boundary;
        ``options``: workload, host, boundary, baseline, paper."""
        tables: list[Table] = _entries(self.call("GET", f"/tables/{number}", params=options),
                                       "tables")  # fmt: skip
        return tables

    def power(self, run_id: str) -> Power:
        """Power over a run, with its windows."""
        power: Power = self.call("GET", f"/runs/{run_id}/power")  # type: ignore[assignment]  # JSON
        return power

    # The runner and its host

    def workloads(self) -> list[Workload]:
        """What may be run, with models and parameters."""
        return self._workloads()["workloads"]

    def formulas(self) -> dict[str, str]:
        """Name and text of the scores beside the built-in ones."""
        return self._workloads()["formulas"]

    def _workloads(self) -> Workloads:
        workloads: Workloads = self.call("GET", "/workloads")  # type: ignore[assignment]  # JSON
        return workloads

    def sensors(self) -> Sensors:
        """What the runner's host can measure."""
        sensors: Sensors = self.call("GET", "/sensors")  # type: ignore[assignment]  # JSON
        return sensors

    # Windows

    def window(
        self, *, model: str = "", workload: str = "", phase: str = "inference", label: str = "",
        **options: Any,
    ) -> ClientWindow:  # fmt: skip
        """A window around a ``with`` body; the runner stamps it. Never raises into the body.

        ``options``: run_id (one more window of an earlier run), max_seconds, gpu, boundary, owner,
        labels, test_images.
        """
        facts = {"model": model, "workload": workload, "phase": phase, "label": label, **options}
        return ClientWindow(self, facts)

    def post_window(self, *, start_ns: int, end_ns: int, **facts: Any) -> WindowItem:
        """A window that is over, at times of one's own (Unix ns): it is marked as such."""
        body = {"start_ns": start_ns, "end_ns": end_ns, **facts}
        return parse(WindowItem, self.call("POST", "/windows", body))

    def withdraw_window(self, window_id: str, owner: str = "") -> WindowItem:
        """Take a window back, with the marks that others have of it; ``owner``: the one that it was
        made with, if any."""
        params = {"owner": owner} if owner else {}
        return parse(WindowItem, self.call("DELETE", f"/windows/{window_id}", params=params))

    def window_item(self, window_id: str) -> WindowItem:
        """A window by its id."""
        return parse(WindowItem, self.call("GET", f"/windows/{window_id}"))

    def windows(self, **filters: Any) -> Iterator[WindowItem]:
        """Windows from elsewhere, newest first: run_id, state."""
        for body in self._pages("/windows", "windows", filters):
            yield parse(WindowItem, body)

    # HTTP

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """One call; the JSON object of its answer."""
        try:
            answer = self.request(method, path, body, params).json()
        except ValueError as error:
            raise ClientError(f"{self.url} does not answer as a runner does: {error}") from error
        if not isinstance(answer, dict):
            raise ClientError(f"{self.url} does not answer as a runner does: {answer!r:.60}")
        return answer

    def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> "httpx.Response":  # fmt: skip
        """One call. If its connection breaks it is sent once more: a key keeps a POST from being
        carried out twice."""
        import httpx

        headers = {"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {}
        for attempt in (1, 2):
            try:
                response = self._http.request(
                    method, path, json=body, params=params, headers=headers
                )
                break
            except httpx.TransportError as error:
                if attempt == 2 or isinstance(error, httpx.ConnectError | httpx.TimeoutException):
                    raise unreachable(self.url, error) from error
        if response.status_code >= 400:
            raise refusal(response)
        return response

    def _pages(self, path: str, name: str, filters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            params = {**filters, "limit": PAGE} | ({"cursor": cursor} if cursor else {})
            body = self.call("GET", path, params=params)
            yield from _entries(body, name)
            cursor = body.get("next")
            if cursor is None:
                return


def key_of(path: str) -> str:
    """The key in a file, of its last line: ``KEY``, ``run KEY`` or ``run KEY NAME``; empty without
    a path.

    Raises ``ClientError``.
    """
    if not path:
        return ""
    try:
        lines = Path(path).read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ClientError(f"key file {path}: {error}") from error
    words = [line.split() for line in lines if line.strip() and line.strip()[0] != "#"]
    if not words:
        raise ClientError(f"key file {path} is empty; write the key into it")
    last = words[-1]
    return last[1] if len(last) == NAMED and last[0] in ROLES else last[-1]


def _entries(body: dict[str, Any], name: str) -> list[Any]:
    entries = body.get(name)
    if not isinstance(entries, list):
        raise ClientError(f"the runner's answer has no list of {name}")
    return entries


def _trusting(ca: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca))
    except (OSError, ssl.SSLError) as error:
        raise ClientError(f"CA certificate {ca}: {error}") from error
