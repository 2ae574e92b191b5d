"""What the page takes from Python: colours, how charts look, labels, states of a run."""

import json
from typing import Final

from fastapi import APIRouter, Response

from wattmark_core import labels
from wattmark_runner.records.model import RunState
from wattmark_runner.views.charts import style_sheet

router = APIRouter(include_in_schema=False)


def labels_script() -> str:
    """An ES module: ``STATES`` of a run, and ``BOUNDARIES`` with what each counts."""
    constants: Final = {
        "STATES": list(RunState),
        "BOUNDARIES": [[name, counts] for name, counts in labels.BOUNDARIES.items()],
    }
    return "".join(
        f"export const {name} = {json.dumps(value)};\n" for name, value in constants.items()
    )


@router.get("/static/drawing.css")
def drawing() -> Response:
    """Colours and how charts look: the style sheet that reports embed, too."""
    return Response(style_sheet(), media_type="text/css")


@router.get("/static/labels.js")
def page_labels() -> Response:
    """Imported by the page's modules."""
    return Response(labels_script(), media_type="text/javascript")
