"""What the input pipeline does with JPEGs, beside a plain loop of Pillow: does it keep up?

The images are noise with the size, the smoothness and the bytes of ImageNet's.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
from PIL import Image  # type: ignore[import-not-found, unused-ignore]  # comes with an extra

from benchmarks.report import Goal, Row, Section
from wattmark_runner.worker.datasets import ImageFrame, Pixels
from wattmark_runner.worker.datasets.arrays import CROP
from wattmark_runner.worker.datasets.folders import read
from wattmark_runner.worker.datasets.pipeline import ImageSource, Pipeline

FILES: Final = 64
SIZE: Final = (500, 375)
"""Width and height, about the mean of ILSVRC2012."""
PIXELS: Final = 224
BATCH: Final = 32
TURN_SECONDS: Final = 2.0
SETTLE_SECONDS: Final = 0.5
READY: Final = 4
"""Batches, at most, that a pipeline has ready."""
PLAIN: Final = "plain loop of Pillow"
ONE: Final = "pipeline, 1 thread"


def measure(rounds: int) -> Section:
    """``rounds`` turns of each, interleaved; the median."""
    cpus = len(os.sched_getaffinity(0))
    many = f"pipeline, {cpus} threads"
    with tempfile.TemporaryDirectory(prefix="wattmark-bench-") as folder:
        files = _files(Path(folder))
        steps: dict[str, Callable[[], int]] = {
            PLAIN: lambda: _plain(files), ONE: _stepper(folder, 1), many: _stepper(folder, cpus),
        }  # fmt: skip
        taken: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(rounds):
            for name, step in steps.items():
                taken[name].append(_rate(step))
    rates = {name: median(values) for name, values in taken.items()}
    rows = [Row(name, "images/s", rate, ratio=rate / rates[PLAIN]) for name, rate in rates.items()]
    rows += [
        Row(f"{ONE} ÷ {PLAIN}", "", rates[ONE] / rates[PLAIN], Goal(0.9, least=True)),
        Row(f"{cpus} threads ÷ 1 thread", "", rates[many] / rates[ONE],
            Goal(0.8 * cpus, least=True)),
    ]  # fmt: skip
    note = (
        f"Median of {rounds} turns of {TURN_SECONDS:g} s, interleaved. JPEGs of {SIZE[0]} ×"
        f" {SIZE[1]} to {PIXELS} × {PIXELS}, batches of {BATCH}, from the page cache."
    )
    return Section("Images for a network", rows, ratio_of=PLAIN, note=note)


def _files(folder: Path) -> list[Path]:
    generator = np.random.default_rng(1)
    paths = []
    for number in range(FILES):
        coarse = generator.integers(0, 256, (24, 32, 3), np.uint8)
        smooth = np.asarray(Image.fromarray(coarse).resize(SIZE, Image.Resampling.BICUBIC))
        grain = generator.normal(0.0, 12.0, smooth.shape)
        path = folder / str(number % 2) / f"{number}.jpg"
        path.parent.mkdir(exist_ok=True)
        shades = np.clip(smooth + grain, 0, 255).astype(np.uint8)
        Image.fromarray(shades).save(path, quality=90)
        paths.append(path)
    return paths


def _rate(step: Callable[[], int]) -> float:
    """Images a second, of those that were not ready before."""
    time.sleep(SETTLE_SECONDS)  # the pipeline before fills up
    for _ in range(READY):
        step()
    images, start = 0, time.perf_counter()
    while (seconds := time.perf_counter() - start) < TURN_SECONDS:
        images += step()
    return images / seconds


def _plain(files: list[Path]) -> int:
    """A batch, as short as it can be written."""
    batch = np.empty((BATCH, PIXELS, PIXELS, 3), np.float32)
    for place, path in enumerate(files[:BATCH]):
        with Image.open(path) as image:
            width, height = image.size
            side = CROP * min(width, height)
            left, top = (width - side) / 2, (height - side) / 2
            box = (left, top, left + side, top + side)
            resized = image.resize((PIXELS, PIXELS), Image.Resampling.BICUBIC, box)
        batch[place] = np.asarray(resized)
        batch[place] = _prepared(batch[place])
    return BATCH


def _prepared(image: Pixels) -> Pixels:
    return (image - np.float32(127.0)) / np.float32(128.0)


def _stepper(folder: str, threads: int) -> Callable[[], int]:
    """Gives a batch."""
    images = read(folder, "")
    source = ImageSource(
        images, images.count, ImageFrame(PIXELS), _prepared, BATCH, allow_broken=False
    )
    pipeline = Pipeline(source, threads)
    return lambda: len(pipeline.next().pixels)
