"""Windows that share time with work: what each cost alone is not known."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from wattmark_core.results import Phase, Window
from wattmark_store import Store

WORK: Final = frozenset({Phase.INFERENCE, Phase.TRAINING})


def shares_time(one: Window, other: Window) -> bool:
    """Have two windows more than an instant in common?"""
    return min(one.end_ns, other.end_ns) > max(one.start_ns, other.start_ns)


def put_marked(window: Window, store: Store, still_open: Sequence[Window] = ()) -> Window:
    """Write a closed window as ``marked`` returns it; those in the store that share its time are
    marked, too. So of two nested ones both are. Raises ``StoreError``."""
    others = _around(window, store)
    if window.phase in WORK:
        for other in others:
            if not other.overlapping:
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
        mark = _shares_with_work(window, (own if window.window_id not in own else held | own))
        if window.window_id in own:
            before = held.get(window.window_id, window)
            store.put_window(
                replace(window, overlapping=window.overlapping or before.overlapping or mark)
            )
        elif mark and not window.overlapping:
            store.put_window(replace(window, overlapping=True))


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


def _marked(window: Window, others: Sequence[Window], still_open: Sequence[Window]) -> Window:
    opened = [
        other
        for other in still_open
        if other.host == window.host
        and other.window_id != window.window_id
        and other.start_ns < window.end_ns
    ]
    shared = any(other.phase in WORK for other in (*others, *opened))
    return replace(window, overlapping=window.overlapping or shared)


def _shares_with_work(window: Window, others: Mapping[str, Window]) -> bool:
    return any(
        other.phase in WORK and other.window_id != window.window_id and shares_time(window, other)
        for other in others.values()
    )
