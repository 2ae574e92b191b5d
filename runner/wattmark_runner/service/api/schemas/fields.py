"""What the fields of requests may hold."""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from wattmark_core.printable import unprintable

LAST_NS: Final = 2**63 - 1
COUNT: Final = 2**53
"""The largest count that every JSON reader keeps exact."""


def _printable(text: str) -> str:
    """Names stand in records, logs, terminals and tables of others."""
    if character := unprintable(text):
        raise ValueError(f"holds {character}, which cannot be printed")
    return text


Printable = Annotated[str, AfterValidator(_printable)]
Name = Annotated[Printable, Field(min_length=1, max_length=200)]
NameOrNone = Annotated[Printable, Field(max_length=200, description="empty: it has none")]
Owner = Annotated[Printable, Field(max_length=100, description="who asks for it; free text")]
Labels = Annotated[
    dict[
        Annotated[Printable, Field(min_length=1, max_length=64)],
        Annotated[Printable, Field(max_length=256)],
    ],
    Field(max_length=32, description="names and values of your own, to find runs by"),
]
Text = Annotated[Printable, Field(max_length=500)]
Gpu = Annotated[
    Printable, Field(max_length=100, description="UUID of the GPU to count; empty: none")
]
Nanoseconds = Annotated[int, Field(ge=0, le=LAST_NS, description="Unix ns")]
Count = Annotated[int, Field(ge=0, le=COUNT)]
Seconds = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]


class Body(BaseModel):
    """A request's body: unknown fields are errors, and nothing is converted silently."""

    model_config = ConfigDict(extra="forbid", strict=True)
