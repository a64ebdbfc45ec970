"""Which files are data sets, and which may be images."""

from __future__ import annotations

import pickle
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from napari_colorkde.io.datasets import is_dataset
from tests.io.datasets.layouts import idx_bytes


def test_files_that_can_be_images_are_no_data_sets(tmp_path: Path) -> None:
    iio.imwrite(tmp_path / "a.png", np.zeros((4, 5), np.uint8))
    np.save(tmp_path / "a.npy", np.zeros((4, 5)))
    for name in ("a.png", "a.npy", "missing.npz"):
        assert not is_dataset(tmp_path / name)


def test_folders_and_formats_of_data_sets_are(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.bin", train=np.zeros((4, 5)))
    (tmp_path / "images").write_bytes(idx_bytes(np.zeros((2, 3, 3), np.uint8)))
    (tmp_path / "set.pkl").write_bytes(pickle.dumps({"train": np.zeros((4, 5))}))
    for name in ("a.bin.npz", "images", "set.pkl", "."):
        assert is_dataset(tmp_path / name)


@pytest.mark.parametrize("name", ["a.npz", "a.pkl.gz"])
def test_damaged_files_are_told_apart_by_content_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"nothing that is known")
    assert not is_dataset(tmp_path / name)
