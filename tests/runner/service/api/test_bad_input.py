"""Bad input: a problem that names the field, nothing started, nothing lost."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

S = 1_000_000_000
RUN = {"workload": "quick", "model": "steady"}
WINDOW = {"workload": "w", "model": "m"}


def total(api: Any) -> int:
    """How many runs there are."""
    count, cursor = 0, None
    while True:
        page = api.get("/runs", limit=1000, **({"cursor": cursor} if cursor else {}))
        count += len(page["runs"])
        cursor = page["next"]
        if cursor is None:
            return count


def problem(answer: httpx.Response, status: int, field: str = "") -> Any:
    """The problem that an answer is; it blames ``field``."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["detail"]
    assert "\n" not in body["detail"]
    if field:
        assert field in [error["field"] for error in body["errors"]], body
    return body


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"workload": "imagenet"}, "workload"),
        ({"workload": ""}, "workload"),
        ({"workload": None}, "workload"),
        ({"model": "vgg"}, "model"),
        ({"model": "../../etc/passwd"}, "model"),
        ({"parameters": {"size": 3}}, "parameters.size"),
        ({"parameters": {"how": "loud"}}, "parameters.how"),
        ({"parameters": {"how": 3}}, "parameters.how"),
        ({"parameters": {"how": ["busy"]}}, "parameters.how"),
        ({"repeats": 0}, "repeats"),
        ({"repeats": 1001}, "repeats"),
        ({"repeats": "3"}, "repeats"),
        ({"repeats": 2.5}, "repeats"),
        ({"seconds": 0}, "seconds"),
        ({"seconds": -1}, "seconds"),
        ({"seconds": 1e9}, "seconds"),
        ({"idle_before_seconds": -1}, "idle_before_seconds"),
        ({"warmup_seconds": "long"}, "warmup_seconds"),
        ({"boundary": "rack"}, "boundary"),
        ({"owner": "x" * 101}, "owner"),
        ({"owner": "me\x1b[31m"}, "owner"),
        ({"model": "gpj.\u202eexe"}, "model"),
        ({"workload": "a\x00b"}, "workload"),
        ({"gpu": "GPU-\u2066"}, "gpu"),
        ({"labels": {"a": "two\nlines"}}, "labels.a"),
        ({"labels": {"a\u200f": "b"}}, "labels"),
        ({"labels": {"a": 1}}, "labels.a"),
        ({"labels": {str(i): "" for i in range(33)}}, "labels"),
        ({"command": ["rm", "-rf", "/"]}, "command"),
        ({"entry_point": "os:system"}, "entry_point"),
        ({"builtin": "digits"}, "builtin"),
    ],
)
def test_a_run_that_cannot_be(api: Any, change: dict[str, Any], field: str) -> None:
    """Unknown names, wrong types, values out of range, and things a request cannot bring."""
    before = total(api)
    found = problem(api.http.post("/runs", json={**RUN, **change}), 422)
    fields = [error["field"] for error in found["errors"]]
    assert any(name == field or name.startswith(f"{field}.") for name in fields), found
    assert total(api) == before


