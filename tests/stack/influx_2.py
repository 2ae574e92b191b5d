"""InfluxDB 2.7's administration as ``influxdb/init.sh`` meets it: the answers of the ``influx``
command line, and the two addresses that take a password.

Buckets, v1 authorizations and their rules follow influxdata/influxdb's ``v1/authorization`` (a
user name is unique, permissions are fixed when it is made, without a password nobody gets in) and
influxdata/influx-cli's printed columns. ``COMMAND`` is the text of a program ``influx``.
"""

import json
import re
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from typing import Any, Final

TOKEN: Final = "the-operators-token"  # noqa: S105 - of the stand-in
COMMAND: Final = """printf '%s\\n' "$@" | {curl} -sS -f --data-binary @- "$INFLUX_HOST/influx\""""
UNITS: Final = {"h": 1, "d": 24, "w": 168}
ORGANIZATION: Final = "0a0a0a0a0a0a0a0a"
ADMIN: Final = "0b0b0b0b0b0b0b0b"


class Influx2:
    """The state of a server, and what was asked of it."""

    def __init__(self) -> None:
        self.buckets: dict[str, tuple[str, int]] = {}
        self.rights: dict[str, tuple[str, list[str]]] = {}
        self.passwords: dict[str, str] = {}
        self.asked: list[list[str]] = []
        self.refuses_passwords = False
        self._ids = (f"{number:016x}" for number in count(1))
        self.run(["bucket", "create", "--name", "telemetry", "--retention", "14d"])
        self.run(["bucket", "create", "--name", "_monitoring", "--retention", "7d"])
        self.asked.clear()

    def run(self, arguments: Sequence[str]) -> tuple[int, str]:
        """Status and output of ``influx``."""
        words = [word for word in arguments if not word.startswith("--")]
        self.asked.append(list(arguments))
        options = _options(arguments)
        name = (options.get("--name") or options.get("--username") or [""])[0]
        match arguments[:3]:
            case ["bucket", "list", *_]:
                rows = [(key, bucket, _shown(hours), "24h0m0s", ORGANIZATION, "implicit")
                        for bucket, (key, hours) in self.buckets.items()]  # fmt: skip
                return 0, _table(rows)
            case ["bucket", "create", *_]:
                assert name not in self.buckets
                self.buckets[name] = (next(self._ids), _hours(options["--retention"][0]))
                return 0, ""
            case ["bucket", "update", *_]:
                (key,) = options["--id"]
                bucket = next(name for name, (known, _) in self.buckets.items() if known == key)
                self.buckets[bucket] = (key, _hours(options["--retention"][0]))
                return 0, ""
            case ["user", "list", *_]:
                return 0, _table([(ADMIN, "admin")])
            case ["v1", "auth", "list"]:
                if name not in self.rights:
                    return 1, f'Error: could not find Authorizations: "{name}"'
                return 0, self._row(name)
            case ["v1", "auth", "delete"]:
                key, _ = self.rights.pop(name)
                self.passwords.pop(key, None)
                return 0, ""
            case ["v1", "auth", "create"]:
                if name in self.rights:
                    return 1, f'Error: authorization with username "{name}" already exists'
                known = {key for key, _ in self.buckets.values()}
                permissions = [
                    f"{verb}:orgs/{ORGANIZATION}/buckets/{key}"
                    for verb in ("read", "write") for key in options.get(f"--{verb}-bucket", [])
                    if key in known
                ]  # fmt: skip
                self.rights[name] = (next(self._ids), permissions)
                return 0, self._row(name)
        return 1, f"Error: unknown command {words}"

    def may(self, user: str) -> set[str]:
        """``read telemetry`` and its like; nothing without a password."""
        key, permissions = self.rights[user]
        names = {key: bucket for bucket, (key, _) in self.buckets.items()}
        found = {re.sub(r":.*/", " ", permission) for permission in permissions}
        return {f"{verb} {names[bucket]}" for verb, bucket in map(str.split, found)
                if key in self.passwords}  # fmt: skip

    def password(self, user: str) -> str | None:
        """What lets the user in."""
        return self.passwords.get(ADMIN if user == "admin" else self.rights[user][0])

    def _row(self, name: str) -> str:
        key, permissions = self.rights[name]
        return _table([(key, "", name, "admin", ADMIN, f"[{' '.join(permissions)}]")])


class Server:
    """Serves one ``Influx2`` until it is closed."""

    def __init__(self, influx: Influx2) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if self.path == "/influx":
                    status, answer = influx.run(text.splitlines())
                    self._answer(400 if status else 200, answer)
                elif self.headers["Authorization"] != f"Token {TOKEN}":
                    self._answer(401, '{"code":"unauthorized","message":"unauthorized access"}')
                elif influx.refuses_passwords:
                    self._answer(500, '{"code":"internal error"}')
                else:
                    _, *_, key, last = self.path.split("/")
                    assert last == "password"
                    influx.passwords[key] = json.loads(text)["password"]
                    self._answer(204, "")

            def _answer(self, status: int, text: str) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


def _options(arguments: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for number, word in enumerate(arguments):
        if word.startswith("--") and arguments[number + 1 :]:
            found.setdefault(word, []).append(arguments[number + 1])
    return found


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Columns stand under each other by tabs, several where a neighbour is longer."""
    return "".join("\t\t".join(row) + "\n" for row in rows)


def _hours(text: str) -> int:
    return int(text[:-1]) * UNITS[text[-1]] if text != "0" else 0


def _shown(hours: int) -> str:
    return f"{hours}h0m0s" if hours else "infinite"
