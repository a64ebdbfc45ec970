"""The work of measuring an image for the results table, and all that it depends on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.density.class_query import resolve_classes
from napari_colorkde.app.density.density_steps import check_channels
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.pixels.pixel_blocks import colors_in_blocks
from napari_colorkde.app.image.pixels.pixel_index import PixelIndex
from napari_colorkde.app.image.pixels.pixels_and_area import PixelArea
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.app.results.layer_regions import MakeRegions
from napari_colorkde.app.results.row_layout import measured_rows
from napari_colorkde.app.state import State
from napari_colorkde.core.classification.classify_colors import classify_colors
from napari_colorkde.core.classification.measure import measure_palette, measure_regions
from napari_colorkde.core.csv_and_frames import Row
from napari_colorkde.core.device import Device
from napari_colorkde.core.mixture.kernels import KernelSet

if TYPE_CHECKING:
    pass


class MeasureOptions(TypedDict):
    """How classes are classified: see `classify_colors`."""

    priors: Mapping[str, float] | None
    keep_mass: float | None
    device: Device


@dataclass(frozen=True)
class ClassChoices:
    """What the classes of a state are: the arguments of `classify_colors`.

    Attributes
    ----------
    kernels
        Sets by name; None where the image's own colors are shown.
    priors, keep_mass
        As in `classify_image`.
    """

    kernels: Mapping[str, KernelSet] | None = None
    priors: Mapping[str, float] | None = None
    keep_mass: float | None = None

    @classmethod
    def of(cls, state: State) -> "ClassChoices":
        """Read them off a state."""
        query = resolve_classes(state) if state.show == "kernels" else None
        if query is None:
            return cls()
        return cls(dict(query.sets), query.priors, state.classification.keep_mass)

    def options(self, device: Device) -> "MeasureOptions":
        """Return them as arguments beside the kernels."""
        return MeasureOptions(priors=self.priors, keep_mass=self.keep_mass, device=device)

    def check(self, n_channels: int) -> None:
        """Refuse kernels of other channels.

        Raises
        ------
        ValueError
            If they do not fit.
        """
        for kernels in (self.kernels or {}).values():
            check_channels(kernels, n_channels)


@dataclass(frozen=True, eq=False)
class MeasureRequest:
    """An image to be measured.

    Attributes
    ----------
    source, channels
        The image, and which of its numbers are its colors.
    choices
        The classes.
    area
        Of a pixel; None where it is not known.
    index
        Which color each pixel has.
    regions
        Makes regions; None for the whole.
    """

    source: ImageSource
    channels: Channels
    index: PixelIndex = field(repr=False)
    choices: ClassChoices
    area: PixelArea | None
    regions: MakeRegions | None = field(repr=False)
    device: Device


def measure_image(request: MeasureRequest) -> Iterator[Progress | list[Row]]:
    """Measure an image; yields its rows at the end."""
    yield Progress("measuring")
    choices, options = request.choices, request.choices.options(request.device)
    choices.check(request.index.palette.n_channels)
    frame = request.source.frame(request.channels)
    palette = request.index.palette
    if request.regions is None:
        found = measure_palette(classify_colors(palette, choices.kernels, **options))
    else:
        n_axes = len(request.source.shape(request.channels)) - len(frame)
        is_small = request.source.is_in_memory or request.index.cached_stride == 1
        found = measure_regions(
            request.source.read(request.channels, (*frame, *(slice(None),) * n_axes))
            if is_small
            else colors_in_blocks(request.source, request.channels),
            request.regions(request.index),
            choices.kernels,
            **options,
        )
    yield measured_rows(request.source, found, frame, request.area)
