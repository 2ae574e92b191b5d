"""A page of Prometheus text as values: what cannot be read is left out, the rest is taken."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from wattmark_collector.left_out import MOST_NAMES, LeftOut
from wattmark_collector.page_line import BadLine, LineReader, MetricValue, name_of
from wattmark_core.errors import ExporterError
from wattmark_core.printable import quoted

EOF: Final = "# EOF"
OPEN_METRICS: Final = "application/openmetrics-text"
ENDING_CHARACTERS: Final = 200
MOST_LINES: Final = 200_000
"""Of a page; what follows is left out."""
SHOWN_CHARACTERS: Final = 80
_MARKUP: Final = re.compile(r"\s*(<(?:!doctype|html|\?xml))", re.IGNORECASE)
Bad = tuple[int, str, str]
"""A line that cannot be read: its number, its text, why."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a target answered. ``whole``: its end is known to be the page's. Text that ends with
    ``# EOF`` is OpenMetrics, whatever its content type says."""

    text: str
    content_type: str = ""
    whole: bool = True

    @property
    def ends(self) -> bool:
        """Whether it says itself that it is complete."""
        return self.text[-ENDING_CHARACTERS:].rstrip().endswith(f"\n{EOF}")

    @property
    def open_metrics(self) -> bool:
        """Whether time stamps are s, not ms."""
        return self.content_type.startswith(OPEN_METRICS) or self.ends


class PageReader:
    """Reads one target's pages, one after the other."""

    def __init__(self, url: str, left_out: LeftOut) -> None:
        self._url = url
        self._left_out = left_out
        self._lines = LineReader()

    def read(self, page: Page) -> Iterator[MetricValue]:
        """The values. Raises ``ExporterError`` where there are lines and none can be read."""
        markup = _MARKUP.match(page.text)
        if markup is not None:
            number = page.text.count("\n", 0, markup.start(1)) + 1
            line = page.text[markup.start(1) :][:SHOWN_CHARACTERS]
            raise self._not_a_page(number, line.partition("\n")[0], "is HTML or XML")
        taken, bad, first = 0, list[Bad](), None
        open_metrics = page.open_metrics
        for number, line, is_cut in _numbered(page):
            if number > MOST_LINES:
                self._left_out.add("lines", f"a page of over {MOST_LINES} lines: its rest is left"
                                   " out; choose what it shows")  # fmt: skip
                break
            try:
                if is_cut:
                    raise BadLine("ends without a line feed, where the connection ended,")
                value = self._lines.read(line, open_metrics=open_metrics)
            except BadLine as error:
                bad.append((number, line, str(error)))
                first = first or bad[0]
            else:
                taken += 1
                yield value
            if bad and (taken or len(bad) > MOST_NAMES):
                self._leave_out(bad)
        if first is not None and not taken:
            self._left_out.count += len(bad)
            raise self._not_a_page(*first)
        if page.content_type.startswith(OPEN_METRICS) and not page.ends:
            self._left_out.add(EOF, f"its page has no {EOF} at its end, so a part of it is missing",
                               0)  # fmt: skip

    def _leave_out(self, bad: list[Bad]) -> None:
        for number, line, reason in bad:
            self._left_out.add(
                f"line {name_of(line)} {reason}",
                f"line {number}, {quoted(line, SHOWN_CHARACTERS)}, {reason} and is left out; the"
                " rest is taken",
            )
        bad.clear()

    def _not_a_page(self, number: int, line: str, reason: str) -> ExporterError:
        return ExporterError(
            f"{self._url} does not answer in Prometheus's text format (line {number},"
            f" {quoted(line, SHOWN_CHARACTERS)}, {reason}); check metrics_path"
        )


def _numbered(page: Page) -> Iterator[tuple[int, str, bool]]:
    """Lines that are neither empty nor comments, each with its number, and whether it may be cut
    off. One at a time: a page of empty lines takes no memory."""
    text, start, number = page.text, 0, 0
    while start < len(text):
        number += 1
        end = text.find("\n", start)
        cut, end = end < 0, len(text) if end < 0 else end
        line = text[start:end].strip(" \t\r")
        start = end + 1
        if line and not line.startswith("#"):
            yield number, line, cut and not page.whole
