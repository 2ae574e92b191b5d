"""Grafana's own library in node: what a panel shows of InfluxDB's answers."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

FOLDER: Final = Path(__file__).parent / "node"
RELEASE: Final = "WATTMARK_GRAFANA_DATA"
"""Names a folder in which another release of ``@grafana/data`` is installed."""

Json = dict[str, Any]


class LibraryMissing(Exception):
    """Node or the library is not installed; the message says what to do."""


class LibraryError(Exception):
    """Grafana's library refused something; the message is its own."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where a value leads."""

    title: str
    href: str


@dataclass(frozen=True, slots=True)
class Field:
    """One column, as it is shown. ``title``: its head; ``texts`` and ``colors``: of each value.

    ``nulls``: rows in which the value is JavaScript's null, where others that are missing are
    undefined: an xychart draws those at 0.
    """

    name: str
    title: str
    type: str
    labels: Mapping[str, str]
    config: Mapping[str, Any]
    custom: Mapping[str, Any]
    values: Sequence[Any]
    texts: Sequence[str]
    colors: Sequence[str]
    color: str
    links: Sequence[Sequence[Link]]
    calcs: Mapping[str, str]
    nulls: Sequence[int] = ()

    @property
    def hidden(self) -> bool:
        """Whether a table leaves it out."""
        return bool(self.custom.get("hidden"))


@dataclass(frozen=True, slots=True)
class DataFrame:
    """A table, or a series: fields of the same length."""

    name: str
    ref: str
    length: int
    fields: Sequence[Field]

    @property
    def columns(self) -> list[Field]:
        """The fields that a table shows."""
        return [field for field in self.fields if not field.hidden]

    @property
    def heads(self) -> list[str]:
        """What the columns are called."""
        return [field.title for field in self.columns]

    def rows(self) -> list[dict[str, str]]:
        """The texts of each row by its columns' heads."""
        return [{field.title: field.texts[n] for field in self.columns} for n in range(self.length)]


@dataclass(frozen=True, slots=True)
class Number:
    """One of the numbers of a stat or a gauge. ``percent``: where it lies between min and max."""

    title: str
    text: str
    color: str
    numeric: float | None
    percent: float | None
    sparkline: Sequence[float | None]
    links: Sequence[Link]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a panel shows. ``error``: why it shows nothing."""

    frames: Sequence[DataFrame]
    numbers: Sequence[Number] = ()
    error: str = ""

    @property
    def rows(self) -> list[dict[str, str]]:
        """The texts of a table's first frame, the one it shows; none without frames."""
        return self.frames[0].rows() if self.frames else []

    @property
    def heads(self) -> list[str]:
        """What the columns of a table are called."""
        return self.frames[0].heads if self.frames else []


@dataclass(frozen=True, slots=True)
class Variable:
    """What is chosen. ``every``: the value that stands for all of them, as it is in a query."""

    values: Sequence[str]
    several: bool = False
    every: str = ""

    def json(self) -> Json:
        """As the library's process reads it."""
        made: Json = {"values": list(self.values), "several": self.several}
        return {**made, "all": self.every} if self.every else made


@dataclass(frozen=True, slots=True)
class Span:
    """The time shown, in ms since 1970."""

    start_ms: int
    end_ms: int

    def json(self) -> Json:
        """As the library's process reads it."""
        return {"from": self.start_ms, "to": self.end_ms}


@dataclass(frozen=True, slots=True)
class Question:
    """A panel's JSON with what InfluxDB answered to each of its targets, in their order:
    one entry of ``results``, with times in ms. ``span``: the time shown, if not the library's."""

    panel: Json
    answers: Sequence[Mapping[str, Any]]
    variables: Mapping[str, Variable] = field(default_factory=dict)
    span: Span | None = None