def whole(start: float, end: float, **more: Any) -> dict[str, Any]:
    """A window between two times in seconds from now."""
    now = time.time_ns()
    return {**WINDOW, "start_ns": now + int(start * S), "end_ns": now + int(end * S), **more}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (lambda: whole(-2, 60), "end_ns"),
        (lambda: whole(-1, -2), "end_ns"),
        (lambda: whole(-1, -1) | {"start_ns": 5, "end_ns": 5}, "end_ns"),
        (lambda: whole(-86400, -86000), "start_ns"),
        (lambda: whole(-90_000, -1), "start_ns"),
        (lambda: whole(-10 * 86400, -10 * 86400 + 5), "end_ns"),
        (lambda: whole(-2, -1) | {"start_ns": 0, "end_ns": 10**10}, "end_ns"),
        (lambda: whole(-2, -1, inferences=2**53), "inferences"),
        (lambda: whole(-2, -1, inferences=1, correct=2), "correct"),
        (lambda: whole(-2, -1, correct=2), "inferences"),
        (lambda: whole(-2, -1, inferences=-1), "inferences"),
        (lambda: whole(-2, -1) | {"start_ns": -1}, "start_ns"),
        (lambda: whole(-2, -1) | {"start_ns": 2**63}, "start_ns"),
        (lambda: whole(-2, -1) | {"start_ns": None}, "start_ns"),
        (lambda: whole(-2, -1, phase="lunch"), "phase"),
        (lambda: whole(-2, -1, model=""), "model"),
        (lambda: whole(-2, -1, model="m\u202e"), "model"),
        (lambda: whole(-2, -1, workload="w\x00"), "workload"),
        (lambda: whole(-2, -1, label="\x1b]0;title\x07"), "label"),
        (lambda: {"workload": "w"}, "model"),
        (lambda: {"model": "m"}, "workload"),
        (lambda: {**WINDOW, "inferences": 3}, "inferences"),
        (lambda: {**WINDOW, "max_seconds": 0}, "max_seconds"),
        (lambda: {**WINDOW, "max_seconds": 1e9}, "max_seconds"),
        (lambda: {**WINDOW, "gpu": "GPU-nowhere"}, ""),
        (lambda: {**WINDOW, "boundary": "gpu"}, ""),
    ],
)
def test_a_window_that_cannot_be(api: Any, body: Callable[[], dict[str, Any]], field: str) -> None:
    """Times that cannot be, counts that cannot be, and counters that are not there."""
    before = total(api), len(api.get("/windows", limit=1000)["windows"])
    problem(api.http.post("/windows", json=body()), 422, field)
    assert (total(api), len(api.get("/windows", limit=1000)["windows"])) == before


def test_a_window_stays_open_when_closing_was_refused(api: Any) -> None:
    """More correct than inferences: nothing is lost, and it can be closed with what is true."""
    window = api.post("/windows", WINDOW)
    path = f"/windows/{window['window_id']}"
    problem(api.http.patch(path, json={"inferences": 1, "correct": 2}), 422, "correct")
    problem(api.http.patch(path, json={"correct": 2}), 422, "inferences")
    problem(api.http.patch(path, json={"inferences": "many"}), 422, "inferences")
    assert api.get(path)["state"] == "open"
    api.close_window(window, inferences=2, correct=1)
    problem(api.http.patch(path, json={}), 409)


def test_a_window_for_another_run(api: Any, service: Any) -> None:
    """Not for one of the runner's own, an unknown one, or one about another model."""
    started = api.post("/runs", {**service.quick, "idle_before_seconds": 300.0})
    problem(api.http.post("/windows", json={**WINDOW, "run_id": started["run_id"]}), 409, "run_id")
    api.post(f"/runs/{started['run_id']}/cancel")
    problem(api.http.post("/windows", json={**WINDOW, "run_id": "nowhere"}), 404)
    window = api.post("/windows", WINDOW)
    body = {"workload": "w", "model": "another", "run_id": window["run_id"]}
    problem(api.http.post("/windows", json=body), 422, "model")
    api.close_window(window)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/runs/nowhere", 404),
        ("GET", "/runs/nowhere/events", 404),
        ("GET", "/runs/nowhere/log", 404),
        ("GET", "/runs/..%2f..%2fetc%2fpasswd/log", 404),
        ("GET", "/runs/nowhere/power", 404),
        ("GET", "/runs/nowhere/score", 404),
        ("POST", "/runs/nowhere/score", 404),
        ("POST", "/runs/nowhere/cancel", 404),
        ("GET", "/windows/nowhere", 404),
        ("PATCH", "/windows/nowhere", 404),
        ("GET", "/nowhere", 404),
        ("DELETE", "/runs", 405),
        ("GET", "/runs?limit=0", 422),
        ("GET", "/runs?cursor=x", 422),
        ("GET", "/runs?state=lost", 422),
        ("GET", "/runs?label=x", 422),
        ("GET", "/scores?format=pdf", 422),
        ("GET", "/scores?verdict=good", 422),
    ],
)
def test_what_is_not_there(api: Any, method: str, path: str, status: int) -> None:
    """Unknown things and wrong questions are problems, too."""
    body: dict[str, Any] = {"json": {}} if method == "PATCH" else {}
    problem(api.http.request(method, path, **body), status)


