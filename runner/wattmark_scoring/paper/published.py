"""What the paper prints, and the sizes of its networks."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from wattmark_scoring.paper.printed import Printed


@dataclass(frozen=True, slots=True)
class Host:
    """A machine of the paper. ``boundary``: what its energy counts; two that differ cannot be
    compared."""

    key: str
    name: str
    boundary: str


HOSTS: Final = (
    Host("a100", "NVIDIA A100", "gpu"),
    Host("quadro", "NVIDIA Quadro", "gpu"),
    Host("bixeon", "two Intel Xeon", "cpu"),
    Host("i7", "Intel i7", "cpu"),
)
"""The first is the baseline of the ratios. GPU rows count the board alone, CPU rows RAPL alone."""


@dataclass(frozen=True, slots=True)
class PaperNetwork:
    """One of the eight networks: ``columns`` of the tables as printed, and its size."""

    model: str
    columns: dict[str, Printed]
    keras_name: str
    parameters_millions: Printed
    macs_billions: Printed
    input_pixels: int

    def __getitem__(self, column: str) -> Printed:
        return self.columns[column]


@cache
def networks() -> tuple[PaperNetwork, ...]:
    """The eight, in the order of the tables."""
    sizes = {row["model"]: row for row in _rows("sizes.csv")}
    described = []
    for row in _rows("published.csv"):
        size = sizes[row["model"]]
        columns = {name: Printed(text) for name, text in row.items() if name != "model"}
        described.append(PaperNetwork(
            row["model"], columns, size["keras_name"], Printed(size["params_m_docs"]),
            Printed(size["macs_g_docs"]), int(size["input_px"]),
        ))  # fmt: skip
    return tuple(described)


def _rows(name: str) -> list[dict[str, str]]:
    text = (files(__package__) / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


MODELS: Final = networks()
