"""Data sets of vectors from archives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_colorkde.io.datasets import read_dataset

DIGITS = Path(__file__).parents[1] / "data" / "mnist_30_digits.npz"


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path / "set.npz", **arrays)
    return path / "set.npz"


def test_digits_are_flattened_and_not_scaled() -> None:
    digits = read_dataset(DIGITS)
    assert digits.test is not None
    for vectors in (digits.train, digits.valid, digits.test):
        assert vectors.shape == (10, 784)
        assert vectors.dtype == np.uint8
        assert vectors.max() == 255


def test_scale_divides_in_float64() -> None:
    scaled, plain = read_dataset(DIGITS, scale=256), read_dataset(DIGITS)
    assert scaled.train.dtype == np.float64
    np.testing.assert_array_equal(scaled.train * 256, plain.train)


def test_names_of_other_libraries_are_understood(tmp_path: Path) -> None:
    path = save(
        tmp_path,
        X_train=np.zeros((3, 2)),
        y_train=np.zeros(3),
        X_val=np.ones((2, 2)),
        x_test=np.full((1, 2), 2.0),
    )
    found = read_dataset(path)
    assert found.test is not None
    assert [len(found.train), len(found.valid), len(found.test)] == [3, 2, 1]


def test_test_set_may_be_missing(tmp_path: Path) -> None:
    path = save(tmp_path, train=np.zeros((3, 2)), valid=np.zeros((2, 2)))
    assert read_dataset(path).test is None


def test_numbers_become_vectors_of_one(tmp_path: Path) -> None:
    path = save(tmp_path, train=np.arange(5), validation=np.arange(3))
    assert read_dataset(path).train.shape == (5, 1)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"train": [[1.0]]}, r"has no array 'valid' \(of train\); give train, valid and, if you l"),
        ({"valid": [[1.0]]}, r"has no array 'train' \(of valid\)"),
        ({}, r"has no array 'train' \(of none\)"),
        (
            {"train": [[1.0]], "X_train": [[1.0]], "valid": [[1.0]]},
            r"holds the arrays train, X_train; keep one of them as 'train'",
        ),
        (
            {"train": [[1.0, 2.0]], "valid": [[1.0]]},
            "vectors of 'valid' have 1 numbers, those of 'train' 2; all need as many",
        ),
        (
            {"train": [[1.0]] * 3, "valid": [[1.0], [2.0], [np.nan], [np.inf]]},
            "'valid' has NaN or inf in 2 of 4 items, the first of them item 2; leave them out",
        ),
        ({"train": [["a"]], "valid": [[1.0]]}, "'train' holds <U1 with shape .* give real numbers"),
        ({"train": np.zeros((0, 2)), "valid": [[1.0]]}, "give real numbers, one item or more"),
        ({"train": 1.0, "valid": [[1.0]]}, "give real numbers, one item or more"),
    ],
)
def test_faulty_archive_is_refused(tmp_path: Path, arrays: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^data set '.*set.npz'.*{sentence}"):
        read_dataset(save(tmp_path, **arrays))


def test_objects_are_refused(tmp_path: Path) -> None:
    objects = np.array([{}], dtype=object)
    with pytest.raises(
        ValueError, match=r"is not a readable \.npz archive of numbers; save the arr"
    ):
        read_dataset(save(tmp_path, train=objects, valid=objects))


@pytest.mark.parametrize("content", [b"", b"hello world", DIGITS.read_bytes()[:3000]])
def test_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "set.npz").write_bytes(content)
    with pytest.raises(
        ValueError, match=r"is not a readable \.npz archive of numbers; save the arr"
    ):
        read_dataset(tmp_path / "set.npz")


def test_single_array_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "set.npy", np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"is not a readable \.npz archive of numbers"):
        read_dataset(tmp_path / "set.npy")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"data set '.*set\.npz' does not exist"):
        read_dataset(tmp_path / "set.npz")


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf])
def test_scale_must_be_positive(scale: float) -> None:
    with pytest.raises(ValueError, match=r"^scale=.*; give a positive number, such as 256"):
        read_dataset(DIGITS, scale=scale)
