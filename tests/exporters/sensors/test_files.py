"""The kept descriptor: new values, replaced files, missing files."""

from pathlib import Path

import pytest

from wattmark_exporters.sensors.files import (
    CHECKED_EVERY,
    KeptFile,
    cpu_model,
    first_integer,
    first_text,
    integer,
)


def test_a_kept_file_shows_new_values(tmp_path: Path) -> None:
    """Each read gives what the file holds now."""
    path = tmp_path / "energy_uj"
    path.write_text("1\n")
    file = KeptFile(path)
    assert file.read() == b"1\n"
    path.write_text("22\n")
    assert file.read() == b"22\n"
    file.close()


def test_a_replaced_file_is_opened_again(tmp_path: Path) -> None:
    """A driver that was loaded again makes new files: within ten reads the old one's value, which
    stands still, is no longer repeated."""
    path = tmp_path / "energy_uj"
    path.write_text("1\n")
    file = KeptFile(path)
    file.read()
    path.unlink()
    for _ in range(CHECKED_EVERY):
        assert file.read() == b"1\n"
    with pytest.raises(FileNotFoundError):
        file.read()
    path.write_text("3\n")
    assert file.read() == b"3\n"
    file.close()


def test_a_quick_reader_reads_what_the_file_reads(tmp_path: Path) -> None:
    """It shows new values, and once the file was replaced the next reader shows the new file."""
    path = tmp_path / "energy_uj"
    path.write_text("1\n")
    file = KeptFile(path)
    read = file.reader()
    path.write_text("22\n")
    assert read() == b"22\n"
    path.unlink()
    with pytest.raises(FileNotFoundError):
        file.reader()()
    path.write_text("3\n")
    assert file.reader()() == b"3\n"
    file.close()


def test_a_file_longer_than_one_read_is_read_whole(tmp_path: Path) -> None:
    """procfs hands out lists a page at a time; nothing behind the first page is lost."""
    path = tmp_path / "diskstats"
    path.write_text("0123456789" * 100)
    file = KeptFile(path, size=64)
    assert file.read_all() == path.read_bytes()
    assert file.read_all() == path.read_bytes()
    file.close()


def test_what_is_no_plain_number_is_none(tmp_path: Path) -> None:
    """Empty, negative, non-ASCII and missing: None, never zero."""
    path = tmp_path / "value"
    for text in ("", "-5", "1.5", "٣", "0x10", "<not supported>"):
        path.write_text(text)
        assert first_integer(path) is None
    assert first_integer(tmp_path / "missing") is None
    path.write_text(" 42\n")
    assert first_integer(path) == 42


def test_the_cpu_model_is_empty_where_it_is_unknown(tmp_path: Path) -> None:
    """ARM's cpuinfo has no model name, a sandbox no cpuinfo."""
    assert cpu_model(tmp_path) == ""
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nCPU implementer\t: 0x41\n")
    assert cpu_model(tmp_path) == ""


def test_a_descriptor_that_answers_errors_is_opened_once_more(tmp_path: Path) -> None:
    """lxcfs that was started again answers ENOTCONN for ever on what was opened before. Here the
    descriptor is a folder's, which cannot be read either, and a file comes to its place."""
    path = tmp_path / "stat"
    path.mkdir()
    file = KeptFile(path)
    for _ in range(3):
        with pytest.raises(IsADirectoryError):
            file.read()
    path.rmdir()
    path.write_text("cpu 1\n")
    assert file.read() == b"cpu 1\n"
    assert file.read_all() == b"cpu 1\n"
    file.close()


def test_a_quick_reader_of_a_dead_descriptor_comes_back(tmp_path: Path) -> None:
    """Its error is told once; the next reader has opened the file anew."""
    path = tmp_path / "energy_uj"
    path.mkdir()
    file = KeptFile(path)
    with pytest.raises(IsADirectoryError):
        file.reader()()
    path.rmdir()
    path.write_text("5\n")
    assert file.reader()() == b"5\n"
    file.close()


@pytest.mark.parametrize(
    ("digits", "number"),
    [
        (b"0", 0), (b"18446744073709551615", 2**64 - 1), (b"18446744073709551616", None),
        (b"9" * 5000, None), (b"-1", None), (b"+1", None), (b"1_0", None), (b" 1", None),
        ("\u0663".encode(), None), (b"", None), (b"1e3", None),
    ],
)  # fmt: skip
def test_an_integer_is_ascii_digits_of_64_bits(digits: bytes, number: int | None) -> None:
    """Python's ``int`` takes more than the kernel gives."""
    assert integer(digits) == number


def test_texts_come_out_printable(tmp_path: Path) -> None:
    """Whatever firmware and drivers write."""
    (tmp_path / "label").write_bytes(b"Module \xe9 \x1b[31m\n")
    assert first_text(tmp_path / "label") == "Module \\xe9 \\x1b[31m"
    (tmp_path / "cpuinfo").write_bytes(b"\xff\xfe\nmodel name\t: Xeon\xe9 \n")
    assert cpu_model(tmp_path) == "Xeon\\xe9"
