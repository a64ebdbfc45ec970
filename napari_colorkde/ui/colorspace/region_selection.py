"""A region drawn in the color space: its pixels light up in the image and may be kept."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_colorkde.app.background.reports import user_message
from napari_colorkde.app.density.color_coordinates import PaletteCoordinates
from napari_colorkde.app.image.region_size import pixel_area
from napari_colorkde.app.image.source import unwrap_proxy
from napari_colorkde.app.kernels.picking import Picker
from napari_colorkde.app.layers.mask_layer import MaskLayer, add_labels, paint_labels
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.selection.color_region import (
    Region,
    palette_mask,
    radius_text,
    selection_text,
)
from napari_colorkde.app.selection.samples import samples_of_colors
from napari_colorkde.app.session import Session
from napari_colorkde.app.state import State
from napari_colorkde.scene.canvas import ColorSpaceCanvas
from napari_colorkde.scene.geometry.regions import BallRegion

LAYER_NAME = "selection"
HIGHLIGHT_NAME = "selected"
"""Of the layer that lights the pixels up. It may lie beside a selection that was kept."""

HELP_TEXT = "Drag over colors to select their pixels."


class RegionBar(QWidget):
    """Rows under the view: how much is selected, and what may become of it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.summary = QLabel()
        self.summary.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.labels_button = QPushButton("Keep as labels")
        self.labels_button.setToolTip("Make a Labels layer of the selected pixels.")
        self.kernel_button = QPushButton("Make kernel")
        self.kernel_button.setToolTip(
            "Add the Gaussian of the selected pixels' colors to the kernels."
        )
        self.clear_button = QPushButton("Clear")
        self.clear_button.setToolTip("Select nothing.")
        rows = QVBoxLayout(self)
        rows.setContentsMargins(6, 0, 4, 0)
        rows.setSpacing(2)
        rows.addWidget(self.summary)
        row = QHBoxLayout()
        row.setSpacing(4)
        for button in (self.labels_button, self.kernel_button, self.clear_button):
            row.addWidget(button)
        rows.addLayout(row)
        self.hide()

    def show_selection(self, text: str, *, done: bool) -> None:
        """Say how much is selected; offer what may become of it once the drawing is done."""
        self.summary.setText(text)
        self.summary.setToolTip(text)
        for button in (self.labels_button, self.kernel_button, self.clear_button):
            button.setEnabled(done)
        self.show()

    def show_help(self) -> None:
        """Say that nothing is selected yet.

        Shown before the drawing begins: to make room for it then would move the colors away from
        under the mouse.
        """
        self.show_selection(HELP_TEXT, done=False)


