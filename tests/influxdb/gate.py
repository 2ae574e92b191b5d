"""A gate before a server: what passes is recorded, and may be held back."""

from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from urllib.parse import parse_qs, urlsplit

from tests.influxdb.listening import Handler, Listening

KEPT_HEADERS = ("Authorization", "Content-Type", "Accept")


def open_to_all(statement: str) -> bool:
    """Keeps nothing back."""
    return True


class Gate:
    """Passes calls on to ``address`` (http://HOST:PORT).

    ``passed(what)`` is asked after the server behind has carried out a call, with the query's text
    or ``write``: False keeps the answer back and breaks the connection.
    """

    def __init__(self, address: str, passed: Callable[[str], bool] = open_to_all) -> None:
        self.passed = passed
        self.calls: list[str] = []
        gate, host = self, address.removeprefix("http://")

        class Passing(Handler):
            def do_POST(self) -> None:
                body, what = self.body(), "write"
                if urlsplit(self.path).path == "/query":
                    what = parse_qs(body.decode())["q"][0]
                gate.calls.append(what)
                headers = {name: self.headers[name] for name in KEPT_HEADERS if self.headers[name]}
                connection = HTTPConnection(host, timeout=60.0)
                try:
                    connection.request("POST", self.path, body, headers)
                    answer = connection.getresponse()
                    kind = {"Content-Type": answer.headers.get("Content-Type", "")}
                    found = answer.status, kind, answer.read()
                except (OSError, HTTPException):
                    self.close_connection = True
                    return
                finally:
                    connection.close()
                if gate.passed(what):
                    self.answer(*found)
                else:
                    self.close_connection = True

        self._handler = Passing
        self._listening: Listening | None = Listening(Passing)
        self.port = self._listening.server_port

    def url(self, user: str) -> str:
        """The store's URL for a user, through the gate."""
        return f"influxdb://{user}@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Let calls through again."""
        self._listening = Listening(self._handler, self.port)

    def stop(self) -> None:
        """Let nobody through."""
        if self._listening is not None:
            self._listening.stop()
        self._listening = None
