"""IDX files, alone and as MNIST's folder."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_colorkde.io.datasets import read_dataset
from tests.io.datasets.layouts import IDX_TYPES, digits, idx_bytes, write


@given(
    hnp.arrays(
        st.sampled_from(list(IDX_TYPES)),
        hnp.array_shapes(min_dims=2, max_side=5),
        elements=st.integers(0, 127),
    ),
    st.sampled_from(["set", "set.gz"]),
)
def test_every_type_and_shape_opens(
    tmp_path_factory: pytest.TempPathFactory, array: Any, name: str
) -> None:
    found = read_dataset(write(tmp_path_factory.mktemp("idx") / name, idx_bytes(array)))
    np.testing.assert_array_equal(found.train, array.reshape(len(array), -1))
    assert found.train.dtype == array.dtype
    assert found.valid is None
    assert found.test is None


def mnist(folder: Path, suffix: str = "") -> Path:
    for part, n in (("train", 5), ("t10k", 3)):
        labels = np.arange(n, dtype=np.uint8)
        write(folder / f"{part}-images-idx3-ubyte{suffix}", idx_bytes(digits(n, n)))
        write(folder / f"{part}-labels-idx1-ubyte{suffix}", idx_bytes(labels))
    return folder


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_folder_of_mnist_has_both_parts_and_labels(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "README").write_text("digits", encoding="utf-8")
    found = read_dataset(mnist(tmp_path, suffix))
    assert found.test is not None
    np.testing.assert_array_equal(found.train.reshape(5, 28, 28), digits(5, 5))
    np.testing.assert_array_equal(found.test.reshape(3, 28, 28), digits(3, 3))
    assert found.valid is None
    assert found.image_shape == (28, 28)
    assert found.labels["train"].tolist() == [0, 1, 2, 3, 4]
    assert found.labels["test"].tolist() == [0, 1, 2]
    assert found.labels["test"].dtype == np.int64


def test_packed_and_unpacked_copies_are_one(tmp_path: Path) -> None:
    mnist(tmp_path / "raw", ".gz")
    assert len(read_dataset(mnist(tmp_path / "raw")).train) == 5
    assert len(read_dataset(tmp_path).train) == 5  # a folder in a folder, as torchvision has it


def test_format_is_found_by_content(tmp_path: Path) -> None:
    path = tmp_path / "digits.npz"
    path.write_bytes(gzip.compress(idx_bytes(digits(4))))
    assert read_dataset(path).train.shape == (4, 784)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(("change", "sentence"), [
    (lambda b: b[:-1], r"declares 4 × 28 × 28 numbers \(3\.1 kB\) but is cut off after 3135 byte"),
    (lambda b: b[:18], r"but is cut off after 2 bytes; give the whole file"),
    (lambda b: b[:9], r"is an IDX file cut off in its header; give the whole file"),
    (lambda b: b + b"\0", r"but is longer than that; give an undamaged IDX file"),
])  # fmt: skip
def test_wrong_length_is_refused(tmp_path: Path, suffix: str, change: Any, sentence: str) -> None:
    path = write(tmp_path / f"train{suffix}", change(idx_bytes(digits(4))))
    with pytest.raises(ValueError, match=rf"^data set '.*train{suffix}' .*{sentence}"):
        read_dataset(path)


def test_declared_gigabytes_are_not_believed(tmp_path: Path) -> None:
    header = struct.pack(">BBBBIII", 0, 0, 8, 3, 1 << 31, 1 << 10, 1 << 10)
    path = write(tmp_path / "train", header + bytes(100))
    with pytest.raises(ValueError, match=r"\(2\.3 PB\) but is cut off after 100 bytes"):
        read_dataset(path)
    path = write(tmp_path / "train.gz", header + bytes(100))
    with pytest.raises(ValueError, match=r"\(2\.3 PB\), more than a gzip file of \d+ bytes can ho"):
        read_dataset(path)


def test_set_larger_than_memory_is_refused_with_the_sizes(tmp_path: Path) -> None:
    path = write(tmp_path / "train.gz", idx_bytes(np.zeros((100, 28, 28), np.uint8)))
    with pytest.raises(
        ValueError, match=r"needs 78\.4 kB of memory, but only 70\.0 kB are free; give a"
    ):
        read_dataset(path, max_bytes=70_000)


def test_labels_alone_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "train-labels.gz", idx_bytes(np.arange(5, dtype=np.uint8)))
    with pytest.raises(ValueError, match="holds one whole number per item, as labels do; give the"):
        read_dataset(path)


def test_folder_without_training_images_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "t10k-images", idx_bytes(digits(2)))
    with pytest.raises(ValueError, match=r"has no IDX file of training images \(of t10k-images\)"):
        read_dataset(tmp_path)


def test_names_that_say_nothing_or_the_same_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "train-a", idx_bytes(digits(2)))
    write(tmp_path / "train-b", idx_bytes(digits(2)))
    with pytest.raises(ValueError, match="has two files of train images, 'train-a' and 'train-b'"):
        read_dataset(tmp_path)
    (tmp_path / "train-b").rename(tmp_path / "more")
    with pytest.raises(ValueError, match="file 'more': the name does not say which split it is"):
        read_dataset(tmp_path)


def test_other_number_of_labels_is_refused(tmp_path: Path) -> None:
    mnist(tmp_path)
    write(tmp_path / "train-labels-idx1-ubyte", idx_bytes(np.arange(4, dtype=np.uint8)))
    with pytest.raises(
        ValueError, match=r"'train' has 5 items but labels of shape \(4,\); give on"
    ):
        read_dataset(tmp_path)


def test_images_of_another_size_are_refused(tmp_path: Path) -> None:
    mnist(tmp_path)
    write(tmp_path / "t10k-images-idx3-ubyte", idx_bytes(digits(3)[:, :27]))
    with pytest.raises(
        ValueError, match="vectors of 'test' have 756 numbers, those of 'train' 784"
    ):
        read_dataset(tmp_path)


DAMAGES = {"cut off": slice(None, -20), "without its end": slice(None, -4)}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_gzip_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "train.gz"
    path.write_bytes(gzip.compress(idx_bytes(digits(4)))[DAMAGES[name]])
    with pytest.raises(ValueError, match=r"is a damaged gzip file \(.*\); copy it again"):
        read_dataset(path)


def test_gzip_with_another_checksum_is_refused(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(idx_bytes(digits(4))))
    content[-6] ^= 1
    (tmp_path / "train.gz").write_bytes(content)
    with pytest.raises(ValueError, match=r"is a damaged gzip file \(CRC check failed.*\); copy it"):
        read_dataset(tmp_path / "train.gz")


def test_gzip_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(b"hello world")
    with pytest.raises(
        ValueError, match=r"has a gzip suffix but is not a gzip file; give IDX, mnist\.pkl\.gz,"
    ):
        read_dataset(tmp_path / "a.gz")
