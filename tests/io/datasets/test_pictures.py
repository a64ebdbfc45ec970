"""Folders of pictures, stacks, and what is no data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from napari_colorkde.io.datasets import read_dataset


def picture(seed: int, shape: tuple[int, ...] = (4, 5, 3)) -> Any:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def save(path: Path, array: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    iio.imwrite(path, array)


def test_pictures_are_read_in_order_of_name_with_folders_as_labels(tmp_path: Path) -> None:
    for i, name in enumerate(["cat/b.png", "cat/a.png", "ape/z.png"]):
        save(tmp_path / name, picture(i))
    (tmp_path / ".DS_Store").write_bytes(b"x")
    found = read_dataset(tmp_path)
    expected = np.stack([picture(2), picture(1), picture(0)])
    np.testing.assert_array_equal(found.train.reshape(3, 4, 5, 3), expected)
    assert found.image_shape == (4, 5, 3)
    assert found.label_names == ("ape", "cat")
    assert found.labels["train"].tolist() == [0, 1, 1]


def test_pictures_without_folders_have_no_labels(tmp_path: Path) -> None:
    for i in range(3):
        save(tmp_path / f"{i}.png", picture(i, (4, 5)))
    found = read_dataset(tmp_path)
    assert found.image_shape == (4, 5)
    assert found.labels == {}


def test_folders_named_after_parts_are_the_parts(tmp_path: Path) -> None:
    for i, name in enumerate(["train/a/0.png", "train/b/0.png", "val/b/0.png", "test/a/0.png"]):
        save(tmp_path / name, picture(i))
    found = read_dataset(tmp_path)
    assert found.valid is not None
    assert found.test is not None
    np.testing.assert_array_equal(found.valid, picture(2).reshape(1, -1))
    assert [found.labels[part].tolist() for part in ("train", "valid", "test")] == [
        [0, 1],
        [1],
        [0],
    ]


def test_stack_is_training_data(tmp_path: Path) -> None:
    stack = picture(0, (6, 4, 5))
    tifffile.imwrite(tmp_path / "stack.tif", stack, photometric="minisblack")
    found = read_dataset(tmp_path / "stack.tif")
    np.testing.assert_array_equal(found.train.reshape(6, 4, 5), stack)
    assert found.image_shape == (4, 5)


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (picture(9, (4, 6, 3)), "4 × 6 × 3 uint8"),
        (picture(9, (4, 5)), "4 × 5 uint8"),
        (picture(9, (4, 5)).astype(np.uint16), "4 × 5 uint16"),
    ],
)
def test_picture_of_another_size_is_named(tmp_path: Path, odd: Any, said: str) -> None:
    for i in range(3):
        save(tmp_path / f"a/{i}.png", picture(i))
    save(tmp_path / "b/odd.png", odd)
    with pytest.raises(
        ValueError,
        match=rf"the image 'b/odd\.png' is {said}, 'a/0\.png' is 4 × 5 × 3 uint8; all must",
    ):
        read_dataset(tmp_path)


def test_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    save(tmp_path / "a.png", picture(0))
    (tmp_path / "b.txt").write_bytes(b"hello")
    with pytest.raises(ValueError, match=r"b\.txt' is damaged or in an unknown format"):
        read_dataset(tmp_path)


def test_folder_larger_than_memory_is_refused_before_it_is_read(tmp_path: Path) -> None:
    for i in range(10):
        save(tmp_path / f"{i}.png", picture(i))
    with pytest.raises(ValueError, match=r"needs 600 bytes of memory, but only 599 bytes are free"):
        read_dataset(tmp_path, max_bytes=599)


def test_what_is_no_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the folder '.*' is empty; put images in it"):
        read_dataset(tmp_path)
    save(tmp_path / "a.png", picture(0))
    with pytest.raises(ValueError, match=r"a\.png' is a single image; give a folder of images"):
        read_dataset(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.tif", picture(0))
    with pytest.raises(ValueError, match=r"a\.tif' is a single image"):
        read_dataset(tmp_path / "a.tif")
    (tmp_path / "b").write_bytes(b"")
    with pytest.raises(ValueError, match=r"b' is an empty file; give IDX, mnist"):
        read_dataset(tmp_path / "b")
    (tmp_path / "b").write_bytes(b"hello world")
    with pytest.raises(
        ValueError, match=r"b' is not a data set in a known format; give IDX, mnist"
    ):
        read_dataset(tmp_path / "b")
    (tmp_path / "c").mkdir()
    np.save(tmp_path / "c" / "a.npy", np.zeros((2, 2)))
    with pytest.raises(
        ValueError, match="is a folder of archives or arrays; give one of its files"
    ):
        read_dataset(tmp_path / "c")


def test_stack_larger_than_memory_is_refused_with_the_sizes(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", picture(0, (6, 40, 50)), photometric="minisblack")
    refusal = (
        r"stack.tif' needs 12.0 kB of memory, but only 11.9 kB are free; give a smaller data set\."
    )
    with pytest.raises(ValueError, match=refusal):
        read_dataset(tmp_path / "stack.tif", max_bytes=11_900)
    assert len(read_dataset(tmp_path / "stack.tif", max_bytes=12_000).train) == 6
