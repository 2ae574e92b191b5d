"""``wattmark fit`` from end to end, on small windows."""

import csv
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.machine import verdict_of_the_rest
from wattmark_cli.fit import share_baselines
from wattmark_core.errors import StoreError
from wattmark_core.results import Phase, Window
from wattmark_runner.records.database import RunDatabase
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_store import open_store

Wattmark = Callable[..., subprocess.CompletedProcess[str]]
QUICK = (
    "fit", "--workload", "digits", "--models", "mlp-small,cnn-small", "--repeats", "3",
    "--seconds", "1", "--idle-seconds", "2", "--between-seconds", "1",
)  # fmt: skip


@pytest.mark.slow
def test_a_fit_ranks_and_saves_what_it_measured(wattmark: Wattmark, tmp_path: Path) -> None:
    """It says that energy is estimated and what to do, ranks, writes three files; twice the same
    accuracies."""
    env = {"WATTMARK_CACHE": str(tmp_path / "cache"), "COLUMNS": "100"}
    (tmp_path / "no-sensor").mkdir()
    sysfs = ("--sysfs", str(tmp_path / "no-sensor"))
    first = wattmark(*QUICK, *sysfs, env=env)
    assert first.returncode in {0, 1}, first.stderr  # 1: the machine did too much else
    assert "ESTIMATED" in first.stderr
    assert "To measure:" in first.stderr
    assert "left" in first.stderr
    assert "boundary cpu · ESTIMATED energy, relative only" in first.stdout
    for name in ("report", "results", "scores"):
        line = next(line_of for line_of in first.stdout.splitlines() if line_of.startswith(name))
        assert (tmp_path / line.split()[1]).stat().st_size > 500
    second = wattmark(*QUICK, *sysfs, "--json", env=env)
    document = json.loads(second.stdout)
    (group,) = document["groups"]
    assert second.returncode == (not group["ranked"]), second.stderr
    assert group["estimated"] is True
    scores = {score["model"]: score for score in (*group["ranked"], *group["unranked"])}
    assert set(scores) == {"mlp-small", "cnn-small"}
    for score in scores.values():
        assert verdict_of_the_rest(score) == "warned"
        assert 0 < score["low"] < score["value"] < score["high"]
        assert score["value"] == pytest.approx(
            score["accuracy"] ** 2 / (score["joules_per_inference"] / 3.6)
        )
    saved = sorted((tmp_path / "wattmark-data" / "runs").glob("fit-*/scores.csv"))
    runs = [accuracies(path) for path in saved]
    assert len(runs) == 2
    assert runs[0] == runs[1]


def test_interrupted_it_keeps_what_was_measured(tmp_path: Path) -> None:
    """SIGTERM (as Ctrl-C) in the second network's run: the first one's results are saved, and no
    process stays."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wattmark_cli", *QUICK],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "2/2 loading" in line:
            break
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.endswith("wattmark: interrupted; what was measured until then is kept\n")
    (saved,) = (tmp_path / "wattmark-data" / "runs").glob("fit-*/scores.csv")
    assert list(accuracies(saved)) == ["mlp-small"]
    assert (saved.parent / "report.html").exists()
    assert not (tmp_path / "wattmark-data" / "store.sqlite-wal").exists()  # closed in order


def test_a_store_that_fails_when_baselines_are_shared_gets_the_results_later(
    tmp_path: Path,
) -> None:
    """The database knows of which run it may lack some, and keeps what was scored before; of the
    others it lacks nothing."""
    start, records = 1_700_000_000_000_000_000, []
    for number in range(2):
        idle, work = (
            Window(f"{number}-{phase}", "h", phase, start + begin, start + begin + 10**9,
                   run_id=f"run-{number}", inferences=10 if phase is Phase.INFERENCE else None)
            for phase, begin in ((Phase.IDLE, 10**10 * number), (Phase.INFERENCE, 10**11))
        )  # fmt: skip
        records.append(RunRecord(
            f"run-{number}", RunRequest("digits", "cnn-small"), RunState.DONE, "h", "boot",
            "instance", 0, start, windows=[idle, work],
        ))  # fmt: skip
    with closing(RunDatabase(tmp_path / "runner.sqlite")) as database:
        for record in records:
            database.save(record)
        before = database.load("run-0")
        store = open_store(f"sqlite:///{tmp_path / 'store.sqlite'}")
        store.close()
        with pytest.raises(StoreError):
            share_baselines(records, store, database)
        assert database.unpublished() == ["run-0"]
        assert database.load("run-0").windows == before.windows
        with closing(open_store(f"sqlite:///{tmp_path / 'store.sqlite'}")) as store:
            share_baselines(records, store, database)
        assert database.unpublished() == []
        assert [w.window_id for w in database.load("run-1").windows] == [
            "0-idle", "1-idle", "1-inference"
        ]  # fmt: skip


def accuracies(path: Path) -> dict[str, str]:
    """Accuracy by model from a saved table."""
    with path.open(newline="") as stream:
        return {row["model"]: row["accuracy"] for row in csv.DictReader(stream)}


def test_records_of_another_version_are_refused_before_anything_is_measured(
    wattmark: Wattmark, tmp_path: Path
) -> None:
    """One line at once, and the file is left as it is."""
    data = tmp_path / "wattmark-data"
    data.mkdir()
    with closing(sqlite3.connect(data / "runner.sqlite")) as connection:
        connection.execute("CREATE TABLE runs (run_id TEXT)")
        connection.commit()
    done = wattmark("fit", "--workload", "digits", "--models", "mlp-small", "--idle-seconds", "60")
    assert done.returncode == 1
    assert "made by another version" in done.stderr
    assert "idle baseline" not in done.stderr


def test_weights_that_cannot_be_had_are_refused_before_anything_is_measured(
    wattmark: Wattmark, tmp_path: Path
) -> None:
    """Of any of the networks: a cache folder holds those of the first, and nothing answers where
    the others would come from."""
    cache = tmp_path / "keras/models"
    cache.mkdir(parents=True)
    (cache / "mobilenet_1_0_224_tf.h5").touch()
    nobody = dict.fromkeys(("https_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")
    done = wattmark(
        "fit", "--workload", "keras:synthetic", "--models", "MobileNet,VGG16",
        env={**nobody, "no_proxy": "", "NO_PROXY": "", "KERAS_HOME": str(cache.parent)},
    )  # fmt: skip
    assert done.returncode not in {0, None}
    assert "the weights of VGG16 are not in Keras's cache" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "wattmark-data").exists()
