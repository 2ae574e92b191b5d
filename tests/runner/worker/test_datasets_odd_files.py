"""What lies in folders of images beside good ones: each is read, or told once by name."""

import contextlib
import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.runner.worker.test_datasets_files import broken, flat, names, picture
from tests.runner.worker.test_keras_loading import CHOICE
from wattmark_core.errors import ConfigurationError
from wattmark_core.regular_file import open_regular, require_regular
from wattmark_runner.worker.datasets import BrokenImage, ImageFrame, Images
from wattmark_runner.worker.sessions import keras_loading as loading

Image = pytest.importorskip("PIL.Image")
WRITTEN = {
    "a.jfif": "JPEG", "b.gif": "GIF", "c.GIF": "GIF", "d.jpe": "JPEG", "e.bmp": "BMP",
    "f.webp": "WEBP", "g.tif": "TIFF", "h.TIFF": "TIFF", "i.ppm": "PPM", "j.png": "PNG",
    "k.jp2": "JPEG2000", "l.dib": "DIB", "m.tga": "TGA",
}  # fmt: skip


def folders(root: Path) -> Images:
    """The class folders below it."""
    from wattmark_runner.worker.datasets import folders as kind

    return kind.read(str(root), "")


def of_kind(root: Path, kind: str, **more: Any) -> tuple[Images, list[str]]:
    """What a run would work with, and the notices that it would have."""
    told: list[str] = []
    choice = replace(CHOICE, kind=kind, path=str(root), **more)
    return loading.images_of(choice, told.append), told


def test_every_kind_that_the_decoder_reads_is_an_image(tmp_path: Path) -> None:
    """``.jfif``, ``.gif`` and the others; none is left out."""
    shade = np.full((12, 12, 3), 80, np.uint8)
    (tmp_path / "x").mkdir()
    for name, kind in WRITTEN.items():
        Image.fromarray(shade).save(tmp_path / "x" / name, format=kind)
    images = folders(tmp_path)
    assert names(images) == sorted(f"x/{name}" for name in WRITTEN)
    assert (broken(images), images.notices) == ({}, ())
    for number in range(images.count):
        assert abs(images.read(number, ImageFrame(4)).mean() - 80) < 3


def test_the_first_picture_of_an_animation_counts(tmp_path: Path) -> None:
    """And one with few colours is in red, green and blue."""
    (tmp_path / "x").mkdir()
    pictures = [Image.fromarray(np.full((9, 9), shade, np.uint8)) for shade in (40, 200)]
    pictures[0].save(tmp_path / "x/moving.gif", save_all=True, append_images=pictures[1:])
    assert folders(tmp_path).read(0, ImageFrame(3))[0, 0].tolist() == [40, 40, 40]


def test_what_is_no_image_by_its_name_is_told(tmp_path: Path) -> None:
    """Once, with names that can be printed; hidden files are nobody's images."""
    for name in ("cat/a.jpg", "dog/b.jpg"):
        picture(tmp_path / name)
    for name in ("cat/c.heic", "cat/0001", "dog/e\x1b[31m.svg", "read me.txt", "dog/.DS_Store"):
        (tmp_path / name).write_text("no image")
    (tmp_path / "dog/more").mkdir()
    os.mknod(os.fsencode(tmp_path / "dog") + b"/caf\xe9.raw")
    images, told = of_kind(tmp_path, "folders")
    assert names(images) == ["cat/a.jpg", "dog/b.jpg"]
    assert told == [
        "1 entry is left out, with names of no image: read me.txt",
        "5 entries are left out, with names of no image: cat/0001, cat/c.heic, dog/caf\\xe9.raw,"
        " dog/e\\x1b[31m.svg, dog/more",
    ]


def test_classes_without_an_image_are_told(tmp_path: Path) -> None:
    """They keep their numbers: the network knows them."""
    for name in ("b/1.png", "d/1.png"):
        picture(tmp_path / name)
    for name in ("a", "c"):
        (tmp_path / name).mkdir()
    images, told = of_kind(tmp_path, "folders")
    assert (images.labels, images.classes) == ((1, 3), 4)
    assert told == ["2 of 4 classes have no image: a, c"]


def test_folders_without_any_image_say_what_lies_there(tmp_path: Path) -> None:
    """Not only that there is none."""
    (tmp_path / "x").mkdir()
    (tmp_path / "x/photo.heic").touch()
    with pytest.raises(ConfigurationError, match=r"no image in .*names of no image: x/photo.heic"):
        folders(tmp_path)


