"""Damage to ``workloads.toml``: one line of an error, or all other tables as they were."""

import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.runner.workloads.test_workloads_config import SORTING
from wattmark_core.errors import ConfigurationError
from wattmark_runner.workloads import RunnerConfig
from wattmark_runner.workloads.reading import load_config

OTHERS = """\
[workloads.small]
builtin = "digits"
models = ["mlp-small"]
"""
IMAGES = """\
[workloads.mine]
keras = "folders"
path = "PATH"
[workloads.mine.weights]
VGG16 = "FILE"
"""


def refused(path: Path) -> str:
    """The message of the error that a file is."""
    with pytest.raises(ConfigurationError) as caught:
        load_config(path)
    assert str(caught.value).isprintable()
    assert str(caught.value).startswith(str(path))
    return str(caught.value)


def read_or_refused(path: Path) -> RunnerConfig | str:
    """What a file names, or the message of its error."""
    try:
        return load_config(path)
    except ConfigurationError as error:
        return str(error)


@settings(max_examples=300, deadline=None)
@given(line=st.integers(0, 100), with_=st.one_of(st.binary(max_size=30), st.text(max_size=30)))
@example(line=2, with_="x = " + "[" * 5000)
@example(line=2, with_="x = " + "9" * 5000)
@example(line=2, with_=b'meaning = "caf\xe9"')
@example(line=2, with_='meaning = "\\u001b[31m"')
def test_damage_to_a_line_is_told_or_touches_no_other_table(
    line: int, with_: bytes | str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A line of one table is replaced: the file is refused in one line that can be printed, or the
    table after it is what it was. Never another error."""
    path = tmp_path_factory.mktemp("config") / "workloads.toml"
    lines = SORTING.encode().splitlines()
    text = with_ if isinstance(with_, bytes) else with_.encode("utf-8", "surrogatepass")
    lines[line % len(lines)] = text.replace(b"\n", b" ").replace(b"\r", b" ")
    path.write_bytes(b"\n".join(lines) + b"\n" + OTHERS.encode())
    found = read_or_refused(path)
    if isinstance(found, str):
        assert found.isprintable()
        assert str(path) in found
    else:
        path.write_text(OTHERS)
        assert found.find("small") == load_config(path).find("small")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"[workloads.x]\n\nmeaning = 'caf\xe9'", "line 3 holds byte 0xe9, which is not UTF-8"),
        (b"x = " + b"[" * 5000, "lie too deep"),
        (b"x = " + b"9" * 5000, "is not TOML: Exceeds the limit"),
        (b"[workloads.x]\nmeaning = 'a\x00'", "is not TOML"),
        (b'[workloads.x]\ncommand = ["a"]\nmodels = ["\\u202e"]', r"'\u202e' holds U+202E, which"),
        (b'[workloads.x]\ncommand = ["a"]\nmodels = ["m"]\nmeaning = "\\u001b[1m"',
         r"x.meaning: '\x1b[1m' holds U+001B, which cannot be printed"),
        (b'[workloads.x]\ncommand = ["a"]\nmodels = ["m"]\n[workloads.x.parameters.p]\n'
         b'type = "string"\ndefault = "a"\nchoices = ["a", "\\u0007"]',
         "choices: '\\x07' holds U+0007"),
        (b'[workloads.x]\ncommand = ["a"]\nmodels = ["m"]\n[workloads.x.parameters.p]\n'
         b'type = "string"\ndefault = "a"\nmeaning = "\\u2028"', "meaning: '\\u2028' holds U+2028"),
        (b'[workloads."\\u001b"]\ncommand = ["a"]', r"workloads.\x1b: names are letters"),
        (b'[workloads.x]\nbuiltin = "digits"\n[scores]\n"\\u202e" = "accuracy"', "holds U+202E"),
        (b'[workloads.x]\n"\\u001b" = 1\nbuiltin = "digits"', r"x.\x1b: unknown key"),
    ],
)  # fmt: skip
def test_names_and_texts_that_cannot_be_printed_are_refused(
    tmp_path: Path, text: bytes, says: str
) -> None:
    """They stand in records, terminals and pages; where in the file is told."""
    path = tmp_path / "workloads.toml"
    path.write_bytes(text)
    assert says in refused(path)


def test_images_and_weights_that_are_no_files_are_refused_at_once(tmp_path: Path) -> None:
    """A named pipe would be waited for; a device has no end."""
    path, pipe = tmp_path / "workloads.toml", tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "loop").symlink_to("loop")
    for name, says in (
        ("pipe", "cannot be used: it is a named pipe, no file"),
        ("loop", "cannot be used: Too many levels of symbolic links"),
        ("nowhere", "is not there"),
    ):
        for text in (
            IMAGES.replace("PATH", str(tmp_path)).replace("FILE", str(tmp_path / name)),
            IMAGES.replace("FILE", str(tmp_path)).replace("PATH", str(tmp_path / name)),
        ):
            path.write_text(text)
            assert f"{tmp_path / name} {says}" in refused(path)
    path.write_text(IMAGES.replace("PATH", "a\\u0000b"))
    assert r"mine.path: a\x00b cannot be used: embedded null byte" in refused(path)
