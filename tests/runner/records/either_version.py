"""A program of either version, 9ca66c9 or today: fills a file of runs and asks for tables of it.

``fill FILE RUNS MODELS SEED`` writes runs, the same for the same seed. Those of seed 0 are plain:
each on the CPU of the same host, at its defaults, measured and valid.
``ask FILE PATH…`` prints the body of each answer, as JSON.
``time FILE TIMES PATH…`` prints, as JSON, for each path the median of the CPU seconds that an
answer took once the file was open, and at last the peak of memory, MiB.
"""

import importlib
import json
import random
import resource
import statistics
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from fastapi import FastAPI

from wattmark_core.catalogue import Method
from wattmark_core.results import Boundary, Check, Phase, Score, Verdict, Window

CHECKS: Final = 21
"""As many as a run of ours has."""

WINDOWS: Final = 8
WINDOW: Final = Window("", "lab1", Phase.INFERENCE, 1, 2, joules=1.0, joules_low=0.9)
EDGE: Final[dict[str, object]] = {
    "tags": {"domain": "package", "device": "socket0", "source": "rapl", "method": "counter"},
    "times_ns": [10**18 + n for n in range(4)],
    "fields": {name: [1 / 3] * 4 for name in ("joules", "epoch", "uncertainty_seconds")},
}


def module(new: str, old: str) -> Any:
    """Today's, else that of 9ca66c9."""
    try:
        return importlib.import_module(f"wattmark_runner.{new}")
    except ModuleNotFoundError:
        return importlib.import_module(f"wattmark_runner.{old}")


MODEL = module("records.model", "records")


def database_class() -> Any:
    """What opens a file of runs."""
    database = module("records.database", "ledger")
    return getattr(database, "RunDatabase", None) or database.Ledger


class First(random.Random):
    """Chooses what is listed first: the plain one."""

    def choice(self, options: Any) -> Any:
        """The first."""
        return options[0]


def fill(path: str, runs: int, models: int, seed: int) -> None:
    """Runs of every kind: GPUs, settings, hosts, boundaries, estimates, invalid ones, gaps."""
    chance = random.Random(seed) if seed else First(seed)  # noqa: S311 - no secret
    database = database_class()(Path(path))
    for number in range(runs):
        database.save(run(chance, number, models))
    database.close()


def run(chance: random.Random, number: int, models: int) -> Any:
    """One run."""
    model, host = f"model-{chance.randrange(models)}", chance.choice(["lab1", "lab2"])
    gpu = chance.choice(["", "", f"GPU-{chance.randrange(2)}1111111-aaaa-bbbb"])
    settings = chance.choice(["", "", "backend=torch"])
    workload = chance.choice(["digits", "digits", "fashion-mnist é|%"])
    accuracy = chance.choice([chance.random(), chance.random(), chance.random(), None])
    boundaries = [Boundary.GPU, Boundary.HOST] if gpu else [Boundary.CPU]
    usage: dict[str, Any] = {
        "cpu_utilization_ratio": chance.random(),
        "memory_used_bytes": 1e9 * chance.random(),
    }
    usage = chance.choice([usage, {}, usage | {"gpu_utilization_ratio": 1.0}])
    images = chance.choice([360, 10_000, None])
    scores: list[Score] = []
    for boundary in boundaries:
        joules = chance.choice([*(10.0 ** chance.uniform(-6, 2) for _ in range(5)), None])
        # Not warned: those stand behind older valid ones since 9ca66c9.
        verdict = chance.choice([Verdict.VALID, Verdict.VALID, Verdict.VALID, Verdict.INVALID])
        method = chance.choice([Method.COUNTER, Method.COUNTER, Method.ESTIMATED, None])
        value = None if joules is None or accuracy is None else accuracy**2 / joules
        checks = tuple(
            Check(f"check {n}", verdict, chance.random(), None, "s", "“message” \\ of it")
            for n in range(CHECKS)
        )
        energy = Score(
            f"run-{number}", host, model, workload, boundary, "accuracy^2/energy", number * 10**9,
            method, verdict, value,
            None if value is None else value / 2, None if value is None else value * 3,
            accuracy=accuracy, joules_per_inference=joules,
            joules_per_inference_low=None if joules is None else joules / 3,
            joules_per_inference_high=None if joules is None else joules * 3,
            watts=chance.choice([100 * chance.random(), None]),
            inferences_per_second=chance.choice([1e5 * chance.random(), None]),
            parameters=chance.choice([20_490, None]), macs=chance.choice([10**12, None]),
            checks=checks, settings=settings, gpu=gpu, test_images=images, **usage,
        )  # fmt: skip
        scores.append(energy)
        for formula in chance.sample(["netscore", "accuracy/parameters", "of mine"], k=2):
            other = chance.choice([1e-7 * chance.random(), float(chance.randrange(-5, 5)), None])
            size = formula != "of mine"
            scores.append(Score(
                f"run-{number}", host, model, workload, boundary, formula, number * 10**9,
                None if size else method, Verdict.VALID if size else verdict, other, other, other,
                settings=settings, gpu=gpu, test_images=images, **usage,
            ))  # fmt: skip
    return MODEL.RunRecord(
        f"run-{number}", MODEL.RunRequest(workload, model, gpu=gpu), MODEL.RunState.DONE, host,
        "boot", "instance", 0, number * 10**9, scores=tuple(scores), test_images=images,
        usage=usage, accuracy=accuracy,
        windows=[replace(WINDOW, window_id=f"{number}-{n}") for n in range(WINDOWS)],
        edges={f"{number}-{n}": [EDGE, EDGE] for n in range(WINDOWS)},
    )  # fmt: skip


def service(path: str) -> Any:
    """A client of the calls for scores, ranking and tables over the runs of a file."""
    warnings.simplefilter("ignore")  # Starlette's of its client
    client = importlib.import_module("starlette.testclient")
    app = FastAPI()
    for name in ("scores", "tables"):
        app.include_router(module(f"service.api.{name}", f"service.{name}_api").router)
    module("service.api.problems", "service.problems").install(app)
    database = database_class()(Path(path))
    context = SimpleNamespace(database=database, ledger=database)
    app.state.parts = app.state.services = SimpleNamespace(context=context, site=context)
    return client.TestClient(app)


def ask(path: str, calls: list[str]) -> None:
    """Prints the answers."""
    with service(path) as client:
        json.dump([client.get(call).text for call in calls], sys.stdout)


def take_time(path: str, times: int, calls: list[str]) -> None:
    """Prints what they took."""
    taken: dict[str, float] = {}
    with service(path) as client:
        client.get("/tables/1?workload=nobody ran this")
        for call in calls:
            seconds = []
            for _ in range(times):
                start = time.process_time()
                client.get(call).raise_for_status()
                seconds.append(time.process_time() - start)
            taken[call] = statistics.median(seconds)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    json.dump([*taken.values(), memory], sys.stdout)


def main(what: str, path: str, *more: str) -> None:
    """See above."""
    if what == "fill":
        runs, models, seed = map(int, more)
        fill(path, runs, models, seed)
    elif what == "ask":
        ask(path, list(more))
    else:
        take_time(path, int(more[0]), list(more[1:]))


if __name__ == "__main__":
    main(*sys.argv[1:])
