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
from wattmark_runner.windows.measured_host import measured_host
from wattmark_scoring.boundary import pin_sources

router = APIRouter(tags=["scores"])
Service = Annotated[Services, Depends(services)]


@router.get("/workloads", tags=["host"])
def list_workloads(service: Service) -> Workloads:
    """What may be run here, with the parameters that one takes."""
    config = service.context.config
    items = [
        WorkloadItem(
            name=workload.name, meaning=workload.meaning, models=list(workload.models),
            parameters=[
                ParameterItem(
                    name=one.name, type=one.type, default=one.default, minimum=one.minimum,
                    maximum=one.maximum, choices=list(one.choices), meaning=one.meaning,
                )
                for one in workload.parameters
            ],
        )
        for workload in config.workloads
    ]  # fmt: skip
    return Workloads(workloads=items, formulas=dict(config.formulas))


@router.get("/sensors", tags=["host"])
def list_sensors(service: Service) -> Sensors:
    """What this host can measure, and why not more."""
    report = measured_host(service.context.exporter_url, service.context.store)
    chosen = pin_sources(report.energy)
    return Sensors(
        host=report.host,
        exporter=str(service.context.exporter_url),
        sensors=[
            SensorItem(name=one.name, state=str(one.state), found=one.found,
                       reason=one.reason, remedy=one.remedy)
            for one in report.sensors
        ],
        energy=[
            EnergyItem(domain=one.domain, device=one.device, source=one.source,
                       method=one.method, chosen=one in chosen)
            for one in report.energy
        ],
        advice=list(about_sources(report)),
    )  # fmt: skip