class Library:
    """The library in a process of its own, for as long as the context lasts."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        node = shutil.which("node")
        if node is None:
            raise LibraryMissing("node is not installed: apt install nodejs npm")
        release = Path(os.environ.get(RELEASE, FOLDER))
        if not (release / "node_modules/@grafana/data").is_dir():
            raise LibraryMissing(f"@grafana/data is not installed: npm ci --prefix {release}")
        self._process = subprocess.Popen(
            [node, "serve.cjs"], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, encoding="utf-8", env={**os.environ, RELEASE: str(release.resolve())},
        )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if self._process is not None:
            with suppress(BrokenPipeError):
                self._process.communicate(timeout=30)

    def shown(self, questions: Iterable[Question]) -> list[Shown]:
        """What each panel shows."""
        panels = [
            {"panel": question.panel, "answers": list(question.answers),
             "range": (question.span or self.span).json(),
             "variables": _variables(question.variables)}
            for question in questions
        ]  # fmt: skip
        return [_shown(answer) for answer in self._ask("shown", panels=panels)]

    def texts(self, config: Mapping[str, Any], values: Sequence[float], decimals: int) -> list[str]:
        """Numbers as an axis has them. ``decimals``: of the step between them, 0 for whole ones."""
        return [
            str(text)
            for text in self._ask(
                "texts", config=dict(config), values=list(values), decimals=decimals or None
            )
        ]

    def filled(
        self, texts: Sequence[str], variables: Mapping[str, Variable], *, queries: bool = False,
        span: Span | None = None,
    ) -> list[str]:  # fmt: skip
        """Texts with their variables filled in; ``queries``: as the InfluxDB source does it."""
        answer = self._ask(
            "fill", texts=list(texts), variables=_variables(variables), inQueries=queries,
            range=(span or self.span).json(),
        )  # fmt: skip
        return [str(text) for text in answer]

    def html(self, markdown: str) -> str:
        """Markdown as a text panel has it."""
        return str(self._ask("markdown", text=markdown))

    def interval(self, span: Span, points: int, least: str) -> tuple[str, int]:
        """The time between points of which ``points`` fit into a span, as in ``10s``, and in ms."""
        answer = self._ask("interval", range=span.json(), points=points, least=least)
        return answer["text"], answer["ms"]

    def spanned(self, start: str, end: str) -> Span:
        """Times as in ``now-6h`` and ``now/d``; days begin in UTC."""
        answer = self._ask("span", **{"from": start, "to": end})
        return Span(answer["from"], answer["to"])

    def transformations(self) -> list[str]:
        """Names of the transformations that this release has in its library."""
        return [str(name) for name in self._ask("transformations")]

    def _ask(self, operation: str, **request: Any) -> Any:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise LibraryError("the library is not started: use it in a with statement")
        try:
            process.stdin.write(json.dumps({"op": operation, **request}) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            line = ""
        else:
            line = process.stdout.readline()
        if not line:
            raise LibraryError(f"node ended with status {process.wait(30)}: see its words above")
        reply = json.loads(line)
        if "error" in reply:
            raise LibraryError(reply["error"])
        return reply["answer"]


def shown(panel: Json, answers: Sequence[Mapping[str, Any]], span: Span, **chosen: str) -> Shown:
    """What one panel shows of its targets' answers, the named variables at these values.

    Raises ``LibraryMissing``, and ``LibraryError`` where Grafana would show an error.
    """
    variables = {name: Variable((value,)) for name, value in chosen.items()}
    with Library(span) as library:
        shown = library.shown([Question(panel, answers, variables)])[0]
    if shown.error:
        raise LibraryError(shown.error)
    return shown


def _variables(variables: Mapping[str, Variable]) -> Json:
    return {name: variable.json() for name, variable in variables.items()}


def _shown(answer: Json) -> Shown:
    frames = [
        DataFrame(
            frame["name"], frame["refId"], frame["length"], [_field(one) for one in frame["fields"]]
        )
        for frame in answer["frames"]
    ]
    numbers = [_number(value) for value in answer["values"]]
    return Shown(frames, numbers, answer.get("error", ""))


def _field(answer: Json) -> Field:
    links = [_links(links) for links in answer["links"]]
    return Field(
        answer["name"] or "", answer["title"] or "", answer["type"], answer["labels"],
        answer["config"], answer["custom"], answer["values"], answer["texts"], answer["colors"],
        answer["color"], links, answer["calcs"], answer["nulls"],
    )  # fmt: skip


def _number(answer: Json) -> Number:
    return Number(
        answer["title"], answer["text"], answer["color"], answer["numeric"], answer["percent"],
        answer["sparkline"], _links(answer["links"]),
    )  # fmt: skip


def _links(links: Sequence[Mapping[str, str]]) -> list[Link]:
    return [Link(link["title"], link["href"]) for link in links]
