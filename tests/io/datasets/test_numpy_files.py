"""Data sets of vectors from NumPy's files."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_colorkde.io.datasets import read_dataset
from tests.io.datasets.layouts import write

DIGITS = Path(__file__).parents[2] / "data" / "mnist_30_digits.npz"


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path / "set.npz", **arrays)
    return path / "set.npz"


def test_digits_are_flattened_and_not_scaled() -> None:
    digits = read_dataset(DIGITS)
    assert digits.valid is not None
    assert digits.test is not None
    assert (digits.name, digits.path) == ("mnist_30_digits.npz", DIGITS)
    for vectors in (digits.train, digits.valid, digits.test):
        assert vectors.shape == (10, 784)
        assert vectors.dtype == np.uint8
        assert vectors.max() == 255


def test_names_of_other_libraries_are_understood(tmp_path: Path) -> None:
    path = save(
        tmp_path,
        X_train=np.zeros((3, 2)),
        y_train=np.zeros(3),
        X_val=np.ones((2, 2)),
        x_test=np.full((1, 2), 2.0),
    )
    found = read_dataset(path)
    assert found.valid is not None
    assert found.test is not None
    assert [len(found.train), len(found.valid), len(found.test)] == [3, 2, 1]


def test_only_training_data_are_needed(tmp_path: Path) -> None:
    found = read_dataset(save(tmp_path, train=np.zeros((3, 2))))
    assert found.valid is None
    assert found.test is None


def test_labels_are_kept_beside_their_part(tmp_path: Path) -> None:
    path = save(
        tmp_path,
        x_train=np.zeros((3, 4, 5)),
        y_train=np.array([2, 0, 1], np.uint8),
        x_test=np.zeros((2, 4, 5)),
        y_test=np.zeros((2, 10)),
    )
    found = read_dataset(path)
    assert found.image_shape == (4, 5)
    assert {part: labels.tolist() for part, labels in found.labels.items()} == {"train": [2, 0, 1]}


def test_array_alone_is_training_data(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", np.ones((3, 2)))
    np.save(tmp_path / "b.npy", np.ones((3, 2), ">f4"))
    np.save(tmp_path / "fortran.npy", np.asfortranarray(np.ones((3, 2, 3, 3))))
    (tmp_path / "c").write_bytes(gzip.compress((tmp_path / "b.npy").read_bytes()))
    shapes = {"a.npz": (3, 2), "b.npy": (3, 2), "c": (3, 2), "fortran.npy": (3, 18)}
    for name, shape in shapes.items():
        found = read_dataset(tmp_path / name)
        assert found.train.shape == shape
        assert found.train.dtype.isnative
    assert found.image_shape == (2, 3, 3)


@given(
    hnp.arrays(
        st.sampled_from(["u1", "<f4", ">f8", "i2", "b1"]),
        hnp.array_shapes(min_dims=2, max_side=4),
        elements=st.integers(0, 1),
    ),
    st.booleans(),
    st.booleans(),
)
def test_whatever_numpy_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, array: Any, fortran: bool, packed: bool
) -> None:
    path = tmp_path_factory.mktemp("set") / "set.npz"
    stored = np.asarray(array, order="F" if fortran else "C")
    (np.savez_compressed if packed else np.savez)(path, train=stored, valid=stored)
    found = read_dataset(path)
    np.testing.assert_array_equal(found.train, array.reshape(len(array), -1))
    assert found.valid is not None
    np.testing.assert_array_equal(found.valid, found.train)


def npy_of(shape: tuple[int, ...], content: bytes = b"") -> bytes:
    stream = io.BytesIO()
    fields = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, fields)
    return stream.getvalue() + content


@pytest.mark.parametrize("suffix", [".npy", ".npy.gz"])
def test_declared_size_is_checked_against_memory_and_file(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"set{suffix}", npy_of((1 << 20, 1 << 20)))
    with pytest.raises(ValueError, match=r"needs 8\.8 TB of memory, but only .* are free; give a"):
        read_dataset(path)
    write(path, npy_of((100, 2), bytes(1599)))
    with pytest.raises(
        ValueError,
        match=r"declares 100 × 2 numbers \(1\.6 kB\) but is cut off after 1599 bytes; give the who",
    ):
        read_dataset(path)
    write(path, npy_of((100, 2), bytes(1601)))
    with pytest.raises(
        ValueError, match=r"is longer than its header declares; give an undamaged file"
    ):
        read_dataset(path)


def test_archive_that_declares_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("train.npy", npy_of((1 << 30, 1 << 10), bytes(64)))
    with pytest.raises(ValueError, match=r"'train' declares .* \(8\.8 TB\) but has 64 bytes; give"):
        read_dataset(tmp_path / "set.npz")


def test_archive_larger_than_memory_is_refused_with_the_sizes(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "set.npz", train=np.zeros((1000, 100)))
    with pytest.raises(ValueError, match=r"needs 800\.0 kB of memory, but only 799\.0 kB are free"):
        read_dataset(tmp_path / "set.npz", max_bytes=799_000)
    assert len(read_dataset(tmp_path / "set.npz", max_bytes=800_000).train) == 1000


def test_labels_alone_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", np.arange(5))
    with pytest.raises(ValueError, match=r"holds one whole number per item, as labels do; give t"):
        read_dataset(tmp_path / "y.npy")


def test_numbers_become_vectors_of_one(tmp_path: Path) -> None:
    path = save(tmp_path, train=np.arange(5), validation=np.arange(3))
    assert read_dataset(path).train.shape == (5, 1)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        (
            {"valid": [[1.0]]},
            r"has no array 'train' \(of valid\); give train and, if you like, vali",
        ),
        ({}, r"has no array 'train' \(of none\)"),
        (
            {"train": [[1.0]], "X_train": [[1.0]], "valid": [[1.0]]},
            r"holds the arrays train, X_train; keep one of them as 'train'",
        ),
        (
            {"train": [[1.0, 2.0]], "valid": [[1.0]]},
            "vectors of 'valid' have 1 numbers, those of 'train' 2; all must have",
        ),
        (
            {"train": [[1.0]] * 3, "valid": [[1.0], [2.0], [np.nan], [np.inf]]},
            "'valid' has NaN or inf in 2 of 4 items, the first of them item 2; leave them out",
        ),
        ({"train": [["a"]], "valid": [[1.0]]}, "'train' holds <U1 with shape .* give real numbers"),
        ({"train": np.zeros((0, 2)), "valid": [[1.0]]}, "give real numbers, with one or more"),
        ({"train": 1.0, "valid": [[1.0]]}, "give real numbers, with one or more"),
    ],
)
def test_faulty_archive_is_refused(tmp_path: Path, arrays: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^data set '.*set.npz'.*{sentence}"):
        read_dataset(save(tmp_path, **arrays))


def test_objects_are_refused(tmp_path: Path) -> None:
    objects = np.array([{}], dtype=object)
    with pytest.raises(ValueError, match=r"'train' holds objects; only arrays of numbers are read"):
        read_dataset(save(tmp_path, train=objects, valid=objects))


@pytest.mark.parametrize("end", [10, 100, 3000, 5516])
def test_archive_cut_off_is_refused(tmp_path: Path, end: int) -> None:
    (tmp_path / "set.npz").write_bytes(DIGITS.read_bytes()[:end])
    with pytest.raises(ValueError, match=r"is not a readable \.npy or \.npz file of numbers; save"):
        read_dataset(tmp_path / "set.npz")


def test_damaged_archive_is_refused(tmp_path: Path) -> None:
    content = bytearray(DIGITS.read_bytes())
    content[1000] ^= 0xFF
    (tmp_path / "set.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"is not a readable \.npy or \.npz file of numbers; save"):
        read_dataset(tmp_path / "set.npz")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"data set '.*set\.npz' does not exist"):
        read_dataset(tmp_path / "set.npz")
