"""Measuring the current image for the results table, with the current state."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_colorkde.app.background.error_sentences import user_message
from napari_colorkde.app.background.executor import Executor, Progress
from napari_colorkde.app.background.jobs import Jobs
from napari_colorkde.app.image.pixels.pixels_and_area import PixelArea, pixel_area
from napari_colorkde.app.image.source import unwrap_proxy
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.results.layer_regions import MakeRegions, regions_of_layer
from napari_colorkde.app.results.measure_image import ClassChoices, MeasureRequest, measure_image
from napari_colorkde.app.results.results_table import ResultsTable, image_label
from napari_colorkde.app.selection.from_layers import drawing_events
from napari_colorkde.app.session import Session
from napari_colorkde.connections import Connections
from napari_colorkde.core.csv_and_frames import Row
from napari_colorkde.core.palette.palette import Palette

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Shapes
    from napari.utils.events import Event


@dataclass(frozen=True)
class _Measured:
    """All that the rows of an image depend on.

    Attributes
    ----------
    palette, choices, area
        Colors, classes and the size of a pixel.
    layer, n_strokes
        The layer of regions, and how often it was drawn on.
    """

    palette: Palette
    choices: ClassChoices
    area: PixelArea | None
    layer: "Labels | Shapes | None"
    n_strokes: int


class Measuring:
    """Puts the image at hand into the table, and keeps its rows there as they should be.

    Parameters
    ----------
    viewer
        Shows the image, and the layers that are regions.
    session, overlay
        Whose image, with whose state.
    table
        Gets the rows.
    executor
        Runs the work: its own, so that the overlay need not wait.

    Rows of the image that are in the table follow the state: colors, classes and the size of a
    pixel, the layer of regions and what is drawn there.
    """

    failed = Signal(str, description="Why the image was not measured; a sentence.")

    def __init__(
        self,
        viewer: "ViewerModel",
        session: Session,
        overlay: Overlay,
        table: ResultsTable,
        executor: Executor,
    ) -> None:
        self._viewer = unwrap_proxy(viewer)
        self._session, self._overlay, self._table = session, overlay, table
        self._executor = executor
        self._jobs = Jobs(executor, ("row",), lambda: None)
        self._connections, self._strokes = Connections(), Connections()
        self._connections.add(session.idle, self._follow)
        self._connections.add(self._viewer.layers.events.removed, self._on_removed)
        self._layer: Labels | Shapes | None = None
        self._n_strokes = 0
        self._measured: _Measured | None = None
        self._follows = True

    @property
    def follows(self) -> bool:
        """Whether rows of the image that are in the table follow the state."""
        return self._follows

    @follows.setter
    def follows(self, follows: bool) -> None:
        self._follows = follows
        self._follow()

    @property
    def regions(self) -> "Labels | Shapes | None":
        """The layer whose labels or shapes are regions; None measures the whole image."""
        return self._layer

    @regions.setter
    def regions(self, layer: "Labels | Shapes | None") -> None:
        layer = None if layer is None else unwrap_proxy(layer)
        if layer is self._layer:
            return
        self._strokes.close()
        self._layer = layer
        if layer is not None:
            for name in drawing_events(layer):
                self._strokes.add(getattr(layer.events, name), self._on_stroke)
        self._follow()

    def add(self) -> None:
        """Measure the image at hand in the background and put its rows into the table.

        Raises
        ------
        ValueError
            If there is no image, or the regions do not fit it.
        """
        self._regions_of_image()  # refused at once
        self._session.when_ready(self._measure)

    def wait(self, timeout: float | None = 60.0) -> bool:
        """Return, when nothing is measured any more, whether that was so within `timeout` s."""
        return self._executor.wait(lambda: not self._jobs.busy, timeout)

    def close(self) -> None:
        """Stop the work and let go of the session. The table stays."""
        self._connections.close()
        self._strokes.close()
        self._jobs.close()
        self._measured = self._layer = None

    def _on_stroke(self, event: object) -> None:
        self._n_strokes += 1
        self._follow()

    def _on_removed(self, event: "Event") -> None:
        if self._layer is not None and unwrap_proxy(event.value) is self._layer:
            self.regions = None

    def _follow(self) -> None:
        """Measure again where the rows in the table are not those of the state any more."""
        source, asked = self._session.source, self._asked()
        if not self._follows or self._session.busy or source is None or asked is None:
            return
        is_there = self._table.has(image_label(source), by_region=self._layer is not None)
        if asked != self._measured and is_there:
            try:
                self._measure()
            except ValueError as error:
                self._measured = asked  # said once
                self.failed.emit(user_message(error))

    def _asked(self) -> "_Measured | None":
        """Return what is to be measured now; None without an image, or while it is counted."""
        source, channels, index = self._session.source, self._session.channels, self._session.index
        if source is None or channels is None or index is None or index.is_preview:
            return None
        choices, area = ClassChoices.of(self._session.state), pixel_area(source, channels)
        return _Measured(index.palette, choices, area, self._layer, self._n_strokes)

    def _measure(self) -> None:
        session = self._session
        source, channels, index = session.source, session.channels, session.index
        asked = self._asked()
        if source is None or channels is None or index is None or asked is None:
            return
        request = MeasureRequest(
            source,
            channels,
            index,
            asked.choices,
            asked.area,
            self._regions_of_image(),
            session.device,
        )
        self._measured = asked
        self._jobs.submit("row", lambda: measure_image(request), self._on_result, self._on_end)

    def _regions_of_image(self) -> MakeRegions | None:
        """Return what makes the regions; None for the whole image."""
        source, channels = self._session.source, self._session.channels
        image, layer = self._overlay.image, self._layer
        if layer is None or image is None or source is None or channels is None:
            return None
        return regions_of_layer(layer, image, source, channels, self._viewer.dims)

    def _on_result(self, result: "Progress | list[Row]") -> None:
        if not isinstance(result, Progress):
            self._table.put(result)

    def _on_end(self, error: Exception | None) -> None:
        if error is not None:
            self.failed.emit(user_message(error))
