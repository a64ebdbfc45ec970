"""Everything that ties the color-space view to the image, the kernels and the layer list."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_colorkde.app.kernels.picking import Picker
from napari_colorkde.app.layers.looks import Looks
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.session import Session
from napari_colorkde.connections import Connections
from napari_colorkde.ui.colorspace.ellipsoid_editor import KernelEllipsoids
from napari_colorkde.ui.colorspace.layer_highlight import LayerHighlight
from napari_colorkde.ui.colorspace.menus.difference import DifferenceChooser
from napari_colorkde.ui.colorspace.pixel_readout import PixelReadout
from napari_colorkde.ui.colorspace.region_selection import RegionSelection
from napari_colorkde.ui.colorspace.view import ColorSpaceView
from napari_colorkde.ui.kernels.kernel_table_view import KernelTableView

if TYPE_CHECKING:
    from napari import Viewer


class ColorSpaceLinks:
    """Ties a view that has a canvas to all else.

    Parameters
    ----------
    viewer
        A napari viewer or a proxy of one.
    session, overlay, view, table, picker, looks
        What is tied together.
    say
        Is given the sentences of what cannot be.

    Attributes
    ----------
    readout, regions, highlight, difference, ellipsoids
        One tie each.
    """

    def __init__(
        self,
        viewer: "Viewer",
        session: Session,
        overlay: Overlay,
        view: ColorSpaceView,
        table: KernelTableView,
        picker: Picker,
        looks: Looks,
        say: Callable[[str], None],
    ) -> None:
        canvas = view.canvas
        if canvas is None:
            raise ValueError("view must be open, not closed.")
        self._view = view
        self.readout = PixelReadout(viewer, session, overlay, canvas)
        self.regions = RegionSelection(viewer, session, overlay, canvas, view.bar, picker)
        self.highlight = LayerHighlight(viewer, session, overlay, canvas)
        self.difference = DifferenceChooser(viewer, session, overlay)
        self.ellipsoids = KernelEllipsoids(canvas, session, table)
        self._connections = Connections()
        for part in (view, self.regions, self.difference):
            self._connections.add(part.failed, say)
        self._connections.add(view.tool_changed, self.regions.set_tool)
        view.set_difference_source(self.difference)
        view.menu.looks.source = looks

    def close(self) -> None:
        """Untie everything, before the view is closed."""
        self._view.set_difference_source(None)
        self._view.menu.looks.source = None
        self._connections.close()
        for part in (self.readout, self.regions, self.highlight, self.difference, self.ellipsoids):
            part.close()
