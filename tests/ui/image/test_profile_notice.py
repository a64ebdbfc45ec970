from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile

from napari_colorkde.app.density.command import command_line
from napari_colorkde.app.image.layer_files import remember_file
from napari_colorkde.cli import main
from napari_colorkde.io.images import load_image
from tests.ui.conftest import Dock

pytestmark = [pytest.mark.window, pytest.mark.usefixtures("flat_color_space")]


def test_a_profile_is_named_and_converted(
    dock: Dock, tmp_path: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "wide.tif"
    levels = np.random.default_rng(3).integers(20, 230, (30, 40, 3), dtype=np.uint8)
    profile = imagecodecs.cms_profile("adobergb")
    tifffile.imwrite(path, levels, photometric="rgb", iccprofile=profile)
    widget = dock()
    viewer, notice = widget._viewer, widget.profile
    layer = viewer.add_image(load_image(path).pixels, name="wide", rgb=True, scale=(2, 3))
    remember_file(layer, path)
    widget.chooser.look_at(layer)
    qtbot.waitUntil(notice.isVisible)
    assert notice.text.text().startswith("Color profile: ")
    assert widget.session.source.path == str(path)
    notice.convert_button.click()
    widget.session.wait()
    assert not notice.isVisible()
    converted = widget.overlay.image
    assert converted.name == f"{path.stem} sRGB"
    np.testing.assert_array_equal(converted.scale, layer.scale)
    wanted = load_image(path, icc="convert").pixels
    np.testing.assert_array_equal(converted.data, wanted)
    assert not np.array_equal(layer.data, wanted)
    # The command reads it so.
    words = shlex.split(command_line(widget.session.state, widget.session.source))
    assert words[words.index("--icc") + 1] == "convert"
    assert main(words[1:]) == 0
    (written,) = tmp_path.glob("*-density.tif")
    shown = np.asarray(widget.overlay.layer.data)
    np.testing.assert_allclose(tifffile.imread(written), shown, rtol=1e-4)
    widget.chooser.look_at(layer)
    qtbot.waitUntil(notice.isVisible)
    viewer.layers.remove(layer)
    viewer.layers.remove(converted)
