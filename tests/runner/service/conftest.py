"""What the tests of the service share: calls, and waiting for what is to come."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

FINAL = {"done", "failed", "cancelled", "interrupted"}


class Api:
    """The API of one runner."""

    def __init__(self, url: str, **options: Any) -> None:
        self.http = httpx.Client(base_url=f"{url}/api/v1", timeout=30.0, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        """The JSON of a POST that succeeds."""
        return ok(self.http.post(path, json=body, **options))

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a GET that succeeds."""
        return ok(self.http.get(path, params=params))

    def close_window(self, window: Any, **known: Any) -> Any:
        return ok(self.http.patch(f"/windows/{window['window_id']}", json=known))

    def ended(self, run_id: str, seconds: float = 120.0) -> Any:
        """The run, as soon as it has ended."""
        return await_that(lambda: self._final(run_id), seconds)

    def _final(self, run_id: str) -> Any:
        run = self.get(f"/runs/{run_id}")
        return run if run["state"] in FINAL else None


def ok(answer: httpx.Response) -> Any:
    """Its JSON, if it is no error."""
    assert answer.status_code < 400, answer.text
    return answer.json()


def await_that(found: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What ``found`` gives, as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)
    return result


@pytest.fixture
def api(service: Any) -> Iterator[Api]:
    """The API of the shared runner."""
    opened = Api(service.url)
    yield opened
    opened.http.close()


@pytest.fixture
def api_of() -> Iterator[Callable[..., Api]]:
    """The API of a runner of the test's own."""
    opened: list[Api] = []

    def of(url: str, **options: Any) -> Api:
        opened.append(Api(url, **options))
        return opened[-1]

    yield of
    for each in opened:
        each.http.close()


@pytest.fixture
def waiting() -> Callable[..., Any]:
    """Waits until something comes about."""
    return await_that
