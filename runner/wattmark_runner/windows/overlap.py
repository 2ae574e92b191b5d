"""Windows that share time with work: what each cost alone is not known.

Times that a client gave cannot be checked, so that a window with its client's own times and one
that was stamped here mark each other with nothing: both are warned, by ``claims``, when they are
scored. Between two of the same kind a mark is kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from wattmark_core.results import Phase, Window
from wattmark_store import Store

WORK: Final = frozenset({Phase.INFERENCE, Phase.TRAINING})
CLIENT: Final = "client"
"""``Window.clock`` of a window with its client's own times."""
Whose: TypeAlias = Callable[[Window], str]


def whose_run(window: Window) -> str:
    """Whom a window is of, for people who see no more of it than the store has."""
    run = f"of run {window.run_id}" if window.run_id else "of a program without a run"
    return f"{run} ({window.model})" if window.model else run


def shares_time(one: Window, other: Window) -> bool:
    """Have two windows more than an instant in common?"""
    return min(one.end_ns, other.end_ns) > max(one.start_ns, other.start_ns)


def disturbs(other: Window, window: Window) -> bool:
    """Does work in ``other``, which shares the time of ``window``, make that invalid?"""
    return other.phase in WORK and (other.clock == CLIENT) is (window.clock == CLIENT)


def put_marked(window: Window, store: Store, still_open: Sequence[Window] = ()) -> Window:
    """Write a closed window as ``marked`` returns it; those in the store that share its time are
    marked, too. So of two nested ones both are. Raises ``StoreError``."""
    others = _around(window, store)
    for other in others:
        if disturbs(window, other) and not other.overlapping:
            store.put_window(replace(other, overlapping=True))
    written = _marked(window, others, still_open)
    store.put_window(written)
    return written


def marked(
    windows: Sequence[Window], store: Store, still_open: Sequence[Window] = ()
) -> list[Window]:
    """Windows of one run, each marked if another one of its host, with inference or training in it,
    shares its time. ``still_open``: windows of other programs that are not in the store before they
    close. Writes nothing. Raises ``StoreError``."""
    return [
        _marked(window, [*_around(window, store), *_sharing(window, windows)], still_open)
        for window in windows
    ]


def claims(
    window: Window, store: Store, still_open: Sequence[Window] = (), whose: Whose = whose_run
) -> dict[str, str]:
    """By their ids, the windows with work that are said to share the time of ``window``: its times
    or theirs are a client's. Each in words, ``whose`` it is among them. Raises ``StoreError``."""
    others = [*_around(window, store), *_opened(window, still_open)]
    return {
        other.window_id: _in_words(other, whose(other))
        for other in others
        if other.phase in WORK and not disturbs(other, window)
    }


def unmarked(window: Window, store: Store, still_open: Sequence[Window] = ()) -> Window:
    """A marked window without its mark, unless one that is in the store yet deserves it. Raises
    ``StoreError``."""
    return _marked(replace(window, overlapping=False), _around(window, store), still_open)


def withdrawn(window: Window) -> Window:
    """What stays in a store of a window that was withdrawn: an instant without work."""
    return Window(
        window.window_id, window.host, Phase.GUARD, window.start_ns, window.start_ns,
        run_id=window.run_id, label="withdrawn", clock=window.clock,
    )  # fmt: skip


def put_again(windows: Sequence[Window], store: Store) -> None:
    """Write closed windows of one host, which may have been written before: marks that the store
    has stay, and what shares their time is marked, as by ``put_marked``. Raises ``StoreError``."""
    if not windows:
        return
    start_ns = min(window.start_ns for window in windows)
    end_ns = max(window.end_ns for window in windows)
    around = store.windows(start_ns=start_ns, end_ns=end_ns, host=windows[0].host)
    held = {window.window_id: window for window in around}
    own = {window.window_id: window for window in windows}
    for window in {**held, **own}.values():
        mark = _is_disturbed(window, (own if window.window_id not in own else held | own))
        if window.window_id in own:
            before = held.get(window.window_id, window)
            store.put_window(
                replace(window, overlapping=window.overlapping or before.overlapping or mark)
            )
        elif mark and not window.overlapping:
            store.put_window(replace(window, overlapping=True))


def _in_words(window: Window, whose: str) -> str:
    times = "its client's own times" if window.clock == CLIENT else "times of this host's clock"
    label = f" '{window.label}'" if window.label else ""
    return f"window {window.window_id}{label} {whose}, with {times}"


def _around(window: Window, store: Store) -> list[Window]:
    """Others in the store that share its time."""
    return _sharing(
        window, store.windows(start_ns=window.start_ns, end_ns=window.end_ns, host=window.host)
    )


def _sharing(window: Window, others: Sequence[Window]) -> list[Window]:
    return [
        other
        for other in others
        if other.window_id != window.window_id and shares_time(window, other)
    ]


def _opened(window: Window, still_open: Sequence[Window]) -> list[Window]:
    return [
        other
        for other in still_open
        if other.host == window.host
        and other.window_id != window.window_id
        and other.start_ns < window.end_ns
    ]


def _marked(window: Window, others: Sequence[Window], still_open: Sequence[Window]) -> Window:
    disturbing = (*others, *_opened(window, still_open))
    shared = any(disturbs(other, window) for other in disturbing)
    return replace(window, overlapping=window.overlapping or shared)


def _is_disturbed(window: Window, others: Mapping[str, Window]) -> bool:
    return any(
        disturbs(other, window)
        and other.window_id != window.window_id
        and shares_time(window, other)
        for other in others.values()
    )
