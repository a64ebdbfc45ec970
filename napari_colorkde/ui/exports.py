"""What leaves the dock: the density as a file, the volume in a viewer of its own."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_colorkde.app.background.error_sentences import user_message
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.session import Session
from napari_colorkde.io.export_formats import density_suffixes, file_filter
from napari_colorkde.ui.colorspace.base_view import BaseColorSpaceView
from napari_colorkde.ui.report_errors import sentence
from napari_colorkde.ui.volume.viewer import VolumeLayers, make_layers, open_viewer
from napari_colorkde.ui.window.open_files import refuse_open_file
from napari_colorkde.ui.window.save_dialog import with_suffix

if TYPE_CHECKING:
    from napari import Viewer


class Exports:
    """Writes and shows what the session has computed.

    Parameters
    ----------
    viewer
        Whose open files are not to be written over.
    session, overlay
        What has been computed, and how it looks.
    parent
        Of the dialogs.
    """

    failed = Signal(str, description="What the user asked for cannot be done; a sentence.")

    def __init__(
        self, viewer: "Viewer", session: Session, overlay: Overlay, parent: QWidget
    ) -> None:
        self._viewer = viewer
        self._session, self._overlay, self._parent = session, overlay, parent

    def ask_export(self) -> None:
        """Ask for a file and write the density there."""
        image = self._overlay.image
        name = f"{image.name} density.tif" if image is not None else "density.tif"
        path, chosen = QFileDialog.getSaveFileName(
            self._parent, "Export density", name, file_filter()
        )
        if not path:
            return
        self.export(with_suffix(path, chosen, density_suffixes()))

    def export(self, path: str | Path) -> None:
        """Write the density that is shown to a file in the background."""
        layer = self._overlay.layer
        try:
            refuse_open_file(self._viewer, path)
            if layer is None:
                self._session.export(path)
            else:
                # A picture looks as the layer does.
                low, high = map(float, layer.contrast_limits)
                colors = layer.colormap.map(np.linspace(0, 1, 256))[:, :3]
                self._session.export(path, colormap=colors, limits=(low, high))
        except (ValueError, OSError) as error:
            self.failed.emit(user_message(error))

    def show_volume(self, view_of: Callable[[], BaseColorSpaceView | None]) -> None:
        """Show the density volume in a viewer of its own, as soon as there is one.

        Parameters
        ----------
        view_of
            Tells the view whose colors it then has; None: those of the image.
        """
        try:
            self._session.when_ready(lambda: self._open_volume(view_of()))
        except ValueError:
            self.failed.emit("There is no volume without an image; choose one first.")

    def _open_volume(self, view: BaseColorSpaceView | None) -> None:
        estimate, channels = self._session.estimate, self._session.channels
        image = self._overlay.image
        if estimate is None or channels is None or image is None:
            return  # the image went meanwhile
        coordinates = estimate.coordinates
        color_of = coordinates.color_of
        if view is not None:
            color_of = view.color_of(estimate.palette, coordinates)
        make = partial(
            make_layers,
            estimate.volume,
            coordinates.names(channels),
            color_of=color_of,
            shells=self._session.view.shells,
            up=coordinates.up,
            unit=coordinates.unit,
        )
        title = image.name

        def show(layers: VolumeLayers) -> None:
            open_viewer(layers, title)

        self._session.run("labels", make, show, self._on_end, keep=True)

    def _on_end(self, problem: str | None) -> None:
        if problem is not None:
            self.failed.emit(sentence(problem))