def odd_files(folder: Path) -> dict[str, str]:
    """Things with the names of images, and why each is none."""
    os.mkfifo(folder / "fifo.jpg")
    (folder / "folder.jpg").mkdir()
    (folder / "dangling.jpg").symlink_to("nowhere")
    (folder / "loop.jpg").symlink_to("loop.jpg")
    (folder / "null.jpg").symlink_to("/dev/null")
    (folder / "to-fifo.jpg").symlink_to("fifo.jpg")
    with contextlib.chdir(folder), socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.jpg")  # whose name must be short
    return {
        "fifo.jpg": "it is a named pipe, no file",
        "folder.jpg": "it is a folder",
        "dangling.jpg": "No such file or directory",
        "loop.jpg": "Too many levels of symbolic links",
        "null.jpg": "it is a device, no file",
        "to-fifo.jpg": "it is a named pipe, no file",
        "socket.jpg": "it is a socket, no file",
    }


def test_what_is_no_file_is_named_and_never_waited_for(tmp_path: Path) -> None:
    """A named pipe, socket, device, folder, link to nowhere or to itself; the check ends at once,
    and with ``allow_broken`` the run goes on without them."""
    picture(tmp_path / "x/good.jpg")
    expected = odd_files(tmp_path / "x")
    images = folders(tmp_path)
    found = {images.name(number): reason for number, reason in broken(images).items()}
    assert found == {f"x/{name}": f"x/{name} ({why})" for name, why in expected.items()}
    with pytest.raises(ConfigurationError, match=r"7 of 8 images are broken: .*fifo.jpg"):
        of_kind(tmp_path, "folders")
    allowed, _ = of_kind(tmp_path, "folders", allow_broken=True)
    for number in range(allowed.count):
        if allowed.name(number) != "x/good.jpg":
            with pytest.raises(BrokenImage, match="x/"):
                allowed.read(number, ImageFrame(4))


def test_flat_images_are_told_of_in_the_same_way(tmp_path: Path) -> None:
    """The labels beside them are no image that is left out."""
    root = flat(tmp_path / "val", 2)
    os.mkfifo(root / "ILSVRC2012_val_00000003.JPEG")
    (root / "ILSVRC2012_val_00000004.heic").touch()
    labels = root / "val.txt"
    labels.write_text("".join(f"ILSVRC2012_val_{n:08}.JPEG {n}\n" for n in (1, 2, 3)))
    images, told = of_kind(root, "ilsvrc2012", labels=str(labels), allow_broken=True)
    assert list(broken(images)) == [2]
    assert told == ["1 entry is left out, with names of no image: ILSVRC2012_val_00000004.heic"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read all files")
def test_unreadable_files_and_folders_are_named(tmp_path: Path) -> None:
    """A file is broken; a class folder that cannot be listed is an error."""
    picture(tmp_path / "x/good.jpg")
    picture(tmp_path / "x/secret.jpg").chmod(0)
    assert broken(folders(tmp_path)) == {1: "x/secret.jpg (Permission denied)"}
    (tmp_path / "y").mkdir(mode=0)
    with pytest.raises(ConfigurationError, match="folder y: Permission denied"):
        folders(tmp_path)


def test_names_that_are_not_utf_8_are_escaped(tmp_path: Path) -> None:
    """Of classes and images, in all that is told of them."""
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    picture(folder / "good.jpg")
    (folder / "\x1bbad\u202e.jpg").write_text("no image")
    images = folders(tmp_path)
    assert sorted(names(images)) == [r"caf\xe9/\x1bbad\u202e.jpg", r"caf\xe9/good.jpg"]
    (reason,) = broken(images).values()
    assert reason.startswith(r"caf\xe9/\x1bbad\u202e.jpg (cannot identify image file")
    assert reason.isprintable()


@pytest.mark.parametrize("kind", ["npz", "ilsvrc2012", "folders"])
def test_a_data_set_that_is_a_pipe_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    """As are its labels."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ConfigurationError, match=r"named pipe|Not a directory"):
        of_kind(pipe, kind)
    if kind == "ilsvrc2012":
        with pytest.raises(ConfigurationError, match="labels pipe cannot be read: it is a named"):
            of_kind(flat(tmp_path / "val", 1), kind, labels=str(pipe))


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    """And links to them; a folder's error is the usual one."""
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    with open_regular(tmp_path / "link") as file:
        assert file.read() == b"x"
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)
    with pytest.raises(OSError, match="it is a device, no file"):
        require_regular(Path("/dev/null"))
