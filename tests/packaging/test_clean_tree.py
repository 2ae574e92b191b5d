"""What must not be committed: addresses of package indexes, paths of somebody's machine."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONSTRAINTS = sorted((ROOT / "constraints").glob("*.txt"))
INDEX = re.compile(
    r"--(extra-)?index-url[ =]|--find-links[ =]|--trusted-host[ =]"
    r"|://[^/\s\"']*(pypi|pythonhosted|npmjs|registry|artifactory|nexus)"
    r"|^URIs: *http|^deb (\[[^]]*\] )?http",
    re.MULTILINE,
)
PIN = re.compile(r"[a-z0-9][a-z0-9.-]*==[^\s=;]+ \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


@pytest.fixture(scope="module")
def committed() -> list[Path]:
    """The text files that are, or would be, committed."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: nothing tells what is committed")
    command = [git, "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    paths = [ROOT / name for name in listed.decode().split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8192]]


def hits(paths: list[Path], pattern: re.Pattern[str]) -> Iterator[str]:
    for path in paths:
        for match in pattern.finditer(path.read_text(encoding="utf-8", errors="replace")):
            yield f"{path.relative_to(ROOT)}: {match[0]!r}"


def test_no_index_address(committed: list[Path]) -> None:
    """No committed file says where packages come from: that is the machine's business."""
    assert not list(hits(committed, INDEX))


def test_no_machine_path(committed: list[Path]) -> None:
    """No committed file names a place that only the author's machine has."""
    places = [str(ROOT) + "/", f"{Path.home()}/."]
    assert not list(hits(committed, re.compile("|".join(map(re.escape, places)))))


def test_the_pattern_finds_addresses() -> None:
    """The patterns above are not blind."""
    host = "py" + "pi.example"
    for line in (f"https://{host}/simple", "--extra-" + "index-url=x", "--find-" + "links x"):
        assert INDEX.search(line)


@pytest.mark.parametrize("path", CONSTRAINTS, ids=lambda path: path.name)
def test_constraints_are_pins_and_hashes(path: Path) -> None:
    """A constraints file holds a comment, exact versions and their hashes, nothing else."""
    comment, *lines = path.read_text(encoding="utf-8").splitlines()
    assert comment.startswith("# ")
    assert lines
    assert [line for line in lines if not (PIN.fullmatch(line) or HASH.fullmatch(line))] == []


def versions(name: str) -> dict[str, str]:
    text = (ROOT / "constraints" / name).read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9.-]+)==(\S+)", text, re.MULTILINE)
    return dict(pins)


@pytest.mark.parametrize("name", ["dev.txt", "bench.txt"])
def test_constraints_agree(name: str) -> None:
    """What is measured, tested and compared has the same versions."""
    run, other = versions("run.txt"), versions(name)
    assert {name for name in run.keys() & other.keys() if run[name] != other[name]} == set()
