"""What answers look like: shown in the OpenAPI document, and checked against it by a test."""

from typing import Any, Final

RUN_ID: Final = "20260131-120000-cnn-small-a1b2c3"
CHECK: Final[dict[str, Any]] = {
    "name": "gap", "verdict": "valid", "value": 0.101, "limit": 0.3, "unit": "s",
    "message": "largest gap between samples of CPU package socket0",
}  # fmt: skip
SCORE: Final[dict[str, Any]] = {
    "run_id": RUN_ID, "host": "lab7", "model": "cnn-small", "workload": "fashion-mnist",
    "boundary": "cpu", "formula": "accuracy^2/energy", "time_ns": 1769860800000000000,
    "method": "counter", "verdict": "valid", "value": 4812.3, "low": 4790.1, "high": 4834.7,
    "population_low": 4713.0, "population_high": 4913.6, "accuracy": 0.8679,
    "joules_per_inference": 0.000563, "joules_per_inference_low": 0.00056,
    "joules_per_inference_high": 0.000566, "watts": 61.2, "inferences_per_second": 108700.0,
    "cpu_seconds_per_inference": 5.9e-05, "net_joules_per_inference": 0.000377,
    "parameters": 20490, "macs": 1007616, "checks": [CHECK], "settings": "batch_size=64",
    "gpu": "", "test_images": 10000, "cpu_utilization_ratio": 0.97, "memory_used_bytes": 6.1e9,
    "gpu_utilization_ratio": None, "gpu_memory_used_bytes": None,
}  # fmt: skip
SCORE_TEXTS: Final[dict[str, Any]] = {
    "formula": "accuracy² / energy", "score": "4.81 ± 0.02 k/mWh",
    "for_other_images": "4.81 ± 0.10 k/mWh", "energy": "563 ± 3 µJ",
    "energy_above_idle": "377 µJ", "accuracy": "86.8 ± 0.7 %", "power": "61.2 W",
    "speed": "109 k/s", "cpu_time": "59.0 µs", "network": "cnn-small batch_size=64",
    "place": "lab7", "counts": "CPU and memory", "method": "measured", "verdict": "✓ valid",
    "reasons": "", "findings": "every check passed",
}  # fmt: skip
RUN: Final[dict[str, Any]] = {
    "run_id": RUN_ID, "state": "done", "reason": "", "source": "runner",
    "workload": "fashion-mnist", "model": "cnn-small", "parameters": {"batch_size": 32},
    "owner": "", "labels": {"project": "thesis"}, "host": "lab7",
    "created_at": "2026-01-31T11:59:58Z", "started_at": "2026-01-31T12:00:00Z",
    "ended_at": "2026-01-31T12:01:52Z", "queue_position": None, "progress": None, "score": SCORE,
    "score_texts": SCORE_TEXTS, "final": True, "requested_by": "alice", "cancelled_by": "",
}  # fmt: skip
WINDOW: Final[dict[str, Any]] = {
    "window_id": "5f0c1b7e9d6a4f3f8b2e1c0d9a8b7c6d", "run_id": RUN_ID, "state": "closed",
    "clock": "host", "host": "lab7", "phase": "inference", "model": "my-network",
    "workload": "my-test-set", "label": "batch 64", "start_ns": 1769860800000000000,
    "end_ns": 1769860812500000000, "max_seconds": 3600.0, "inferences": 10000, "correct": 8712,
    "cpu_seconds": 24.8, "joules": 765.1, "joules_low": 763.9, "joules_high": 766.3,
    "boundary": "cpu", "method": "counter", "complete": True, "overlapping": False,
    "warnings": [], "requested_by": "alice", "closed_by": "alice",
}  # fmt: skip
GROUP: Final[dict[str, Any]] = {
    "workload": "fashion-mnist", "boundary": "cpu", "formula": "accuracy^2/energy",
    "estimated": False, "ranked": [SCORE], "unranked": [], "host": "",
}  # fmt: skip
SHOWN_SCORE: Final[dict[str, Any]] = {
    "run_id": RUN_ID, "model": "cnn-small", "settings": "batch_size=64", "rank": 1,
    "verdict": "valid", "texts": SCORE_TEXTS,
}  # fmt: skip
SHOWN_GROUP: Final[dict[str, Any]] = {
    "title": "fashion-mnist · boundary cpu · measured energy", "formula": "accuracy² / energy",
    "scores": [SHOWN_SCORE], "picture": "",
}  # fmt: skip
SHOWN_RUN: Final[dict[str, Any]] = {
    "scores": [SHOWN_SCORE | {"rank": None}],
    "checks": [
        {"verdict": "valid", "texts": {
            "question": "Is the sensor good enough?", "name": "gaps between samples",
            "verdict": "✓ valid", "found": "101 ms", "allowed": "at most 0.3 s",
            "meaning": "The largest gap between samples of CPU package socket0 was 101 ms; allowed"
                       " 0.3 s."}}
    ],
    "windows": [
        {"start_ms": 1769860800000.0, "texts": {
            "name": "inference 1", "length": "12.5 s", "energy": "765.1 ± 1.2 J",
            "power": "61.2 W", "inferences": "10 000", "correct": "8 712",
            "method": "measured", "notes": ""}}
    ],
    "facts": [["run", RUN_ID]], "environment": [["kernel", "6.1"]],
}  # fmt: skip
TABLE: Final[dict[str, Any]] = {
    "name": "3", "title": "Table III: fashion-mnist · boundary cpu · measured energy",
    "columns": [
        {"name": "model", "heading": "model", "unit": ""},
        {"name": "host", "heading": "host", "unit": ""},
        {"name": "joules", "heading": "energy per inference", "unit": "J"},
        {"name": "energy_ratio", "heading": "÷ baseline", "unit": ""},
        {"name": "verdict", "heading": "verdict", "unit": ""},
    ],
    "rows": [["cnn-small", "lab7", 0.000563, 1.0, "valid"]],
    "notes": [],
}  # fmt: skip
WORKLOADS: Final[dict[str, Any]] = {
    "workloads": [
        {
            "name": "digits", "meaning": "360 labelled test images of handwritten digits, 8 × 8",
            "models": ["mlp-small", "cnn-small"],
            "parameters": [
                {"name": "batch_size", "type": "integer", "default": 32, "minimum": 1.0,
                 "maximum": 65536.0, "choices": [], "meaning": "images in a batch"}
            ],
        }
    ],
    "formulas": {"accuracy-per-joule": "accuracy / energy_joules_per_inference"},
}  # fmt: skip
SENSORS: Final[dict[str, Any]] = {
    "host": "lab7", "exporter": "http://127.0.0.1:9109",
    "sensors": [
        {"name": "rapl", "state": "ok", "found": True, "reason": "", "remedy": ""},
        {"name": "nvml", "state": "absent", "found": False, "reason": "no NVIDIA driver",
         "remedy": "install the NVIDIA driver if there is a GPU"},
    ],
    "energy": [
        {"domain": "package", "device": "socket0", "source": "rapl", "method": "counter",
         "chosen": True}
    ],
    "advice": ["CPU package socket0: counter from rapl"],
}  # fmt: skip
POWER: Final[dict[str, Any]] = {
    "curves": [
        {"name": "package socket0 (counter)", "label": "CPU package socket0",
         "domain": "package", "device": "socket0", "source": "rapl", "method": "counter",
         "points": [[1769860800000.0, 61.0], None, [1769860800200.0, 61.4]]}
    ],
    "windows": [
        {"phase": "inference", "repeat": 0, "start_ms": 1769860800000.0,
         "end_ms": 1769860812500.0}
    ],
    "picture": "<figure>…</figure>",
}  # fmt: skip


DETAIL: Final[dict[str, Any]] = {
    **RUN,
    "record": {
        "run_id": RUN_ID, "state": "done", "host": "lab7", "boot_id": "9b1c…", "offset_ns": 0,
        "exporter_instance": "4f2a", "started_ns": 1769860800000000000,
        "request": {"workload": "fashion-mnist", "model": "cnn-small"}, "scores": [SCORE],
        "checks": [CHECK],
    },
    "shown": SHOWN_RUN,
}  # fmt: skip


def shown(example: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """For ``ConfigDict(json_schema_extra=…)``."""
    return {"examples": [{**(example or {}), **fields}]}
