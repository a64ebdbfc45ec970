"""Which regions are measured: the whole image, or those of a layer."""

from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox, PushButton
from qtpy.QtWidgets import QHBoxLayout, QLabel, QWidget

from napari_colorkde.app.image.source import unwrap_proxy
from napari_colorkde.app.results.layer_regions import can_be_regions
from napari_colorkde.app.results.measuring import Measuring

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Labels, Shapes

WHOLE = ""
"""In place of a layer of regions: the whole image is measured."""


class RegionChooser(QWidget):
    """A list of the layers that can be regions, and a button that opens a file of some.

    Parameters
    ----------
    viewer
        Whose Labels and Shapes layers can be regions.
    measuring
        Measures those that are chosen.
    """

    def __init__(self, viewer: "Viewer", measuring: Measuring) -> None:
        super().__init__()
        self._viewer, self._measuring = viewer, measuring
        self.regions = ComboBox(
            name="regions",
            choices=self._choices,
            tooltip="Measure the whole image, each label of a Labels layer, or each shape of a "
            "Shapes layer; shapes with the same name are one region.",
        )
        self.open_button = PushButton(
            name="open_regions",
            text="Open…",
            tooltip="Read polygons from a GeoJSON file, such as QuPath exports, into a Shapes "
            "layer, and measure them.",
        )
        beside = QHBoxLayout(self)
        beside.setContentsMargins(0, 0, 0, 0)
        label = QLabel("regions")
        label.setBuddy(self.regions.native)
        beside.addWidget(label)
        beside.addWidget(self.regions.native)
        beside.addWidget(self.open_button.native)
        self.regions.native.setAccessibleName("regions")
        self.open_button.native.setAccessibleName("open regions")
        self.regions.changed.connect(self._on_regions)

    def reset_choices(self) -> None:
        """Follow the layer list."""
        with self.regions.changed.blocked():
            self.regions.reset_choices()
            chosen = self._measuring.regions
            if chosen is not None and chosen not in self._viewer.layers:
                self._measuring.regions = chosen = None
            self.regions.value = WHOLE if chosen is None else chosen

    def _on_regions(self, layer: "Labels | Shapes | str") -> None:
        self._measuring.regions = None if isinstance(layer, str) else layer

    def _choices(self, widget: object) -> list[tuple[str, "Labels | Shapes | str"]]:
        layers = [unwrap_proxy(layer) for layer in reversed(self._viewer.layers)]
        found: list[tuple[str, Labels | Shapes | str]] = [
            (layer.name, layer) for layer in layers if can_be_regions(layer)
        ]
        return [("the whole image", WHOLE), *found]
