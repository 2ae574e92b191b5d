"""The collector's own process, and clients of its pages that mean ill."""

import http.client
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.hostile import (
    GUARD,
    MIB,
    memory_bytes,
    status_of,
    ten_megabytes_of_headers,
)

TARGETS = """\
scrape_configs:
  - job_name: wattmark
    metrics_path: /samples
    static_configs: [{targets: ['127.0.0.1:9']}]
"""


class Door(NamedTuple):
    """A process and its address."""

    process: subprocess.Popen[str]
    url: str


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """One collector for all of them; its target is away."""
    folder: Path = tmp_path_factory.mktemp("collector")
    (folder / "targets.yml").write_text(TARGETS)
    process = subprocess.Popen(
        [sys.executable, "-m", "wattmark_collector", "--config", "targets.yml",
         "--store", "sqlite:///store.sqlite", "--listen", "127.0.0.1:0"],
        cwd=folder, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    yield Door(process, process.stdout.readline().split()[1])
    process.kill()
    process.wait()
    process.stdout.close()


def asked(url: str, method: str, path: str, headers: dict[str, str]) -> tuple[int, int, str]:
    """Status, announced length and body."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    body = response.read().decode()
    length = int(response.headers["Content-Length"])
    connection.close()
    return response.status, length, body


def test_ten_megabytes_of_headers_take_no_memory(door: Door) -> None:
    """431, 414 for the path, and the next one is answered."""
    before = memory_bytes(door.process.pid)
    for kind, data in ten_megabytes_of_headers(door.url):
        assert status_of(data) == (414 if kind in {"the path", "the query", "the method"} else 431)
    assert memory_bytes(door.process.pid) - before < 8 * MIB
    assert asked(door.url, "GET", "/healthz", {})[0] == 200


@pytest.mark.parametrize(("method", "headers", "status"), GUARD)
@pytest.mark.parametrize("path", ["/metrics", "/healthz"])
def test_a_page_of_a_stranger_gets_nothing(
    door: Door, path: str, method: str, headers: dict[str, str], status: int
) -> None:
    """By a name made to point here, or from another origin."""
    assert asked(door.url, method, path, headers)[0] == status


@pytest.mark.parametrize("path", ["/healthz", "/samples"])
def test_head_answers_as_get_does(door: Door, path: str) -> None:
    """Status and length, without the body."""
    status, length, body = asked(door.url, "GET", path, {})
    assert asked(door.url, "HEAD", path, {}) == (status, length, "")
    assert len(body) == length
    assert asked(door.url, "POST", path, {})[0] == 405
