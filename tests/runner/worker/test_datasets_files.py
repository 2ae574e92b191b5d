"""Data sets of image files: class folders and ILSVRC2012's validation set."""

from pathlib import Path

import numpy as np
import pytest

from wattmark_core.errors import ConfigurationError
from wattmark_runner.worker.datasets import BrokenImage, ImageFrame, Images

Image = pytest.importorskip("PIL.Image")

IDS = [f"n{number:08}" for number in range(2000, 3000)]
"""As many WordNet ids as ILSVRC2012 has classes."""
TRUTH = "data/ILSVRC2012_validation_ground_truth.txt"


def picture(path: Path, shade: int = 100) -> Path:
    """A JPEG, 20 × 10, of one shade."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((10, 20, 3), shade, np.uint8)).save(path, format="JPEG")
    return path


def cut(path: Path) -> None:
    """Leave out the end of a file."""
    path.write_bytes(path.read_bytes()[:-40])


def broken(images: Images) -> dict[int, str]:
    """What is found without reading the images, and why."""
    found = {}
    for number in range(images.count):
        try:
            images.check(number)
        except BrokenImage as error:
            found[number] = str(error)
    return found


def names(images: Images) -> list[str]:
    """In the data set's order."""
    return [images.name(number) for number in range(images.count)]


def flat(root: Path, count: int = 4) -> Path:
    """Validation images as they come."""
    for number in range(1, count + 1):
        picture(root / f"ILSVRC2012_val_{number:08}.JPEG", 50 * number)
    return root


def kit(root: Path, classes: list[int]) -> Path:
    """A development kit: the kit's numbers run backwards; groups of classes come on top.

    Images after those of ``classes`` are of class 1.
    """
    from scipy.io import savemat

    (root / "data").mkdir(parents=True)
    kind = [("ILSVRC2012_ID", "O"), ("WNID", "O")]
    rows = [(1000 - order, name) for order, name in enumerate(IDS)] + [(1001, "n00000001")]
    savemat(root / "data/meta.mat", {"synsets": np.array(rows, kind).reshape(-1, 1)})
    truth = "".join(f"{number}\n" for number in classes) + "1\n" * (50_000 - len(classes))
    (root / TRUTH).write_text(truth)
    return root


