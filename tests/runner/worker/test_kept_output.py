"""A program's output is kept to 10 MB: its beginning, its end, and how much lies between."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.runner.worker.test_worker_own import MEASURE, carry_out, of_command, of_python, windows
from wattmark_core.errors import RunError
from wattmark_runner.execution.worker_process import WorkerProcess
from wattmark_runner.service.api.runs import _tail
from wattmark_runner.worker.kept_output import (
    HEAD_BYTES,
    MOST_BYTES,
    READ_BYTES,
    TAIL_BYTES,
    KeptFile,
    KeptOutput,
)
from wattmark_runner.worker.protocol import Load, Loaded

MARK = re.compile(rb"\n\[wattmark: +(\d+) bytes of output left out here\]\n")


def lines(first: int, last: int) -> bytes:
    """Numbered lines of ten bytes."""
    return b"".join(b"%09d\n" % number for number in range(first, last))


def append(file: KeptFile, output: bytes) -> None:
    """As it comes out of a pipe."""
    for at in range(0, len(output), READ_BYTES):
        file.append(output[at : at + READ_BYTES])


@pytest.mark.parametrize("written", [0, 100, HEAD_BYTES, MOST_BYTES - READ_BYTES])
def test_what_is_short_is_kept_whole(written: int, tmp_path: Path) -> None:
    """Byte by byte."""
    output = lines(0, written // 10)
    file = KeptFile(tmp_path / "log")
    append(file, output)
    file.close()
    assert (tmp_path / "log").read_bytes() == output


def test_of_what_is_long_beginning_and_end_are_kept(tmp_path: Path) -> None:
    """And the bytes between are counted: nothing is lost that is not in the count, also where
    another worker of the run goes on in the same file."""
    total = 3_000_000
    for first in range(0, total, 1_000_000):
        file = KeptFile(tmp_path / "log")
        append(file, lines(first, first + 1_000_000))
        assert file.size == (tmp_path / "log").stat().st_size <= MOST_BYTES
        file.close()
    kept = (tmp_path / "log").read_bytes()
    mark = MARK.search(kept)
    assert mark is not None
    head, tail = kept[: mark.start()], kept[mark.end() :]
    assert head == lines(0, HEAD_BYTES // 10)
    assert tail == lines(total - len(tail) // 10, total)
    assert len(tail) >= TAIL_BYTES - 10
    assert int(mark[1]) == 10 * total - len(head) - len(tail)
    assert len(MARK.findall(kept)) == 1


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    """Whatever it holds, NUL and ESC, too."""
    file = KeptFile(tmp_path / "log")
    append(file, b"\0\x1b" * 10_000_000)
    file.close()
    assert file.size <= MOST_BYTES
    assert file.left_out >= 10_000_000


def test_a_full_disk_loses_output_and_nothing_else(tmp_path: Path) -> None:
    """The program goes on; what could not be kept is counted."""
    (tmp_path / "log").symlink_to("/dev/full")
    try:
        file = KeptFile(tmp_path / "log")
    except OSError:
        pytest.skip("/dev/full cannot be opened here")
    file.append(b"lost")
    file.close()
    assert file.left_out == 4


def test_a_log_that_cannot_be_made_does_not_end_a_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told in the service's log; a failure then has no last line."""
    (tmp_path / "file").touch()
    heard = carry_out(
        tmp_path / "file/log",
        of_python("print('x'); report(event='start'); report(event='end', inferences=1)"),
    )
    assert len(windows(heard)) == 2
    assert "file/log: File exists; what the program prints is not kept" in caplog.text
    with pytest.raises(RunError, match="the command exited with status 3"):
        carry_out(tmp_path / "file/log", of_python("raise SystemExit(3)"))


def test_a_flood_takes_neither_time_nor_memory_of_the_service(tmp_path: Path) -> None:
    """``yes`` for two seconds: less than a quarter of a core, no memory, and 10 MB on the disk."""
    process = psutil.Process()
    output = KeptOutput(tmp_path / "log")
    before = process.memory_info().rss
    with subprocess.Popen(["yes"], stdout=output.writing) as flood:
        output.started()
        cpu = time.thread_time(), time.process_time()
        time.sleep(2.0)
        spent = time.process_time() - cpu[1] - (time.thread_time() - cpu[0])
        flood.kill()
    output.join(10.0)
    assert spent < 0.5
    assert process.memory_info().rss - before < 20_000_000
    assert (tmp_path / "log").stat().st_size <= MOST_BYTES
    assert MARK.search((tmp_path / "log").read_bytes())


def test_windows_are_heard_through_a_flood(tmp_path: Path) -> None:
    """On both streams, and of lines that begin as reports do."""
    text = (
        "import sys\n"
        "for i in range(2):\n"
        "    sys.stdout.write('y\\n' * 2_000_000); sys.stderr.write('{\"event\"\\n' * 100_000)\n"
        "    report(event='start'); time.sleep(0.05)\n"
        "    report(event='end', inferences=1)\n"
        "print('the end'); sys.exit(3 if os.environ['WATTMARK_REPEATS'] == '3' else 0)\n"
    )
    heard = carry_out(tmp_path / "log", of_python(text))
    assert [window.inferences for window in windows(heard)] == [1, 1]
    for window in windows(heard):
        assert window.end_ns - window.start_ns >= 40_000_000
    assert (tmp_path / "log").stat().st_size <= MOST_BYTES


def test_a_python_workload_prints_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does what is written past Python, to the descriptor."""
    (tmp_path / "printing.py").write_text(
        "import os\n"
        "def load(model):\n"
        "    for _ in range(200):\n"
        "        os.write(1, b'y' * 65536); os.write(2, b'x\\n' * 32768)\n"
        "    return lambda: (1, 1)\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    with WorkerProcess(tmp_path / "log") as worker:
        worker.send(Load("", "m", {}, "", "", entry_point="printing:load"))
        for message in worker.messages(None, 60.0):
            if isinstance(message, Loaded):
                break
    assert HEAD_BYTES < (tmp_path / "log").stat().st_size <= MOST_BYTES


def test_what_is_shown_is_printable_and_the_file_is_as_it_was(tmp_path: Path) -> None:
    """Escape sequences, NUL, bytes that are no text; a progress bar as it stands on the screen."""
    output = b"\x1b[31mred\0\r\ncaf\xe9\n 10 %\r100 %\ntab\there\n"
    (tmp_path / "log").write_bytes(output)
    assert _tail(tmp_path / "log") == "\\x1b[31mred\\x00\ncaf\\xe9\n100 %\ntab     here\n"
    assert (tmp_path / "log").read_bytes() == output


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_failures_last_line_can_be_printed(stream: str, tmp_path: Path) -> None:
    """In the run's reason, whichever stream it came by."""
    text = f"import sys\nsys.{stream}.buffer.write(b'\\x1b[1mbad \\xe9\\n'); sys.exit(1)\n"
    with pytest.raises(RunError, match="last line") as caught:
        carry_out(tmp_path / "log", of_python(text))
    assert str(caught.value).endswith(r"last line: \x1b[1mbad \xe9")


def test_a_command_without_output_costs_no_wait(tmp_path: Path) -> None:
    """And is told that it has reported nothing."""
    start = time.monotonic()
    with pytest.raises(RunError, match="ended without a window"):
        carry_out(tmp_path / "log", of_command("true"), MEASURE)
    assert time.monotonic() - start < 20.0
