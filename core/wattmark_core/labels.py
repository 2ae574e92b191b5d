"""What people read in place of the names that programs use, on every surface."""

from collections.abc import Mapping
from typing import Final

from wattmark_core.catalogue import Domain, Method
from wattmark_core.results import (
    ACCURACY_PER_PARAMETER,
    ENERGY_SCORE,
    NETSCORE,
    Boundary,
    Phase,
    Verdict,
)  # fmt: skip

ESTIMATED: Final = "ESTIMATED"
DOMAINS: Final[Mapping[Domain, str]] = {
    Domain.GPU: "GPU",
    Domain.PACKAGE: "CPU package",
    Domain.DRAM: "memory",
    Domain.PSYS: "whole platform",
}
"""Domains that are drawn: core and uncore lie inside the package and are not."""
PHASES: Final[Mapping[Phase, str]] = {
    Phase.IDLE: "idle",
    Phase.WARMUP: "warm-up",
    Phase.GUARD: "guard",
    Phase.INFERENCE: "inference",
    Phase.TRAINING: "training",
}
WHOLE_CPU: Final = "cpu"
"""Device of a counter for all CPUs of a machine."""
MEASURED_PHASES: Final = frozenset({Phase.INFERENCE, Phase.TRAINING})
"""Phases whose windows are numbered and cost something."""
BOUNDARIES: Final[Mapping[Boundary, str]] = {
    Boundary.CPU: "CPU and memory",
    Boundary.GPU: "GPU",
    Boundary.HOST: "CPU, memory, GPU",
}
"""What a boundary counts."""
METHODS: Final[Mapping[Method, str]] = {
    Method.COUNTER: "measured",
    Method.INTEGRATED: "measured (summed power)",
    Method.ESTIMATED: ESTIMATED,
}
MARKS: Final[Mapping[Verdict, str]] = {
    Verdict.VALID: "✓", Verdict.WARNED: "!", Verdict.INVALID: "✗",
}  # fmt: skip
VERDICTS: Final[Mapping[Verdict, str]] = {
    verdict: f"{mark} {verdict}" for verdict, mark in MARKS.items()
}
FORMULAS: Final[Mapping[str, str]] = {
    ENERGY_SCORE: "accuracy² / energy",
    ACCURACY_PER_PARAMETER: "accuracy / parameters",
    NETSCORE: "NetScore",
}


def formula(name: str) -> str:
    """Of a score; the owner's own formulas are called by their names."""
    return FORMULAS.get(name, name)


def method(kind: Method | None) -> str:
    """How energy was found; empty for a score that rests on none."""
    return METHODS[kind] if kind else ""


def counter(domain: Domain, device: str, kind: Method | None = None) -> str:
    """An energy counter: ``CPU package socket0``; an estimate says so where its ``kind`` is given.
    The one CPU of a machine without sockets is not named twice: ``CPU package``."""
    name = DOMAINS.get(domain, str(domain))
    if device != WHOLE_CPU:
        name = f"{name} {device}"
    return f"{name} ≈ {ESTIMATED}" if kind is Method.ESTIMATED else name


def window(phase: Phase, repeat: int) -> str:
    """A window; those that are measured are numbered from 1: ``inference 3``."""
    return f"{PHASES[phase]} {repeat + 1}" if phase in MEASURED_PHASES else PHASES[phase]


def comparison(workload: str, boundary: Boundary, *, estimated: bool, host: str = "") -> str:
    """Title of what may be compared: boundary and method are part of it, and of estimates the
    host."""
    energy = f"{ESTIMATED} energy, relative only" if estimated else "measured energy"
    return f"{workload} · boundary {boundary} · {energy}{f' · {host}' if host else ''}"
