"""A region drawn in the color space: its pixels light up in the image and may be kept."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_colorkde.app.background.error_sentences import user_message
from napari_colorkde.app.background.executor import Progress, Work
from napari_colorkde.app.density.color_coordinates import PaletteCoordinates
from napari_colorkde.app.image.pixels.pixels_and_area import pixel_area
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
from napari_colorkde.app.selection.combining import combined, grown, shrunk
from napari_colorkde.app.selection.samples import samples_of_colors
from napari_colorkde.app.session import Session
from napari_colorkde.app.state import State
from napari_colorkde.connections import Connections
from napari_colorkde.scene.canvas import ColorSpaceCanvas
from napari_colorkde.scene.geometry.regions import BallRegion
from napari_colorkde.ui.colorspace.region_bar import RegionBar

if TYPE_CHECKING:
    from napari import Viewer

LAYER_NAME = "selection"
HIGHLIGHT_NAME = "selected"
"""Of the layer that lights the pixels up. It may lie beside a selection that was kept."""


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
        viewer: "Viewer",
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
        self.chosen: NDArray[np.bool_] | None = None
        self._drawing = self._is_dragging = False
        self._before: NDArray[np.bool_] | None = None
        self._is_drawn = False
        self._marked: tuple[PaletteCoordinates | None, NDArray[np.bool_] | None] = (None, None)
        self._painting = False
        self._connections = Connections()
        for signal, callback in (
            (self.mask.removed, self._on_removed),
            (canvas.region_changed, self._on_changed),
            (canvas.region_drawn, self._on_drawn),
            (bar.labels_button.clicked, self.keep_as_labels),
            (bar.kernel_button.clicked, self.make_kernel),
            (bar.clear_button.clicked, self.clear),
            (bar.grow.triggered, self.grow),
            (bar.shrink.triggered, self.shrink),
            (bar.invert.triggered, self.invert),
            (session.source_changed, self.clear),
            (session.counted_changed, self.clear),
            (session.state_changed, self._on_state),
            (session.idle, self._offer_again),
            (session.estimate_changed, self._mark),
        ):
            self._connections.add(signal, callback)

    def close(self) -> None:
        """Select nothing and let go of all of them."""
        self._connections.close()
        self.chosen = None
        self.mask.close()

    def clear(self, *args: object) -> None:
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

    def keep_as_labels(self, *args: object) -> None:
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

        self._wait_for(lambda: paint_labels(index, chosen), done)

    def _on_end(self, problem: str | None) -> None:
        self._offer_again()
        if problem is not None:
            self.failed.emit(problem)

    def _is_preview(self) -> bool:
        """Return whether only a sample of the image is known as yet; say so if it is."""
        if (index := self._session.index) is None or not index.is_preview:
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

    def make_kernel(self, *args: object) -> None:
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
        self._begin()
        self._select(region, done=False)

    def _begin(self) -> None:
        """Remember what was selected when a drag begins."""
        if not self._is_dragging:
            self._is_dragging = True
            self._before = self.chosen

    @property
    def _mode(self) -> str:
        held = self._canvas.region_mode
        return self._bar.mode if held == "new" else held

    def _select(self, region: Region, *, done: bool) -> None:
        coordinates = self._coordinates()
        if coordinates is None:
            return
        self._painting = False
        chosen = combined(self._before, palette_mask(region, coordinates), self._mode)
        after = ""
        if isinstance(region, BallRegion):
            after = f", {radius_text(region.radius, coordinates)}"
        self._choose(chosen, coordinates, after, done=done)

    def _choose(
        self,
        chosen: NDArray[np.bool_],
        coordinates: PaletteCoordinates,
        after: str = "",
        *,
        done: bool = True,
    ) -> None:
        """Select colors, and say how much that is."""
        self.chosen = chosen
        self.mask.show(chosen)
        self.mask.raise_to_top()
        area = pixel_area(self._session.source, self._session.channels)
        text = selection_text(chosen, coordinates.palette, area) + after
        self._bar.show_selection(text, done=done)
        self._is_drawn = done
        self._mark()

    def _change(self, change: Callable[..., NDArray[np.bool_]]) -> None:
        """Grow or shrink the selection by a bandwidth, in the background."""
        coordinates, estimate = self._coordinates(), self._session.estimate
        chosen = self.chosen
        if coordinates is None or estimate is None or chosen is None:
            return
        colors, sigmas = coordinates.own.colors, estimate.sigmas

        def work() -> Iterator[Progress | NDArray[np.bool_]]:
            yield Progress("changing the selection")
            yield change(chosen, colors, sigmas)

        def done(changed: NDArray[np.bool_]) -> None:
            if self.chosen is chosen and self._coordinates() is coordinates:
                self._choose(changed, coordinates)

        self._wait_for(work, done)

    def _wait_for(self, work: Work, done: Callable[[NDArray[Any]], None]) -> None:
        """Offer nothing while something is made of the selection."""
        self._bar.show_selection(self._bar.summary.text(), done=False)
        self._painting = True
        self._session.run("labels", work, done, self._on_end, keep=True)

    def grow(self, *args: object) -> None:
        """Select colors within a bandwidth of the selected ones, too."""
        self._change(grown)

    def shrink(self, *args: object) -> None:
        """Select only colors that have no other ones within a bandwidth."""
        self._change(shrunk)

    def invert(self, *args: object) -> None:
        """Select all other colors."""
        coordinates = self._coordinates()
        if coordinates is not None and self.chosen is not None:
            self._choose(~self.chosen, coordinates)

    def _mark(self, *args: object) -> None:
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
        self._begin()
        self._is_dragging = False
        coordinates = self._coordinates()
        if region is not None and coordinates is not None:
            self._select(region, done=True)
        elif self._before is not None and coordinates is not None and self._mode != "new":
            self._choose(self._before, coordinates)  # a click or Esc adds and subtracts nothing
        else:
            self.clear()
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
