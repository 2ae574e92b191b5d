"""Which tests run beside others, in several processes, and which have the machine for themselves.

``--alone=without`` leaves out what is marked ``alone``: tests that compare what they measure with
what they did, and would see other tests' work. ``--alone=only`` runs just those.
"""

from typing import Any, Final

import pytest

FIRST: Final = (
    "tests/stack", "tests/packaging/test_rooms.py", "tests/runner/worker/test_keras_runs.py",
    "tests/runner/worker/test_keras_architectures.py", "tests/cli/test_fit.py",
    "tests/packaging/test_readme_curl.py", "tests/runner/worker/test_keras",
    "tests/runner/workloads/test_keras", "tests/runner/service",
    "tests/cli", "tests/runner",
)  # fmt: skip
"""What takes longest begins first, so that no process is left with it at the end."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """See the module."""
    parser.addoption("--alone", choices=("only", "without"), help="see tests/side_by_side.py")


@pytest.hookimpl(optionalhook=True)  # xdist's, which the tests of a room alone do without
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file's tests, and all of the stack's, share one process and so what they start."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file: str = nodeid.partition("::")[0]
            return "stack" if file.startswith("tests/stack/") else file

    return ByGroup(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take what was asked for; side by side, the longest first."""
    alone = config.getoption("--alone")
    if alone is not None:
        taken = [
            it for it in items if (it.get_closest_marker("alone") is None) == (alone != "only")
        ]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(taken)])
        items[:] = taken
    if alone == "without":
        items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    return next((n for n, path in enumerate(FIRST) if item.nodeid.startswith(path)), len(FIRST))
