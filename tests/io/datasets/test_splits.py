"""Splits as in the experiment that this follows, and memory."""

from __future__ import annotations

import io
import json
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.core import reference
from napari_colorkde.core.vectors.grid_search import grid_search
from napari_colorkde.io.datasets import DataSet, memory, read_dataset, split
from tests.io.datasets.layouts import python2_batch, python2_mnist

DIGITS = Path(__file__).parents[2] / "data" / "mnist_30_digits.npz"
SEED = 1573368177


def dataset(n: int = 10, valid: int = 0, test: int = 0, d: int = 3) -> DataSet:
    rows = np.arange((n + valid + test) * d, dtype=np.uint8).reshape(-1, d)
    train, own_valid, own_test = np.split(rows, [n, n + valid])
    return DataSet(
        "set", Path("set"), train, own_valid if valid else None, own_test if test else None
    )


@given(st.integers(2, 200), st.integers(1, 4), st.integers(0, 2**32 - 1), st.data())
def test_shuffle_is_that_of_random_state_on_the_array(n: int, d: int, seed: int, data: Any) -> None:
    rows = np.random.default_rng(0).random((n, d))
    n_train = data.draw(st.integers(1, n - 1))
    n_valid = data.draw(st.integers(1, n - n_train))
    found = split(
        DataSet("s", Path("s"), rows.copy(), rows[:1], None),
        train=n_train,
        valid=n_valid,
        shuffle=True,
        seed=seed,
    )
    np.random.RandomState(seed).shuffle(rows)
    np.testing.assert_array_equal(found.train, rows[:n_train])
    np.testing.assert_array_equal(found.valid, rows[n_train : n_train + n_valid])


def test_shuffle_of_the_source_is_that_of_the_global_generator() -> None:
    whole = np.arange(60000, dtype=np.float32).reshape(-1, 2)
    found = split(DataSet("s", Path("s"), whole.copy()), train=9, valid=7, shuffle=True, seed=SEED)
    np.random.seed(SEED)  # noqa: NPY002  # as the source has it
    np.random.shuffle(whole)  # noqa: NPY002
    np.testing.assert_array_equal(found.train, whole[:9])
    np.testing.assert_array_equal(found.valid, whole[9:16])


def test_published_log_likelihoods_come_out_of_the_digits() -> None:
    known = json.loads(DIGITS.with_suffix(".json").read_text())
    parts = split(read_dataset(DIGITS), train=10, valid=10, test=10, scale=256)
    found = grid_search(parts.train, parts.valid, known["sigmas"], parts.test, device="cpu")
    np.testing.assert_allclose(found.scores, known["valid_float64"], atol=1e-3, rtol=1e-6)
    np.testing.assert_allclose(found.scores, known["valid_published"], rtol=1e-6, atol=5e-4)
    assert found.best_sigma == known["best_sigma"]
    assert found.test_score == pytest.approx(known["test_published"], abs=1e-3)


def test_files_own_parts_are_used_without_shuffle() -> None:
    whole = dataset(10, 5, 4)
    found = split(whole)
    for part in ("train", "valid", "test"):
        np.testing.assert_array_equal(getattr(found, part), getattr(whole, part))
    found = split(whole, train=3, valid=2, test=1)
    for part, n in (("train", 3), ("valid", 2), ("test", 1)):
        np.testing.assert_array_equal(getattr(found, part), getattr(whole, part)[:n])


def test_missing_parts_are_cut_from_the_training_vectors() -> None:
    rows = dataset(10).train
    found = split(dataset(10), valid=3, test=2)
    assert found.test is not None
    np.testing.assert_array_equal(found.train, rows[:5])
    np.testing.assert_array_equal(found.valid, rows[5:8])
    np.testing.assert_array_equal(found.test, rows[8:])
    found = split(dataset(10, test=2), train=4, valid=3)
    np.testing.assert_array_equal(found.valid, rows[4:7])
    assert found.test is not None
    assert len(found.test) == 2
    assert split(dataset(10), valid=3).test is None


