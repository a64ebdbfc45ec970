"""The view of an image of more than three channels, and the widgets that have one for each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.session import Session
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.ui.colorspace.ellipsoid_editor import KernelEllipsoids
from napari_colorkde.ui.colorspace.view import ColorSpaceView
from napari_colorkde.ui.density.bandwidth_control import BandwidthControl
from napari_colorkde.ui.kernels.kernel_table_model import KernelTableModel
from napari_colorkde.ui.kernels.kernel_table_view import KernelTableView
from tests.app.density.test_many_channels import FIVE, source_of_channels

pytestmark = pytest.mark.window

RGB = np.random.default_rng(0).integers(40, 90, (12, 10, 3)).astype(np.uint8)


def test_three_axes_are_chosen_named_and_told(qtbot: Any) -> None:
    session = Session()
    view = ColorSpaceView(session, "dark")
    qtbot.addWidget(view)
    view.show()
    assert view.canvas is not None
    session.open(source_of_array(RGB))
    assert view.axes.isHidden()
    session.open(source_of_channels(FIVE))
    assert not view.axes.isHidden()
    assert view.axes.text.text() == "Shown: channel 0, channel 1, channel 2 (3 of 5 channels)."
    view.axes.channels[0].value = 4
    assert session.view.axes == (4, 1, 2)
    view.axes.channels[1].value = 4  # the two change places
    assert session.view.axes == (1, 4, 2)
    assert [choice.value for choice in view.axes.channels] == [1, 4, 2]
    shown = view.canvas.space
    assert shown is not None
    assert shown.names == ("channel 1", "channel 4", "channel 2")
    table = KernelTableView(KernelTableModel(lambda mean: (0.0, 0.0, 0.0)))
    qtbot.addWidget(table)
    session.kernels = KernelSet([Kernel(FIVE[0, 0].astype(float), [30.0, 40, 50, 60, 70], 1.0)])
    table.kernel_model.show(session.kernels, session.channels.names)
    ellipsoids = KernelEllipsoids(view.canvas, session, table)
    before = session.kernels[0]
    ellipsoids._on_moved(0, before.mean[[1, 4, 2]] + [5, 0, -3])
    np.testing.assert_allclose(session.kernels[0].mean - before.mean, [0, 5, -3, 0, 0])
    ellipsoids._on_reshaped(0, np.diag([90.0, 70, 50]))
    np.testing.assert_allclose(session.kernels[0].covariance, [30, 90, 50, 60, 70])
    view.axes.kind.value = "principal"
    assert session.view.axes is None
    assert view.axes.text.text().startswith("Shown: principal axes of 5 channels (")
    assert view.axes.channels[0].native.isHidden()
    assert view.canvas.space.names == ("axis 1", "axis 2", "axis 3")
    ellipsoids.close()
    view.close_view()
    session.close()


def test_each_of_many_channels_has_its_sigma(qtbot: Any) -> None:
    control = BandwidthControl()
    qtbot.addWidget(control)
    control.show()
    control.set((1.0, 2.0, 3.0, 4.0, 5.0), ("a", "b", "c", "d", "e"))
    assert [box.isVisible() for box in control.boxes] == [True] * 5
    control.link_button.setChecked(False)
    control.boxes[4].setValue(6.0)
    assert control.value == (1.0, 2.0, 3.0, 4.0, 6.0)
    control.set((2.0,), ("red", "green", "blue"))
    assert control.value == 2.0
    assert [box.isVisible() for box in control.boxes] == [True] * 3 + [False] * 2
