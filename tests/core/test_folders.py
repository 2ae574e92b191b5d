"""The folder of a service's data is its owner's alone."""

import logging
import stat
from pathlib import Path

import pytest

from wattmark_core.folders import make_private


def mode_of(path: Path) -> int:
    """Its permissions."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_is_private(tmp_path: Path) -> None:
    """And so with folders above it that were not there; twice is as once."""
    for _ in range(2):
        make_private(tmp_path / "a/data")
        assert mode_of(tmp_path / "a/data") == 0o700


@pytest.mark.parametrize("name", ["", "runner.sqlite", "store.sqlite", "runner.lock"])
def test_one_that_others_can_enter_is_closed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """If nothing is in it, or data of ours; the log says so."""
    caplog.set_level(logging.INFO)
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    data.chmod(0o755)
    if name:
        (data / name).touch()
    make_private(data)
    assert mode_of(data) == 0o700
    assert "could be read by others" in caplog.text


@pytest.mark.parametrize("mode", [0o755, 0o1777])
def test_a_folder_that_is_used_for_other_things_is_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    """The log says what to do; /tmp must not be closed to others."""
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(mode)
    (data / ("thesis.tex" if mode == 0o755 else "runner.sqlite")).touch()
    make_private(data)
    assert mode_of(data) == mode
    assert f"others can read data folder {data}; chmod 700 {data}" in caplog.messages


def test_a_file_in_its_place_is_an_error(tmp_path: Path) -> None:
    """As ``mkdir`` says it."""
    (tmp_path / "data").touch()
    with pytest.raises(FileExistsError):
        make_private(tmp_path / "data")