class RegionSelection:
    """Ties the regions of a canvas to the image.

    Parameters
    ----------
    viewer
        A napari viewer or a proxy of one.
    session, overlay
        Whose image is lit up.
    canvas
        The color-space view.
    bar
        Says how much is selected, and has the buttons.
    picker
        Makes the kernels, which keep their samples.

    Attributes
    ----------
    chosen
        The selected palette entries, ``(U,)`` bool, or None.
    """

    failed = Signal(str, description="What the user asked for cannot be; a sentence.")

    def __init__(
        self,
        viewer: Any,
        session: Session,
        overlay: Overlay,
        canvas: ColorSpaceCanvas,
        bar: RegionBar,
        picker: Picker,
    ) -> None:
        self._viewer, self._picker = unwrap_proxy(viewer), picker
        self._session, self._overlay = session, overlay
        self._canvas, self._bar = canvas, bar
        self.mask = MaskLayer(viewer, overlay, HIGHLIGHT_NAME)
        self.mask.removed.connect(self._on_removed)
        self.chosen: NDArray[np.bool_] | None = None
        self._drawing = False
        self._is_drawn = False
        self._marked: tuple[PaletteCoordinates | None, NDArray[np.bool_] | None] = (None, None)
        self._painting = False
        canvas.region_changed.connect(self._on_changed)
        canvas.region_drawn.connect(self._on_drawn)
        bar.labels_button.clicked.connect(self.keep_as_labels)
        bar.kernel_button.clicked.connect(self.make_kernel)
        bar.clear_button.clicked.connect(self.clear)
        session.source_changed.connect(self.clear)
        session.counted_changed.connect(self.clear)
        session.state_changed.connect(self._on_state)
        session.idle.connect(self._offer_again)
        session.estimate_changed.connect(self._mark)

    def close(self) -> None:
        """Select nothing and let go of all of them."""
        self._canvas.region_changed.disconnect(self._on_changed)
        self._canvas.region_drawn.disconnect(self._on_drawn)
        self._session.source_changed.disconnect(self.clear)
        self._session.counted_changed.disconnect(self.clear)
        self._session.state_changed.disconnect(self._on_state)
        self._session.idle.disconnect(self._offer_again)
        self._session.estimate_changed.disconnect(self._mark)
        self._bar.labels_button.clicked.disconnect(self.keep_as_labels)
        self._bar.kernel_button.clicked.disconnect(self.make_kernel)
        self._bar.clear_button.clicked.disconnect(self.clear)
        self.chosen = None
        self.mask.removed.disconnect(self._on_removed)
        self.mask.close()

    def clear(self, *args: Any) -> None:
        """Select nothing."""
        self.chosen, self._painting = None, False
        self._mark()
        if self._drawing:
            self.mask.show_nothing()
            self._bar.show_help()
        else:
            self.mask.hide()
            self._bar.hide()

    def set_tool(self, tool: str) -> None:
        """Be ready for a region while one can be drawn: with any `tool` but "rotate"."""
        self._drawing = tool != "rotate"
        if self.chosen is None:
            self.clear()

    def keep_as_labels(self, *args: Any) -> None:
        """Make a Labels layer of the selection, in the background."""
        index, chosen, image = self._session.index, self.chosen, self._overlay.image
        if index is None or chosen is None or image is None:
            return
        if self._is_preview():
            return
        name = f"{image.name} {LAYER_NAME}"

        def done(labels: NDArray[np.uint8]) -> None:
            if self.chosen is chosen:
                self.clear()
            add_labels(self._viewer, self._overlay, labels, name)

        self._bar.show_selection(self._bar.summary.text(), done=False)
        self._painting = True
        self._session.run(
            "labels", lambda: paint_labels(index, chosen), done, self._on_end, keep=True
        )

    def _on_end(self, problem: str | None) -> None:
        self._offer_again()
        if problem is not None:
            self.failed.emit(problem)

    def _is_preview(self) -> bool:
        """Whether only a sample of the image is known as yet; say so."""
        index = self._session.index
        if index is None or not index.is_preview:
            return False
        self.failed.emit(
            "the image's colors are still being counted; keep the selection when that is done."
        )
        return True

    def _offer_again(self) -> None:
        """Offer what may become of the selection once more, after an error or Stop."""
        if self._painting and self.chosen is not None:
            self._bar.show_selection(self._bar.summary.text(), done=True)
        self._painting = False

    def make_kernel(self, *args: Any) -> None:
        """Add the Gaussian of the selected colors to the kernels."""
        palette, chosen = self._session.palette, self.chosen
        if palette is None or chosen is None or self._is_preview():
            return
        try:
            self._picker.add(samples_of_colors(palette, chosen))
        except ValueError as error:
            self.failed.emit(user_message(error))
            return
        self.clear()

    # --- within

    def _coordinates(self) -> PaletteCoordinates | None:
        estimate, index = self._session.estimate, self._session.index
        if estimate is None or index is None or estimate.palette is not index.palette:
            return None
        return estimate.coordinates

    def _on_changed(self, region: Region) -> None:
        self._select(region, done=False)

    def _select(self, region: Region, *, done: bool) -> None:
        coordinates = self._coordinates()
        if coordinates is None:
            return
        self._painting = False
        self.chosen = palette_mask(region, coordinates)
        self.mask.show(self.chosen)
        self.mask.raise_to_top()
        area = pixel_area(self._session.source, self._session.channels)
        text = selection_text(self.chosen, coordinates.palette, area)
        if isinstance(region, BallRegion):
            text = f"{text}, {radius_text(region.radius, coordinates)}"
        self._bar.show_selection(text, done=done)
        self._is_drawn = done
        self._mark()

    def _mark(self, *args: Any) -> None:
        """Light the selected colors up in the view, once their outline is gone."""
        coordinates, chosen = self._coordinates(), self.chosen
        marked = (coordinates, chosen) if self._is_drawn else (None, None)
        if marked[0] is self._marked[0] and marked[1] is self._marked[1]:
            return  # another bandwidth does not move colors
        self._marked = marked
        if coordinates is None or chosen is None or not self._is_drawn:
            self._canvas.set_selected(np.empty((0, 1)))
        elif len(chosen) == len(coordinates.points):
            self._canvas.set_selected(coordinates.points.colors[chosen])

    def _on_drawn(self, region: Region | None) -> None:
        if region is None or self._coordinates() is None:
            self.clear()
            return
        self._select(region, done=True)
        if self.chosen is not None and not self.chosen.any():
            self.clear()

    def _on_removed(self) -> None:
        # The layer comes back with the next region, not at once.
        self.chosen, self._painting = None, False
        self._mark()
        if self._drawing:
            self._bar.show_help()
        else:
            self._bar.hide()

    def _on_state(self, state: State, before: State) -> None:
        if state.channels != before.channels:  # those of a space stay the same pixels
            self.clear()