def test_shuffle_leaves_the_data_set_as_it_is() -> None:
    whole = dataset(10)
    before = whole.train.copy()
    found = split(whole, valid=3, shuffle=True, seed=1)
    np.testing.assert_array_equal(whole.train, before)
    rows = np.concatenate([found.train, found.valid])
    np.testing.assert_array_equal(rows[np.argsort(rows[:, 0])], before)
    again = split(whole, valid=3, shuffle=True)
    np.testing.assert_array_equal(again.train, split(whole, valid=3, shuffle=True, seed=0).train)


@pytest.mark.parametrize("dtype", ["u1", "f4", "f8", "b1"])
def test_scale_divides_in_float64(dtype: str) -> None:
    numbers = np.array([[0, 1], [1, 0], [1, 1]], dtype)
    whole = DataSet("s", Path("s"), numbers, numbers[:1], numbers[1:])
    found = split(whole, scale=3)
    assert found.test is not None
    for part in (found.train, found.valid, found.test):
        assert part.dtype == np.float64
    np.testing.assert_array_equal(found.train, numbers.astype(np.float64) / 3)
    assert split(whole).train.dtype == numbers.dtype


@pytest.mark.parametrize("dtype", ["f2", "f4", "u1", "i8"])
def test_search_raises_no_warning_for_any_dtype(dtype: str) -> None:
    rows = (np.random.default_rng(0).random((12, 3)) * 8).astype(dtype)
    parts = split(DataSet("s", Path("s"), rows), valid=4)
    found = grid_search(parts.train, parts.valid, [0.5, 2], device="cpu")
    expected = [
        reference.kde_log_density(parts.valid, parts.train, sigma**2 * np.eye(3)).mean()
        for sigma in (0.5, 2)
    ]
    np.testing.assert_allclose(found.scores, expected, rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"train": 0}, r"train=0 is an empty split; give 1 or more"),
        ({"valid": -1}, r"valid=-1 is an empty split; give 1 or more"),
        ({"test": 0}, r"test=0 is an empty split"),
        ({"seed": 1}, r"seed=1 has no effect without shuffle; give both or neither"),
        ({"shuffle": True, "seed": -1}, r"seed=-1; give a whole number from 0 to 4294967295"),
        ({"shuffle": True, "seed": 1 << 32}, r"seed=4294967296; give a whole number"),
        ({"scale": 0.0}, r"scale=0\.0; give a positive number, such as 256"),
        ({"scale": -1.0}, r"scale=-1\.0; give"),
        ({"scale": np.nan}, r"scale=nan; give"),
        ({"scale": np.inf}, r"scale=inf; give"),
        ({}, r"'set' has no validation split; set valid to how many of its 10 training"),
        ({"valid": 10}, r"'set' has 10 training vectors, but 1 for training, 10 for validation"),
        ({"train": 8, "valid": 3}, r"but 8 for training, 3 for validation were requested"),
        ({"train": 5, "valid": 3, "test": 3}, r"5 for training, 3 for validation, 3 for test were"),
    ],
)
def test_impossible_split_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        split(dataset(10), **options)


def test_more_than_the_files_own_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="has 5 validation vectors, but 6 were requested"):
        split(dataset(10, 5, 4), valid=6)
    with pytest.raises(ValueError, match="has 4 test vectors, but 5 were requested"):
        split(dataset(10, 5, 4), test=5)


def test_scaled_vectors_that_do_not_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_colorkde.io.datasets.splits.available_bytes", lambda: 300)
    with pytest.raises(
        ValueError, match="scaled to float64, needs 360 bytes of memory, but only 300"
    ):
        split(dataset(10, 5), scale=255)


