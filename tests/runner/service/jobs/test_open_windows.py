"""The register of open windows, and its deadlines."""

import time

from wattmark_core.results import Phase, Window
from wattmark_runner.records.database import WindowRow
from wattmark_runner.service.jobs.open_windows import OpenedWindow, OpenWindows
from wattmark_runner.windows.exporter_link import WindowEdge


def opened(name: str, run_id: str, seconds: float) -> OpenedWindow:
    """A window that is overdue in ``seconds`` s."""
    window = Window(name, "lab7", Phase.INFERENCE, 5, 5, run_id=run_id)
    return OpenedWindow(WindowRow(window), WindowEdge(5), time.monotonic() + seconds, 0)


def test_the_next_deadline_is_that_of_the_first_to_be_overdue() -> None:
    """None while no window is open: nobody needs to wake then."""
    register = OpenWindows()
    assert register.next_deadline() is None
    soon, late = opened("soon", "a", -1.0), opened("late", "b", 60.0)
    register.add(late)
    register.add(soon)
    assert register.next_deadline() == soon.deadline
    assert register.overdue() == [soon]
    assert register.of_run("b") == [late]


def test_a_window_is_removed_once() -> None:
    """Of two who close it, one gets it."""
    register = OpenWindows()
    one = opened("one", "a", 60.0)
    register.add(one)
    assert register.windows() == [one.window]
    assert register.remove("one") is one
    assert register.remove("one") is None
    assert register.windows() == []
