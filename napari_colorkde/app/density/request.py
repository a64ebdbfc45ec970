"""Requests for the density and their results: frozen values, which compute nothing."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.density.class_query import ClassQuery
from napari_colorkde.app.density.color_coordinates import PaletteCoordinates
from napari_colorkde.app.density.colors_on_screen import ColorsOnScreen, ReadCodes
from napari_colorkde.app.density.estimation import CoordinatesKDE
from napari_colorkde.app.settings.state_values import Bandwidth
from napari_colorkde.app.settings.view_settings import FIRST_AXES, Axes
from napari_colorkde.app.state import State
from napari_colorkde.core.classification.bayes import log_density_level
from napari_colorkde.core.device import Device
from napari_colorkde.core.kde.estimators.boundary import Boundary
from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
from napari_colorkde.core.mixture.cached_terms import Contributions
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.palette.palette import Palette

FIRST_FRACTION = 0.95
"""The first threshold of a density leaves this part of the pixels above it."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """The KDE of a palette and its volume, in the units of a color space.

    `coordinates` are the palette's in that space; the KDE knows no others. `kde` answers for more
    colors and for logarithms while this bandwidth is current; it holds a lattice of up to 64 MB,
    and so it is let go of before the next one is made. `boundary` and `varying` are those of the
    KDE, and so is `full_covariance`, where the volume is of fewer channels; None elsewhere.
    `notice` is a sentence about a bandwidth that was chosen from the pixels, "" if there is
    nothing to say.
    """

    palette: Palette = field(repr=False)
    bandwidth: Bandwidth
    kde: CoordinatesKDE | None = field(repr=False)
    volume: DensityVolume = field(repr=False)
    coordinates: PaletteCoordinates = field(repr=False)
    seconds: float
    notice: str = ""
    boundary: Boundary = "none"
    varying: bool = False
    full_covariance: NDArray[np.float64] | None = field(default=None, repr=False)

    @property
    def covariance(self) -> NDArray[np.float64]:
        """Covariance ``(C, C)`` of the kernels, in all channels."""
        return self.volume.covariance if self.full_covariance is None else self.full_covariance

    def is_asked(self, request: "DensityRequest | State | Estimate") -> bool:
        """Whether it is of the estimator and the bandwidth that are asked for."""
        return (self.bandwidth, self.boundary, self.varying) == (
            request.bandwidth,
            request.boundary,
            request.varying,
        )

    @property
    def sigmas(self) -> tuple[float, ...]:
        """Standard deviation of the kernels along each channel, in units of the space."""
        return tuple(np.sqrt(np.diagonal(self.covariance)).tolist())


@dataclass(frozen=True, eq=False)
class ColorValues:
    """What the overlay shows.

    Attributes
    ----------
    values
        ``(U,)``, one per palette entry: densities, natural logs where the request asked for them,
        or the answer to its question.
    limits
        Contrast limits that suit them.
    is_exact
        False for a preview.
    seconds
        From the start of the computation.
    """

    request: "DensityRequest"
    values: NDArray[Any] = field(repr=False)
    limits: tuple[float, float]
    is_exact: bool
    seconds: float

    @property
    def log(self) -> bool:
        """Whether the values are logarithms of a density."""
        return self.request.log and self.request.query is None

    @cached_property
    def first_threshold(self) -> float:
        """The threshold of a density that leaves `FIRST_FRACTION` of the pixels above it."""
        return log_density_level(self.values, self.request.palette.counts, FIRST_FRACTION)

    @property
    def kind(self) -> tuple[object, ...]:
        """What can be compared: values of one kind lie in the same range and look alike."""
        query = self.request.query
        if query is None:
            return "density", self.log, self.request.kernels is not None
        if query.show == "class":
            return query.show, len(query.names)
        return query.show, query.cls, query.against if query.show == "ratio" else None


@dataclass(frozen=True, eq=False)
class DensityRequest:
    """What to compute, and from what.

    Attributes
    ----------
    kernels
        The mixture to show; None shows the KDE of the palette itself.
    known
        An estimate of this palette with this bandwidth that is at hand.
    contributions
        What the kernels of earlier requests added to this palette's colors; it keeps those of this
        one.
    question
        What to ask of the classes of the kernels in place of their density.
    space
        The color space of the KDE.
    boundary, varying
        See `ColorKDE`.
    coordinates
        The palette in that space, if it is at hand.
    is_sample
        Whether the palette is that of a sample of the pixels, of which a preview will do.
    read_codes, on_screen, others
        Of many colors what reads the codes of the pixels on the screen, what is known of their
        colors, and the values that all colors have before. None where the kernels are evaluated at
        all at once.
    """

    palette: Palette = field(repr=False)
    bandwidth: Bandwidth
    log: bool
    kernels: KernelSet | None
    device: Device
    previous: Estimate | None = field(default=None, repr=False)
    contributions: Contributions | None = field(default=None, repr=False)
    query: ClassQuery | None = None
    space: str = "rgb"
    boundary: Boundary = "none"
    varying: bool = False
    coordinates: PaletteCoordinates | None = field(default=None, repr=False)
    axes: Axes = FIRST_AXES
    is_sample: bool = False
    read_codes: ReadCodes | None = field(default=None, repr=False)
    on_screen: ColorsOnScreen | None = field(default=None, repr=False)
    others: NDArray[np.float32] | None = field(default=None, repr=False)


_NUMBERS = (
    "show",
    "space",
    "bandwidth",
    "boundary",
    "varying",
    "kernel_sets",
    "kernel_set",
    "log",
)

COMPUTED_FIELDS = (*_NUMBERS, "shown_classification")
"""Fields of the state whose change asks for other numbers."""

STATE_FIELDS = ("channels", *_NUMBERS, "classification")
"""The fields, and those of the image, as the state has them."""


def ask_for_same(state: State, other: State, *more: str) -> bool:
    """Whether two states ask for the same values, and have the same in `more` fields."""
    return all(getattr(state, name) == getattr(other, name) for name in (*COMPUTED_FIELDS, *more))
