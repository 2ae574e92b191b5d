"""What this host can run and measure, over REST."""

from typing import Annotated

from fastapi import APIRouter, Depends

from wattmark_runner.service.api.schemas.host import (
    EnergyItem,
    ParameterItem,
    SensorItem,
    Sensors,
    WorkloadItem,
    Workloads,
)
from wattmark_runner.service.services import Services, services
from wattmark_runner.views.advice import about_sources
from wattmark_runner.windows.exporter_link import read_host
from wattmark_scoring.boundary import pin_sources

router = APIRouter(tags=["scores"])
Service = Annotated[Services, Depends(services)]


@router.get("/workloads", tags=["host"])
def list_workloads(service: Service) -> Workloads:
    """What may be run here, with the parameters that each takes."""
    config = service.context.config
    items = [
        WorkloadItem(
            name=workload.name, meaning=workload.meaning, models=list(workload.models),
            parameters=[
                ParameterItem(
                    name=each.name, type=each.type, default=each.default, minimum=each.minimum,
                    maximum=each.maximum, choices=list(each.choices), meaning=each.meaning,
                )
                for each in workload.parameters
            ],
        )
        for workload in config.workloads
    ]  # fmt: skip
    return Workloads(workloads=items, formulas=dict(config.formulas))


@router.get("/sensors", tags=["host"])
def list_sensors(service: Service) -> Sensors:
    """What this host can measure, and why not more."""
    report = read_host(service.context.exporter_url)
    chosen = pin_sources(report.energy)
    return Sensors(
        host=report.host,
        exporter=str(service.context.exporter_url),
        sensors=[
            SensorItem(name=each.name, state=str(each.state), found=each.found,
                       reason=each.reason, remedy=each.remedy)
            for each in report.sensors
        ],
        energy=[
            EnergyItem(domain=each.domain, device=each.device, source=each.source,
                       method=each.method, chosen=each in chosen)
            for each in report.energy
        ],
        advice=list(about_sources(report)),
    )  # fmt: skip
