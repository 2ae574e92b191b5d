"""The client against a real runner."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from wattmark_client import Client, ClientError, Event, Run
from wattmark_client.client import key_of
from wattmark_client.models import is_final, parse


@pytest.fixture
def client(service: Any) -> Iterator[Client]:
    """A client of the shared runner."""
    with Client(service.url) as opened:
        yield opened


def work(seconds: float = 0.3) -> None:
    """Keep a core busy."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(1000))


def test_a_run_is_followed_to_its_score(client: Client, service: Any) -> None:
    """Started, followed event by event, shown with its whole record, scored and ranked."""
    heard: list[Event] = []
    started = client.start_run(**service.quick, labels={"test": "client"}, owner="me")
    ended = client.wait(started.run_id, heard.append, timeout_seconds=120)
    assert (ended.state, ended.reason, ended.owner) == ("done", "", "me")
    assert [e.body["state"] for e in heard if e.kind == "state"] == [
        "queued", "running", "scoring", "done",
    ]  # fmt: skip
    assert [event.id for event in heard] == sorted({event.id for event in heard})
    assert ended.record is not None
    assert len(ended.record["windows"]) == 4
    scores = client.score(started.run_id)
    assert ended.score in scores
    assert ended.score is not None
    assert ended.score.accuracy == 0.9
    assert client.score_again(started.run_id) == scores
    assert "a line for the log" in client.log(started.run_id)
    assert started.run_id in [run.run_id for run in client.runs(label=["test:client"])]
    assert started.run_id in [score.run_id for score in client.scores(model="steady")]
    listed = [s.run_id for g in client.ranking(workload="quick") for s in (*g.ranked, *g.unranked)]
    assert started.run_id in listed  # by what else the machine does is another matter


def test_a_run_is_cancelled(client: Client, service: Any) -> None:
    """It says so, and a second cancel changes nothing."""
    started = client.start_run(**{**service.quick, "idle_before_seconds": 300.0})
    client.cancel(started.run_id)
    assert client.wait(started.run_id, timeout_seconds=60).state == "cancelled"
    assert client.cancel(started.run_id).state == "cancelled"


def test_a_window_of_ones_own_is_scored(client: Client) -> None:
    """What the body did is counted, and its energy is known soon after."""
    with client.window(model="mine", workload="my-set", label="first") as window:
        work()
        window.record(inferences=60, correct=40)
        window.record(inferences=40, correct=40)
    (score,) = [s for s in window.score() if s.formula == "accuracy^2/energy"]
    assert (score.model, score.accuracy) == ("mine", 0.8)
    assert score.joules_per_inference is not None
    (item,) = client.windows(run_id=window.run_id)
    assert (item.state, item.clock, item.inferences, item.correct) == ("closed", "host", 100, 80)
    assert item.joules == pytest.approx(100 * score.joules_per_inference)


def test_an_exception_of_the_body_goes_its_way(client: Client) -> None:
    """The window is closed all the same."""
    window = client.window(model="mine", workload="my-set")
    with pytest.raises(ZeroDivisionError), window:
        raise ZeroDivisionError
    assert [item.state for item in client.windows(run_id=window.run_id)] == ["closed"]


def test_telemetry_never_harms_the_body(caplog: pytest.LogCaptureFixture) -> None:
    """Without a runner the body runs, the log says why nothing was measured, the score too."""
    with caplog.at_level(logging.WARNING), Client("http://127.0.0.1:9") as client:
        with client.window(model="m", workload="w") as window:
            window.record(inferences=1)
        with pytest.raises(ClientError, match="not measured"):
            window.score()
    assert "no runner answers at http://127.0.0.1:9" in window.failure
    assert window.failure in caplog.text
    assert "wattmark serve" in caplog.text


def test_a_whole_window_is_marked_as_the_clients(client: Client, service: Any) -> None:
    """Times of one's own: measured, and marked."""
    start = time.time_ns()
    work(1.0)
    end = time.time_ns()
    item = client.post_window(
        start_ns=start, end_ns=end, model="posted", workload="my-set", inferences=10, correct=9
    )
    assert item.clock == "client"
    assert item.warnings
    assert client.wait(item.run_id, timeout_seconds=60).state == "done"


def test_a_window_is_withdrawn_by_who_made_it(client: Client) -> None:
    """Under the name that it was made with; a window of one's own knows it."""
    with client.window(model="mine", workload="withdrawn", owner="ann") as window:
        pass
    with pytest.raises(ClientError, match="ann, who made the window") as caught:
        client.withdraw_window(window.window_id, "bob")
    assert caught.value.status == 409
    window.withdraw()
    assert client.window_item(window.window_id).state == "withdrawn"
    assert client.run(window.run_id).state == "cancelled"
    with pytest.raises(ClientError, match="no window 'nope'"):
        client.withdraw_window("nope")


