"""Frames of a stack together, or one by one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_colorkde.app.background.executor import SynchronousExecutor
from napari_colorkde.app.density.command import command_line
from napari_colorkde.app.density.script import python_script
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.layer_files import remember_file
from napari_colorkde.app.image.pixels import pixel_index
from napari_colorkde.app.results.measuring import Measuring
from napari_colorkde.app.results.results_table import ResultsTable
from napari_colorkde.cli import main
from napari_colorkde.core.kde.color_kde import ColorKDE
from tests.app.layers.test_overlay import Setting, density_at, setting

__all__ = ["setting"]

RNG = np.random.default_rng(5)
MOVIE = RNG.integers(0, 200, (4, 20, 30, 3)).astype(np.uint8)
MOVIE[2] //= 2


def shown(setting: Setting, frame: Any) -> np.ndarray:
    layer = setting.layer
    return np.asarray((layer.data[0] if layer.multiscale else layer.data)[frame])


def test_one_by_one_each_has_its_own_density(setting: Setting) -> None:
    setting.show(MOVIE, rgb=True, scale=(2, 1, 1), translate=(10, 0, 0))
    together = shown(setting, 2)
    np.testing.assert_allclose(together, density_at(MOVIE)[2])
    setting.overlay.per_frame = True
    setting.viewer.dims.set_point(0, 14)
    np.testing.assert_allclose(shown(setting, 2), density_at(MOVIE[2]))
    assert np.isnan(shown(setting, 1)).all()
    palette = setting.session.palette
    setting.viewer.dims.set_point(1, 3)
    assert setting.session.palette is palette
    setting.viewer.dims.set_point(0, 12)
    np.testing.assert_allclose(shown(setting, 1), density_at(MOVIE[1]))
    assert setting.layer.name == "photo density"
    setting.overlay.per_frame = False
    np.testing.assert_allclose(shown(setting, 2), together)


@pytest.mark.parametrize("budget", [1 << 28, 2000], ids=["kept", "looked up"])
def test_the_axis_of_channels_may_lie_anywhere(
    setting: Setting, monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    build = pixel_index.build_index
    monkeypatch.setattr(
        "napari_colorkde.app.image.counting_steps.build_index",
        lambda *given: build(*given, budget=budget),
    )
    stack = np.moveaxis(MOVIE[..., :2], -1, 1)
    setting.show(stack, rgb=False, axis_labels=("t", "c", "y", "x"))
    assert setting.session.channels.axis == 1
    setting.overlay.per_frame = True
    setting.viewer.dims.set_point(0, 2)
    wanted = density_at(MOVIE[2, ..., :2])
    np.testing.assert_allclose(shown(setting, (2, 0)), wanted)
    assert np.isnan(shown(setting, (3, 1))).all()
    # Other channels, other frames.
    setting.session.channels = Channels(("photo",))
    np.testing.assert_allclose(shown(setting, (2, 0)), density_at(stack[2, 0]))


def test_rows_and_files_are_those_of_the_frame(
    setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tifffile.imwrite("movie.tif", MOVIE, photometric="rgb")
    image = setting.show(MOVIE, rgb=True, name="movie")
    remember_file(image, "movie.tif")
    table = ResultsTable()
    measuring = Measuring(
        setting.viewer, setting.session, setting.overlay, table, SynchronousExecutor()
    )
    setting.overlay.per_frame = True
    setting.overlay.attach(image)
    for frame in (1, 2):
        setting.viewer.dims.set_point(0, frame)
        measuring.regions = setting.viewer.add_labels(np.ones(MOVIE.shape[:3], np.uint8))
        measuring.add()
        measuring.regions = None
        measuring.add()
    means = {(r["frame"], r["region"]): r["mean_g"] for r in table.rows}
    for frame in (1, 2):
        for region in ("", "1"):
            assert means[str(frame), region] == pytest.approx(MOVIE[frame, ..., 1].mean())
    measuring.close()
    # Exported, as a script and as a command.
    session = setting.session
    session.export(tmp_path / "frame.npy")
    wanted = shown(setting, 2)
    np.testing.assert_array_equal(np.load("frame.npy"), wanted)
    assert session.description()["frame"] == [2]
    names: dict[str, Any] = {}
    exec(python_script(session.state, session.source), names)
    np.testing.assert_allclose(names["density"], wanted, rtol=1e-5)
    words = shlex.split(command_line(session.state, session.source))
    assert main(words[1:]) == 0
    written = tifffile.imread("movie-density.tif")
    np.testing.assert_allclose(written[2], wanted, rtol=1e-5)
    np.testing.assert_allclose(written[0], ColorKDE(MOVIE[0]).density(MOVIE[0]), rtol=1e-5)