def test_scaled_vectors_that_would_not_fit_are_not_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((10, 6), np.uint8))
    np.savez(tmp_path / "b.npz", train=np.zeros((5, 6), np.uint8), test=np.zeros((5, 6), np.uint8))
    tifffile.imwrite(tmp_path / "c.tif", np.zeros((10, 3, 2), np.uint8), photometric="minisblack")
    for name in ("a.npy", "b.npz", "c.tif"):
        with pytest.raises(
            ValueError, match="scaled to float64, needs 540 bytes of memory, but only 500"
        ):
            read_dataset(tmp_path / name, max_bytes=500, scaled=True)
        assert len(read_dataset(tmp_path / name, max_bytes=500).train) >= 5


IMAGES, LABELS = np.random.default_rng(0).random((100, 300)).astype(np.float32), np.arange(100) % 10
PICKLES = {
    "Python 2": python2_mnist([(IMAGES, LABELS)] * 3, 2),
    "protocol 3": pickle.dumps(((IMAGES, LABELS),) * 3, 3),
    "protocol 4": pickle.dumps(((IMAGES, LABELS),) * 3, 4),
}


@pytest.mark.parametrize("content", PICKLES.values(), ids=PICKLES)
def test_scaled_arrays_of_a_pickle_are_refused_before_they_are_read(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    assert len(read_dataset(path, max_bytes=600_000).train) == 100
    # Refused although most of it is not there.
    path.write_bytes(content[:2000])
    with pytest.raises(ValueError, match=r"scaled to float64, needs 360\.0 kB of memory, but only"):
        read_dataset(path, max_bytes=300_000, scaled=True)


@pytest.mark.parametrize("protocol", [2, 5])
def test_scaled_arrays_of_other_protocols_are_refused_one_by_one(
    tmp_path: Path, protocol: int
) -> None:
    path = tmp_path / "a.pkl"
    pairs = [(IMAGES, LABELS), (IMAGES + 1, LABELS)]
    path.write_bytes(pickle.dumps(pairs, protocol)[:-9000])
    with pytest.raises(ValueError, match=r"scaled to float64, needs 360\.0 kB of memory, but only"):
        read_dataset(path, max_bytes=300_000, scaled=True)


def test_scaled_archives_of_cifar_are_refused_before_they_are_read(tmp_path: Path) -> None:
    images = np.zeros((4, 3072), np.uint8)
    batch = python2_batch({"data": images, "labels": [0, 1, 2, 3]})
    with tarfile.open(tmp_path / "c.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
        member.size = len(batch)
        archive.addfile(member, io.BytesIO(batch))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "data_batch_1").write_bytes(batch)
    for name in ("c.tar.gz", "folder"):
        assert len(read_dataset(tmp_path / name, max_bytes=60_000).train) == 4
        with pytest.raises(ValueError, match=r"scaled to float64, needs 12.* kB of memory, but"):
            read_dataset(tmp_path / name, max_bytes=60_000, scaled=True)


def test_shuffled_and_scaled_vectors_are_refused_before_they_are_moved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("napari_colorkde.io.datasets.splits.available_bytes", lambda: 255)
    rows = dataset(10, 0, 0)
    monkeypatch.setattr(np.random, "RandomState", None)
    with pytest.raises(
        ValueError, match="scaled to float64, needs 270 bytes of memory, but only 255"
    ):
        split(rows, valid=2, shuffle=True, scale=255)


def test_free_memory_is_known_and_smaller_than_all_of_it() -> None:
    assert 1 << 20 < memory.available_bytes() < 1 << 50


def test_shuffled_copy_larger_than_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_colorkde.io.datasets.splits.available_bytes", lambda: 10)
    dataset = DataSet("set", Path("set"), np.zeros((8, 4), np.uint8))
    with pytest.raises(ValueError, match="shuffled, needs 24 bytes of memory, but only 10 b"):
        split(dataset, train=4, valid=2, shuffle=True)
    assert len(split(dataset, train=4, valid=2).train) == 4
