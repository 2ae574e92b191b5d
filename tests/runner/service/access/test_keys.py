"""Key files, and who may listen where."""

from pathlib import Path

import pytest

from wattmark_core.errors import ConfigurationError
from wattmark_runner.service.access.exposure import check_exposure
from wattmark_runner.service.access.keys import Keys, Role

WEAK = ["a", "x" * 16, "x" * 64, "abababababababab", "abcabcabcabcabcabc", "abcdefghijklmnop",
        "0123456789abcde", "passwordpassword", "zyxwvutsrqponmlkj", "1111111111111112"]  # fmt: skip
"""One character, one letter over and over, a piece that is repeated, a run, too few."""
READ_KEY, RUN_KEY = "0123456789abcdeg", "a-key-of-40-characters-is-a-good-one-ok."


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    """A key file."""
    path = folder / "keys"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """One key of each role."""
    return Keys.read(written(tmp_path, f"# ours\n\nread {READ_KEY}\nrun\t{RUN_KEY}  \n"))


@pytest.mark.parametrize(
    ("header", "role"),
    [
        (f"Bearer {READ_KEY}", Role.READ),
        (f"bearer {RUN_KEY}", Role.RUN),
        (f"Basic {RUN_KEY}", None),
        (f"Bearer {RUN_KEY}x", None),
        (f"Bearer {RUN_KEY[:-1]}", None),
        (RUN_KEY, None),
        ("Bearer", None),
        ("Bearer \udcff\xff", None),
        ("", None),
        (None, None),
    ],
)
def test_a_header_gives_the_role(keys: Keys, header: str | None, role: Role | None) -> None:
    """Only a known key as a bearer token gives a role."""
    assert keys.role(header) is role


def test_keys_never_show(keys: Keys) -> None:
    """A log of the object has no key in it."""
    assert READ_KEY not in repr(keys)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"write {RUN_KEY}\n", "line 1: a line is 'read KEY' or 'run KEY'"),
        (f"\n{RUN_KEY}\n", "line 2: a line is"),
        (f"run {RUN_KEY} # mine\n", "line 1: a line is"),
        ("run tooshorttooshor\n", "at least 16 characters"),
        (f"run {RUN_KEY}\nread {RUN_KEY}\n", "line 2: the key is there already"),
        ("# none\n", "has no key"),
        (f"run {'ü' * 20}\n", "is not ASCII"),
    ],
)
def test_a_bad_key_file_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    """One line says what is wrong where, and never repeats a key."""
    with pytest.raises(ConfigurationError, match=reason) as caught:
        Keys.read(written(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert RUN_KEY not in str(caught.value)
    assert "tooshort" not in str(caught.value)


def test_keys_have_names(tmp_path: Path) -> None:
    """The word after a key, else its role and number, so that files of before go on working."""
    lines = ["run a-first-key-of-the-tests", "read a-second-key-of-the-tests",
             "run a-third-key-of-the-tests Alfred", "run a-fourth-key-of-the-tests"]  # fmt: skip
    keys = Keys.read(written(tmp_path, "\n".join(lines[:2] + lines[3:])))
    assert [key.name for key in keys.keys] == ["run-1", "read-1", "run-2"]
    keys = Keys.read(written(tmp_path, "\n".join(lines)))
    assert [key.name for key in keys.keys] == ["run-1", "read-1", "Alfred", "run-3"]
    named = keys.of("Bearer a-third-key-of-the-tests")
    assert named is not None
    assert (named.name, named.role) == ("Alfred", Role.RUN)
    assert "a-third-key" not in repr(keys)


@pytest.mark.parametrize("name", ["a\x1b[31m", "x" * 101])
def test_a_name_is_printable_and_short(tmp_path: Path, name: str) -> None:
    """It stands in records, logs and terminals."""
    with pytest.raises(ConfigurationError, match="a name has at most 100 characters"):
        Keys.read(written(tmp_path, f"run {RUN_KEY} {name}\n"))


@pytest.mark.parametrize("key", WEAK)
def test_a_weak_key_is_refused(tmp_path: Path, key: str) -> None:
    """With what makes a better one; the key is not repeated."""
    with pytest.raises(ConfigurationError, match="openssl rand -hex 16 makes one") as caught:
        Keys.read(written(tmp_path, f"run {key}\n"))
    assert len(key) == 1 or key not in str(caught.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_file_that_others_reach_is_refused(tmp_path: Path, mode: int) -> None:
    """Only the owner may have any right on a key file; the line says how to mend it."""
    with pytest.raises(ConfigurationError, match="chmod 600"):
        Keys.read(written(tmp_path, f"run {RUN_KEY}\n", mode))


def test_a_missing_file(tmp_path: Path) -> None:
    """A file that is not there is said so."""
    with pytest.raises(ConfigurationError, match="No such file"):
        Keys.read(tmp_path / "none")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_nothing(host: str) -> None:
    """Only programs of this machine reach it there."""
    check_exposure(host, has_keys=False, has_tls=False)


@pytest.mark.parametrize("host", ["", "::", "192.0.2.1", "lab7", "127.0.0.1.nip.io"])
@pytest.mark.parametrize(
    ("has_keys", "has_tls", "insecure_network", "reason"),
    [
        (False, True, False, "--key-file"),
        (False, False, True, "--key-file"),
        (True, False, False, "--tls-cert"),
    ],
)
def test_off_loopback_it_is_refused(
    host: str, has_keys: bool, has_tls: bool, insecure_network: bool, reason: str
) -> None:
    """Elsewhere keys are always needed, and TLS unless the network is said to be private."""
    with pytest.raises(ConfigurationError, match=reason):
        check_exposure(host, has_keys=has_keys, has_tls=has_tls, insecure_network=insecure_network)


@pytest.mark.parametrize(("has_tls", "insecure_network"), [(True, False), (False, True)])
def test_off_loopback_with_keys(has_tls: bool, insecure_network: bool) -> None:
    """With keys, and TLS or the word that the network is private, it may listen anywhere."""
    check_exposure("", has_keys=True, has_tls=has_tls, insecure_network=insecure_network)
