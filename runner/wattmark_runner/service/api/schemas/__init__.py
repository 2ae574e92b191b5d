"""What goes over the wire, beside the dataclasses of ``wattmark_core.results``; a module each."""

from typing import Any, Final

from pydantic import BaseModel

from wattmark_runner.service.api.schemas import host, runs, scores, windows

MODULES: Final = (runs, windows, scores, host)


def model_of(name: str) -> type[BaseModel]:
    """The model of that name, as the OpenAPI document calls it."""
    model: type[BaseModel] = next(vars(module)[name] for module in MODULES if name in vars(module))
    return model


def examples_of(name: str) -> Any:
    """The examples of the model of that name."""
    extra: Any = model_of(name).model_config["json_schema_extra"]
    return extra["examples"]
