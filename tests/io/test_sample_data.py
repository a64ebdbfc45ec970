"""The samples are there, are what they claim to be, and are small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage

from napari_colorkde.io import sample_data
from napari_colorkde.io.images import read_image
from napari_colorkde.io.sample_data import SAMPLES, sample_path

PHOTOGRAPHS = [name for name in SAMPLES if not name.endswith(".csv")]


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_are_byte_for_byte_their_source(name: str) -> None:
    source = Path(skimage.__file__).parent / "data" / name
    assert sample_path(name).read_bytes() == source.read_bytes()


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_are_8_bit_rgb(name: str) -> None:
    image = read_image(sample_path(name))
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.shape[-1] == 3


def test_every_file_has_its_source_and_license() -> None:
    folder = sample_path("coffee.png").parent
    files = {path.name for path in folder.iterdir()} - {"README.md"}
    assert files == set(SAMPLES)
    readme = (folder / "README.md").read_text("utf-8")
    rows = {line.split("`")[1]: line for line in readme.splitlines() if line.startswith("| `")}
    assert set(rows) == files
    assert all(row.count("|") == 5 and row.split("|")[4].strip() for row in rows.values())


def test_samples_are_small() -> None:
    assert sum(sample_path(name).stat().st_size for name in SAMPLES) < 2_500_000


def test_installed_samples_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "napari_colorkde"
    installed = package / "sample_data" / "coffee.png"
    beside = tmp_path / "sample_data" / "coffee.png"
    monkeypatch.setattr(sample_data, "PACKAGE", package)
    for path in (beside, installed):
        path.parent.mkdir(parents=True)
        path.touch()
        assert sample_path("coffee.png") == path


def test_unknown_sample_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match=r"sample 'lena\.png' does not exist; use one of astronaut"
    ):
        sample_path("lena.png")


def test_missing_samples_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_data, "PACKAGE", tmp_path / "napari_colorkde")
    with pytest.raises(FileNotFoundError, match=r"is missing from .* reinstall napari-colorkde"):
        sample_path("coffee.png")