def test_what_has_ended_is_neither_cancelled_nor_scored(api: Any, service: Any) -> None:
    """409, with its state; what was measured stands."""
    started = api.post("/runs", {**service.quick, "idle_before_seconds": 300.0})
    path = f"/runs/{started['run_id']}"
    problem(api.http.get(f"{path}/score"), 409)
    problem(api.http.post(f"{path}/score"), 409)
    api.post(f"{path}/cancel")
    api.ended(started["run_id"])
    problem(api.http.post(f"{path}/score"), 409)
    window = api.post("/windows", WINDOW)
    api.close_window(window)
    done = api.ended(window["run_id"])
    problem(api.http.post(f"/runs/{done['run_id']}/cancel"), 409)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 422),
        ({"content": b"[]", "headers": {"content-type": "application/json"}}, 422),
        ({"content": b"{}", "headers": {"content-type": "text/plain"}}, 415),
        ({"data": {"workload": "quick"}}, 415),
        ({"json": {**RUN, "owner": "x" * 100_000}}, 413),
        ({"json": RUN, "headers": {"host": "evil.example"}}, 421),
        ({"json": RUN, "headers": {"origin": "http://evil.example"}}, 403),
        ({"json": RUN, "headers": {"sec-fetch-site": "cross-site"}}, 403),
        ({"json": RUN, "headers": {"idempotency-key": "x" * 201}}, 422),
    ],
)
def test_a_request_that_should_not_be(api: Any, options: dict[str, Any], status: int) -> None:
    """Broken JSON, other types, too much, foreign hosts and origins: nothing is started."""
    before = total(api)
    problem(api.http.post("/runs", **options), status)
    assert total(api) == before


def test_a_foreign_host_cannot_even_read(api: Any) -> None:
    """A name that was made to point here (DNS rebinding) gets nothing."""
    for path in ("/runs", "/sensors"):
        problem(api.http.get(path, headers={"host": "evil.example:8080"}), 421)


def test_the_same_key_is_carried_out_once(api: Any) -> None:
    """Sent again it is answered as before; with another body it is refused."""
    before = total(api)
    headers = {"idempotency-key": f"key-{time.time_ns()}"}
    first = api.http.post("/windows", json=WINDOW, headers=headers)
    again = api.http.post("/windows", json=WINDOW, headers=headers)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert first.headers["location"] == again.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
    problem(api.http.post("/windows", json={**WINDOW, "model": "x"}, headers=headers), 422)
    assert total(api) == before + 1
    api.close_window(first.json())


def test_a_key_sent_twice_at_once_is_carried_out_once(api: Any) -> None:
    """Of many at once one is carried out; the others get its answer, or an answer to wait."""
    before = total(api)
    headers = {"idempotency-key": f"key-{time.time_ns()}"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: api.http.post("/windows", json=WINDOW, headers=headers), range(8))
        )
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = {a.json()["window_id"] for a in answers if a.status_code == 201}
    assert len(made) == 1
    assert total(api) == before + 1
    api.close_window({"window_id": made.pop()})


READ, RUN_KEY = "a-read-key-of-the-tests", "a-run-key-of-the-tests"


@pytest.fixture
def guarded(make_rooms: Callable[[], Any]) -> str:
    """A runner with keys; its URL."""
    rooms = make_rooms()
    rooms.end("wattmark_runner")
    keys: Path = rooms.data / "keys"
    keys.write_text(f"read {READ}\nrun {RUN_KEY}\n")
    keys.chmod(0o600)
    url: str = rooms.start_runner("--key-file", str(keys))
    return url


def test_keys_say_who_may_what(guarded: str, api_of: Callable[..., Any]) -> None:
    """No key and a wrong one are 401, a read key on a write is 403; each may what it may."""

    def of(key: str) -> Any:
        return api_of(guarded, headers={"Authorization": f"Bearer {key}"} if key else {})

    for key in ("", "x" * 32, READ[:-1]):
        answer = of(key).http.get("/runs")
        problem(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    reader, runner = of(READ), of(RUN_KEY)
    assert reader.get("/runs")["runs"] == []
    problem(reader.http.post("/runs", json=RUN), 403)
    problem(reader.http.post("/windows", json=WINDOW), 403)
    assert runner.get("/runs")["runs"] == []
    window = runner.post("/windows", WINDOW)
    problem(reader.http.patch(f"/windows/{window['window_id']}", json={}), 403)
    runner.close_window(window)
    assert httpx.get(f"{guarded}/healthz").text == "ok\n"
    problem(httpx.get(f"{guarded}/metrics"), 401)
