"""What the host can run and measure, over the wire."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from wattmark_core.catalogue import Domain, Method
from wattmark_runner.service.api import examples


class ParameterItem(BaseModel):
    """A parameter that a workload declares."""

    name: str
    type: str = Field(description="integer, number, string or boolean")
    default: Any
    minimum: float | None
    maximum: float | None
    choices: list[Any]
    meaning: str


class WorkloadItem(BaseModel):
    """Something that may be run."""

    name: str
    meaning: str
    models: list[str]
    parameters: list[ParameterItem]


class Workloads(BaseModel):
    """What may be run, and the scores beside the built-in ones."""

    model_config = ConfigDict(json_schema_extra=examples.shown(examples.WORKLOADS))

    workloads: list[WorkloadItem]
    formulas: dict[str, str]


class SensorItem(BaseModel):
    """A sensor of the host."""

    name: str
    state: str
    found: bool
    reason: str
    remedy: str


class EnergyItem(BaseModel):
    """An energy counter; ``chosen``: it counts."""

    domain: Domain
    device: str
    source: str
    method: Method
    chosen: bool


class Sensors(BaseModel):
    """What the exporter of this host measures, and why not more."""

    model_config = ConfigDict(json_schema_extra=examples.shown(examples.SENSORS))

    host: str
    exporter: str
    sensors: list[SensorItem]
    energy: list[EnergyItem]
    advice: list[str]
