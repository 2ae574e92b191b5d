"""A program of a later version: one of today behind a server that adds to its answers.

Only what the rule of versions lets a later one do: more keys in every object, and values that
enumerations do not have yet in more sensors, series, runs and events.
"""

import copy
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen

NEW = {"of_a_later_version": {"unit": "kg", "values": [1.5, None]}}
MAPS = {"labels", "parameters", "formulas", "constants", "environment"}
"""Objects whose keys are a user's or a machine's."""
SKIPPED = {"connection", "content-length", "date", "server", "transfer-encoding"}


class Newer:
    """Answers at ``url`` what the program at ``upstream`` does, and more."""

    def __init__(self, upstream: str) -> None:
        class Handler(_Handler):
            target = upstream

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    target = ""

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def do_PATCH(self) -> None:
        self._pass_on()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def _pass_on(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        data = self.rfile.read(length) if length else None
        headers = {n: v for n, v in self.headers.items() if n.lower() != "host"}
        request = Request(self.target + self.path, data, headers, method=self.command)
        try:
            answer = urlopen(request, timeout=30.0)
        except HTTPError as error:
            answer = error
        with answer:
            kind, text = answer.headers.get("Content-Type", ""), answer.read()
            if "json" in kind:
                text = json.dumps(with_more(self.path, json.loads(text))).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in SKIPPED:
                    self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)


def with_more(path: str, body: Any) -> Any:
    """An answer as a later version gives it."""
    more = copy.deepcopy(body)
    if path == "/sensors":
        sensors = more["sensors"]
        series = next(counter for sensor in sensors for counter in sensor["energy"])
        unknown = [{**series, "domain": "rack"}, {**series, "method": "guessed", "device": "x"},
                   {**series, "state": "calibrating", "device": "y"}]  # fmt: skip
        for sensor in sensors:
            sensor["energy"] += unknown if sensor["energy"] else []
        late = {**series, "state": "warming up", "device": "z"}
        sensors.append({**sensors[0], "name": "late", "state": "warming up", "energy": [late]})
    if path.startswith("/api/v1/runs?"):
        first = more["runs"][0]
        paused = {"run_id": "later", "state": "paused", "final": False, "source": "fleet"}
        more["runs"].append({**first, **paused})
    return _keyed(more)


def _keyed(body: Any) -> Any:
    """With one key more in each object that has keys of Wattmark's."""
    if isinstance(body, list):
        return [_keyed(entry) for entry in body]
    if isinstance(body, dict):
        more = {name: v if name in MAPS else _keyed(v) for name, v in body.items()}
        return {**more, **NEW}
    return body