@pytest.mark.parametrize("counts", [{"inferences": 2**53}, {"inferences": 1, "correct": 2}])
def test_counts_that_cannot_be_are_left_out(client: Client, counts: dict[str, int]) -> None:
    """The body goes on, the window is closed without them, and says so; one that is posted whole is
    refused."""
    with client.window(model="mine", workload="counts") as window:
        window.record(**counts)
    assert "closed without its counts" in window.failure
    item = client.window_item(window.window_id)
    assert (item.state, item.inferences, item.correct) == ("closed", None, None)
    end = time.time_ns()
    with pytest.raises(ClientError, match="is more than"):
        client.post_window(
            start_ns=end - 3 * 10**9, end_ns=end, model="m", workload="counts", **counts
        )


def test_errors_name_the_field(client: Client, service: Any) -> None:
    """One line, the status, and which field is to blame."""
    with pytest.raises(ClientError, match="has no model 'nope'") as caught:
        client.start_run("quick", "nope")
    assert caught.value.status == 422
    assert [error.field for error in caught.value.errors] == ["model"]
    with pytest.raises(ClientError, match="no run 'nope'") as caught:
        client.run("nope")
    assert caught.value.status == 404


def test_it_follows_through_a_restart(make_rooms: Callable[[], Any]) -> None:
    """A runner that is killed and started again is followed on, without a lost or double event."""
    rooms = make_rooms()
    listen = rooms.url.removeprefix("http://")
    heard: list[Event] = []

    def restart() -> None:
        rooms.end("wattmark_runner", kill=True)
        rooms.start_runner(listen=listen)

    with Client(rooms.url) as client:
        first = client.start_run(**{**rooms.quick, "idle_before_seconds": 300.0})
        second = client.start_run(**rooms.quick)
        while client.run(first.run_id).state != "running":
            time.sleep(0.1)
        thread = threading.Thread(target=restart)
        thread.start()
        ended = client.wait(second.run_id, heard.append, timeout_seconds=120)
        thread.join()
        assert ended.state == "done"
        interrupted = client.run(first.run_id)
    assert interrupted.state == "interrupted"
    assert "start the run again" in interrupted.reason
    ids = [event.id for event in heard]
    assert ids == sorted(set(ids))


def test_a_newer_runner_is_understood() -> None:
    """Fields that this client does not know are left out."""
    body = {
        "run_id": "r", "state": "queued", "reason": "", "source": "runner", "workload": "w",
        "model": "m", "host": "", "created_at": "2026-01-31T12:00:00.5Z", "colour": "green",
    }  # fmt: skip
    assert parse(Run, body).created_at.microsecond == 500_000


def test_the_key_comes_from_a_file(tmp_path: Any) -> None:
    """A line of the runner's own key file will do."""
    (tmp_path / "key").write_text("run 0123456789abcdef\n")
    assert key_of(str(tmp_path / "key")) == "0123456789abcdef"
    (tmp_path / "key").write_text(
        "# ours\nread fedcba9876543210 bob\nrun 0123456789abcdef alice\n#\n"
    )
    assert key_of(str(tmp_path / "key")) == "0123456789abcdef"
    with pytest.raises(ClientError, match="nowhere"):
        key_of(str(tmp_path / "nowhere"))


def test_off_loopback_it_takes_a_key_and_tls(
    make_rooms: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runner on all addresses, with certificates of `wattmark tls init`: a client with key and
    CA is served, one without either is not."""
    rooms = make_rooms()
    rooms.end("wattmark_runner")
    folder = rooms.data / "tls"
    command = [sys.executable, "-m", "wattmark_cli", "tls", "init", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    keys = rooms.data / "keys"
    keys.write_text("run a-key-of-the-tests\n")
    keys.chmod(0o600)
    url = rooms.start_runner(
        "--key-file", str(keys), "--tls-cert", str(folder / "runner.pem"),
        "--tls-key", str(folder / "runner.key"), listen="0.0.0.0:0",
    )  # fmt: skip
    assert url.startswith("https://")
    url = f"https://localhost:{url.rpartition(':')[2]}"
    monkeypatch.setenv("WATTMARK_KEY_FILE", str(keys))
    with Client(url, ca=folder / "ca.pem") as client:
        assert [workload["name"] for workload in client.workloads()] == ["quick", "digits"]
        with client.window(model="m", workload="w") as window:
            pass
        assert window.failure == ""
    with Client(url) as client, pytest.raises(ClientError, match="CERTIFICATE_VERIFY_FAILED"):
        client.workloads()
    monkeypatch.delenv("WATTMARK_KEY_FILE")
    with (
        Client(url, ca=folder / "ca.pem") as client,
        pytest.raises(ClientError, match="key") as caught,
    ):
        client.workloads()
    assert caught.value.status == 401


@pytest.mark.parametrize(
    ("state", "final"),
    [("queued", False), ("running", False), ("scoring", False), ("done", True), ("failed", True),
     ("cancelled", True), ("interrupted", True)],
)  # fmt: skip
def test_a_runner_that_does_not_say_which_states_are_final_is_understood(
    state: str, final: bool
) -> None:
    """As earlier ones do not; what a newer one says of a state of its own is believed."""
    assert is_final(state, None) is final
    assert is_final("paused", True)
    assert not is_final("paused", None)