def test_class_folders_count_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Files and classes in the order of their names; what is no image is passed over."""
    from wattmark_runner.worker.datasets import folders

    for name in ("dog/b.jpg", "dog/a.jpg", "cat/z.png"):
        picture(tmp_path / name)
    (tmp_path / "cat/notes.txt").write_text("no image")
    (tmp_path / "dog/.hidden.jpg").write_text("no image")
    found = folders.read(str(tmp_path), "")
    assert names(found) == ["cat/z.png", "dog/a.jpg", "dog/b.jpg"]
    assert (found.labels, found.classes, broken(found)) == ((0, 1, 1), 2, {})


def test_the_first_images_of_class_folders_are_of_all_classes(tmp_path: Path) -> None:
    """The classes take turns until each has no more, so that a few images are a fair sample."""
    from wattmark_runner.worker.datasets import folders

    for name in ("a/1.png", "a/2.png", "b/1.png", "b/2.png", "b/3.png", "c/9.png"):
        picture(tmp_path / name)
    found = folders.read(str(tmp_path), "")
    assert names(found) == ["a/1.png", "b/1.png", "c/9.png", "a/2.png", "b/2.png", "b/3.png"]
    assert found.first(4).labels == (0, 1, 2, 0)


def test_images_are_cropped_or_squashed(tmp_path: Path) -> None:
    """The crop is the middle square, 87.5 % of the shorter side; colours are 0 to 255."""
    from wattmark_runner.worker.datasets.files import decode

    wide = np.zeros((80, 160, 3), np.uint8)
    wide[:, 40:120] = (200, 100, 50)
    path = tmp_path / "wide.png"
    Image.fromarray(wide).save(path)
    cropped = decode(path, ImageFrame(70, "crop"))
    assert cropped.shape == (70, 70, 3)
    assert (cropped == np.array([200, 100, 50], np.float32)).all()
    squashed = decode(path, ImageFrame(80, "squash"))
    assert squashed[40, 5].tolist() == [0.0, 0.0, 0.0]
    Image.fromarray(np.full((9, 9), 7, np.uint8)).save(path)
    assert decode(path, ImageFrame(9, "squash"))[4, 4].tolist() == [7.0, 7.0, 7.0]


def test_sixteen_bits_are_scaled(tmp_path: Path) -> None:
    """Grey of 16 bits is brought to 0 to 255; of numbers without a known range none is guessed."""
    from wattmark_runner.worker.datasets.files import decode, look_at

    path = tmp_path / "grey.png"
    for value, expected in ((0, 0.0), (257, 1.0), (0x8080, 128.0), (65535, 255.0)):
        Image.fromarray(np.full((8, 8), value, np.uint16)).save(path)
        assert np.unique(decode(path, ImageFrame(8, "squash"))).tolist() == [expected]
    for kind, mode in ((np.int32, "I"), (np.float32, "F")):
        Image.fromarray(np.zeros((8, 8), kind)).save(path, format="TIFF")
        with pytest.raises(BrokenImage, match=f"mode {mode}: 8 or 16 bits"):
            look_at(path)


def test_truncated_images_are_found_before_anything_is_measured(tmp_path: Path) -> None:
    """A file that ends too early, is empty, or is no image: each is named with its reason."""
    from wattmark_runner.worker.datasets import folders

    for name in "abcd":
        picture(tmp_path / f"x/{name}.jpg")
    cut(tmp_path / "x/b.jpg")
    (tmp_path / "x/c.jpg").write_bytes(b"")
    (tmp_path / "x/d.jpg").write_text("<html>not found</html>")
    found = folders.read(str(tmp_path), "")
    reasons = broken(found)
    assert list(reasons) == [1, 2, 3]
    assert "truncated" in reasons[1].lower()
    assert not any(str(tmp_path) in reason for reason in reasons.values())
    with pytest.raises(BrokenImage, match=r"x/b.jpg \(.*[tT]runcated"):
        found.read(1, ImageFrame(8))


def test_damage_inside_a_png_is_found_before_anything_is_measured(tmp_path: Path) -> None:
    """Its checksums show that."""
    from wattmark_runner.worker.datasets.files import look_at

    path = tmp_path / "noise.png"
    noise = np.random.default_rng(1).integers(0, 256, (90, 90, 3), np.uint8)
    Image.fromarray(noise).save(path)
    look_at(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:9000] + bytes(100) + whole[9100:])
    with pytest.raises(BrokenImage, match="broken PNG file"):
        look_at(path)


def test_flat_images_get_the_kits_ground_truth(tmp_path: Path) -> None:
    """A line per image, in the kit's numbers, brought to Keras's order of classes; of 50,000 only
    those that are asked for must be there."""
    from wattmark_runner.worker.datasets import ilsvrc2012

    root = flat(tmp_path / "val")
    every = ilsvrc2012.read(str(root), str(kit(tmp_path / "kit", [1000, 999, 1, 500])))
    assert len(every.missing) == 50_000 - 4
    found = every.first(4)
    assert (found.labels, found.classes, found.missing) == ((0, 1, 999, 500), 1000, ())
    assert found.read(2, ImageFrame(4)).mean() == pytest.approx(150, abs=2)


def test_a_ground_truth_that_may_have_shifted_is_refused(tmp_path: Path) -> None:
    """The lines have no names: one too few or too many, or a blank one, would move all after it.
    Blank ones at the end move none."""
    from wattmark_runner.worker.datasets import ilsvrc2012

    root, folder = flat(tmp_path / "val", 1), kit(tmp_path / "kit", [1000])
    path = folder / TRUTH
    lines = path.read_text().splitlines()
    path.write_text("\r\n".join([*lines, "", " ", ""]))
    assert ilsvrc2012.read(str(root), str(folder)).labels == (0,)
    for changed, says in (
        (lines[1:], "has 49999 lines and not 50000"),
        (["", *lines], "has 50001 lines"),
        ([lines[0], "", *lines[2:]], "line 2: no class: ''"),
        ([*lines[:-1], "1001"], "line 50000: no class: '1001'"),
    ):
        path.write_text("\n".join(changed))
        with pytest.raises(ConfigurationError) as caught:
            ilsvrc2012.read(str(root), str(folder))
        assert says in str(caught.value)


def test_missing_images_are_named(tmp_path: Path) -> None:
    """Labels without image, and images without label; of the first N, those that come before the
    Nth image that is there."""
    from wattmark_runner.worker.datasets import ilsvrc2012

    root = flat(tmp_path / "val")
    labels = tmp_path / "val.txt"
    labels.write_text(
        "ILSVRC2012_val_00000001.JPEG 7\nval/ILSVRC2012_val_00000003.JPEG 8\n"
        "ILSVRC2012_val_00000004.JPEG 9\nILSVRC2012_val_00000009.JPEG 3\n"
    )
    found = ilsvrc2012.read(str(root), str(labels))
    assert found.labels == (7, 8, 9)
    between, after = (f"ILSVRC2012_val_{number:08}.JPEG" for number in (2, 9))
    for images, missing in (
        (found, [between, after]), (found.first(1), []), (found.first(2), [between]),
        (found.first(3), [between]), (found.first(4), [between, after]),
    ):  # fmt: skip
        assert [file.name for file in images.missing] == missing
    assert (found.first(2).count, found.first(2).labels) == (2, (7, 8))


def test_class_folders_of_wordnet_ids(tmp_path: Path) -> None:
    """All 1,000 folders need no list; fewer need one, since a class is its place among all."""
    from wattmark_runner.worker.datasets import ilsvrc2012

    root = tmp_path / "val"
    for name in (IDS[5], IDS[999]):
        picture(root / name / "x.JPEG")
    with pytest.raises(ConfigurationError, match="2 of 1000 class folders"):
        ilsvrc2012.read(str(root), "")
    words = tmp_path / "synset_words.txt"
    words.write_text("".join(f"{name} a, b\n" for name in IDS))
    assert ilsvrc2012.read(str(root), str(words)).labels == (5, 999)
    for name in IDS:
        (root / name).mkdir(exist_ok=True)
    assert ilsvrc2012.read(str(root), "").labels == (5, 999)


def test_class_folders_have_the_order_of_flat_images(tmp_path: Path) -> None:
    """The validation images' numbers mix the classes; other names begin with the class's id, so
    there the classes take turns."""
    from wattmark_runner.worker.datasets import ilsvrc2012

    words = tmp_path / "words.txt"
    words.write_text("".join(f"{name} a, b\n" for name in IDS))
    for number, order in enumerate((5, 1, 1, 5), start=1):
        picture(tmp_path / "val" / IDS[order] / f"ILSVRC2012_val_{number:08}.JPEG")
        picture(tmp_path / "train" / IDS[order] / f"{IDS[order]}_{number}.JPEG")
    assert ilsvrc2012.read(str(tmp_path / "val"), str(words)).labels == (5, 1, 1, 5)
    assert ilsvrc2012.read(str(tmp_path / "train"), str(words)).labels == (1, 5, 1, 5)


def test_what_is_no_ilsvrc2012_is_refused(tmp_path: Path) -> None:
    """Each in one line."""
    from wattmark_runner.worker.datasets import ilsvrc2012

    root = flat(tmp_path / "val", 1)
    picture(tmp_path / "other/dog/x.jpg")
    (tmp_path / "words").write_text("one two\n")
    (tmp_path / "none.txt").write_text("other.JPEG 3\n")
    for path, labels, says in (
        (root, "", "without class folders need labels"),
        (root, tmp_path / "words", "words, line 1: not NAME CLASS"),
        (root, tmp_path / "none.txt", "has a label for none of the images"),
        (root, tmp_path / "nowhere", "labels nowhere cannot be read"),
        (root, tmp_path, "meta.mat cannot be read"),
        (tmp_path / "other", "", "'dog' is no WordNet id"),
        (tmp_path / "nowhere", "", "data set nowhere: No such file"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            ilsvrc2012.read(str(path), str(labels) if labels else "")
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)
