"""Samples that the store will never take: counted and kept in a file, while the rest goes on."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from wattmark_core.errors import SamplesRefused, StoreError, StoreUnavailable, WattmarkError
from wattmark_core.printable import printable
from wattmark_core.sample import AnySample
from wattmark_core.series_lines import LineWriter
from wattmark_store.storable import refusal

log = logging.getLogger(__name__)
FILES: Final = ("refused-new.lp", "refused-old.lp")
MOST_BYTES: Final = 4 << 20
"""Of each file; what is older goes."""
MOST_TRIES: Final = 200
"""Writes spent on taking a batch apart beyond its kinds; what is undecided then counts as refused,
though InfluxDB, which takes the good lines of a bad write, may have some of it."""
MOST_NAMES: Final = 1000
Kind = tuple[str, tuple[tuple[str, bool], ...]]
"""Measurement, and each field with whether it is an integer: what a conflict of types is about."""
Write = Callable[[list[AnySample]], None]


class Refused:
    """Keeps what was refused in ``folder``; ``count`` since the start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines = LineWriter()
        self._all_bad: set[Kind] = set()
        self._logged: set[str] = set()
        self.count = 0

    def sort_out(self, samples: Iterable[AnySample], write: Write) -> int:
        """Write what the store takes of a batch that it refused; how many it did not take.

        Nothing is counted before all are decided: ``StoreUnavailable`` goes on to the caller,
        who tries the whole batch again.
        """
        refused: list[tuple[list[AnySample], StoreError]] = []
        tries = iter(range(MOST_TRIES))
        for kind, group in _by_kind(samples).items():
            error = _refusal(group, write)
            if error is None:
                self._all_bad.discard(kind)
            else:
                if isinstance(error, SamplesRefused):
                    bad = list(error.samples)
                else:
                    bad = group if kind in self._all_bad else _halve(group, write, tries)
                if len(bad) == len(group) and len(self._all_bad) < MOST_NAMES:
                    self._all_bad.add(kind)
                refused.append((bad, error))
        for bad, error in refused:
            self._keep(list(self._lines.lines(bad)), bad[0].measurement, error)
        return sum(len(bad) for bad, _ in refused)

    def never(self, samples: Sequence[AnySample]) -> None:
        """Samples that cannot even be written into the spool."""
        lines = [printable(line) for line in self._lines.lines(samples)]
        self._keep(lines, samples[0].measurement, refusal("the spool", samples))

    def unreadable(self, line: str, error: WattmarkError) -> None:
        """A line that is no sample."""
        self._keep([line], "", error)

    def _keep(self, lines: list[str], measurement: str, error: WattmarkError) -> None:
        self.count += len(lines)
        new, old = (self._folder / name for name in FILES)
        try:
            with new.open("a", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines)
                size = file.tell()
            if size > MOST_BYTES:
                new.replace(old)
        except OSError as problem:
            log.warning("%s cannot be written: %s", new, problem.strerror)
        if measurement not in self._logged and len(self._logged) < MOST_NAMES:
            self._logged.add(measurement)
            log.error("%s; samples of %r that the store will never take are kept in %s, the rest"
                      " goes on", error, measurement, new)  # fmt: skip


def _by_kind(samples: Iterable[AnySample]) -> dict[Kind, list[AnySample]]:
    groups: dict[Kind, list[AnySample]] = {}
    for sample in samples:
        fields = tuple(sorted((name, isinstance(v, int)) for name, v in sample.fields.items()))
        groups.setdefault((sample.measurement, fields), []).append(sample)
    return groups


def _refusal(samples: list[AnySample], write: Write) -> StoreError | None:
    """Why the store never takes them; None if it did. Raises ``StoreUnavailable``."""
    try:
        write(samples)
    except StoreUnavailable:
        raise
    except StoreError as error:
        return error
    return None


def _halve(group: list[AnySample], write: Write, tries: Iterator[int]) -> list[AnySample]:
    """Those of a refused group that are refused alone."""
    bad: list[AnySample] = []
    parts = [group]
    while parts:
        part = parts.pop()
        if len(part) == 1 or next(tries, None) is None:
            bad.extend(part)
            continue
        half = len(part) // 2
        parts.extend(
            side for side in (part[half:], part[:half]) if _refusal(side, write) is not None
        )
    return bad
