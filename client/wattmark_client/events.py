"""Following a run over its event stream, also when the connection breaks."""

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from wattmark_client.errors import ClientError, refusal, unreachable
from wattmark_client.models import Event, is_final

if TYPE_CHECKING:
    import httpx

SILENT_SECONDS: Final = 60.0
"""The runner sends something every 15 s."""
RETRY_SECONDS: Final = 0.5
GIVE_UP_SECONDS: Final = 60.0
"""How long a runner may be away: it may be starting again."""


def follow(
    http: "httpx.Client", url: str, path: str, timeout_seconds: float | None
) -> Iterator[Event]:
    """Events of a run until it has ended. Raises ``ClientError``, also when time is up."""
    import httpx

    last, ended = 0, False
    start = last_event = time.monotonic()
    while not ended:
        now = time.monotonic()
        if timeout_seconds is not None and now - start > timeout_seconds:
            raise ClientError(f"the run has not ended within {timeout_seconds:g} s")
        try:
            for event in _stream(http, path, last, timeout_seconds):
                last, last_event = event.id, time.monotonic()
                # A run that is scored again was final before.
                ended = event.kind == "state" and is_final(
                    event.body["state"], event.body.get("final")
                )
                yield event
        except httpx.TransportError as error:
            if time.monotonic() - last_event > GIVE_UP_SECONDS:
                raise unreachable(url, error) from error
        if not ended:
            time.sleep(RETRY_SECONDS)


def _stream(
    http: "httpx.Client", path: str, last: int, timeout_seconds: float | None
) -> Iterator[Event]:
    import httpx

    read = SILENT_SECONDS if timeout_seconds is None else min(SILENT_SECONDS, timeout_seconds)
    timeout = httpx.Timeout(10.0, read=read)
    headers = {"Last-Event-ID": str(last)}
    with http.stream("GET", path, headers=headers, timeout=timeout) as response:
        if response.status_code >= 400:
            response.read()
            raise refusal(response)
        fields: dict[str, str] = {}
        for line in response.iter_lines():
            if line:
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
            elif "data" in fields:
                yield Event(int(fields["id"]), fields["event"], json.loads(fields["data"]))
                fields = {}
