"""Commands on files of kinds that readers get wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_colorkde import load_kernels
from napari_colorkde.cli import main
from tests import hard_files

Refused = Callable[..., str]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def direct_density(points: NDArray, colors: NDArray, sigma: float) -> NDArray[np.float64]:
    """Sum the Gaussians of all colors at each of the points, in float64."""
    points, colors = np.asarray(points, np.float64), np.asarray(colors, np.float64)
    total = [np.exp(-0.5 * ((colors - p) ** 2).sum(axis=1) / sigma**2).mean() for p in points]
    return np.array(total) / (np.sqrt(2 * np.pi) * sigma) ** colors.shape[1]


def test_infrared_is_no_alpha(tmp_path: Path, refused: Refused) -> None:
    case = hard_files.red_green_blue_infrared(tmp_path)
    words = ["density", case["file"], "--bandwidth", "4", "--log", "-o", "infrared.npy"]
    assert "--channels 0,1,2" in refused(*words)
    assert main([*words, "--channels", "0,1,2"]) == 0
    rgb = np.load(case["rgb"]).reshape(-1, 3)
    right = np.log(direct_density(rgb[::40], rgb, case["sigma"]))
    np.testing.assert_allclose(np.load("infrared.npy").ravel()[::40], right, atol=1e-4)


def test_a_table_of_events_is_no_gray_picture(tmp_path: Path, refused: Refused) -> None:
    case = hard_files.event_table(tmp_path)
    words = ["volume", case["file"], "--bandwidth", "20", "--bins", "32", "-o", "events.npz"]
    assert "holds a table of 5000 × 2 numbers; give --channel-axis -1 if" in refused(*words)
    assert main([*words, "--channel-axis", "-1"]) == 0
    with np.load("events.npz") as file:
        values, axes = file["values"], [file["axis_0"], file["axis_1"]]
    assert values.shape == (32, 32)
    spots = np.argwhere(values > 0.2 * values.max())[::7]
    points = np.stack([axes[i][spots[:, i]] for i in range(2)], axis=1)
    right = direct_density(points, np.load(case["file"]), case["sigma"])
    error = np.abs(values[tuple(spots.T)] - right).max()
    assert error <= case["tolerance_of_the_peak"] * values.max()
    assert main([*words, "--channel-axis", "none"]) == 0
    with np.load("events.npz") as file:
        assert file["values"].ndim == 1


def test_labels_may_be_entries_of_a_palette(tmp_path: Path) -> None:
    case = hard_files.palette_png_labels(tmp_path)
    names = [word for n, name in case["names"].items() for word in ("--name", f"{n}={name}")]
    words = ["fit", case["file"], "--labels", case["labels"], *names, "-k", "1", "-o", "voc.json"]
    assert main(words) == 0
    found = load_kernels("voc.json")
    assert sorted(found) == sorted(case["names"].values())
    for label, name in case["names"].items():
        np.testing.assert_allclose(found[name].means[0], case["means"][label], atol=1e-3)
