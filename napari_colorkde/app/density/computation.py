"""What comes of a state: colors are counted, the density is estimated, its values are computed.

A change of the state makes a frozen request, which runs in the background; results are checked
against what is current, and announced.
"""

from dataclasses import replace

from psygnal import Signal

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.background.jobs import Jobs
from napari_colorkde.app.background.reports import Reports
from napari_colorkde.app.density.class_query import resolve_classes
from napari_colorkde.app.density.color_coordinates import with_rgb_space
from napari_colorkde.app.density.compute import ColorValues, DensityRequest, Estimate, compute
from napari_colorkde.app.density.open_image import OpenImage
from napari_colorkde.app.image.counting import CountedImage, count_colors
from napari_colorkde.app.state import State
from napari_colorkde.app.store import StateStore
from napari_colorkde.core.device import Device
from napari_colorkde.core.mixture.cached_terms import Contributions
from napari_colorkde.core.palette.palette import Palette

COMPUTED_FIELDS = (
    "show",
    "space",
    "bandwidth",
    "kernel_sets",
    "kernel_set",
    "log",
    "shown_classification",
)
"""Fields of the state whose change asks for other numbers."""


class Computation:
    """Keeps an image's colors counted, and its density computed as the state asks for it.

    Parameters
    ----------
    store, image
        What is chosen, and for which image. The image's colors are counted here.
    jobs, device
        Where the work is done: in the lanes "count" and "edit".
    reports
        Hears of progress, notices and failures.

    Attributes
    ----------
    estimate, densities
        The newest results, None until there are some.
    """

    counted_changed = Signal(object, description="CountedImage.")
    estimate_changed = Signal(object, description="Estimate.")
    densities_changed = Signal(object, description="ColorValues.")

    def __init__(
        self, store: StateStore, image: OpenImage, jobs: Jobs, device: Device, reports: Reports
    ) -> None:
        self._store, self._image = store, image
        self._jobs, self._device, self._reports = jobs, device, reports
        self.estimate: Estimate | None = None
        self.densities: ColorValues | None = None
        self._contributions: Contributions | None = None

    def forget(self) -> None:
        """Let go of all results."""
        self._image.counted = self.estimate = self.densities = None
        self._contributions = self._reports.error = None

    def count(self) -> None:
        """Count the image's colors, and compute what the state asks for."""
        source, channels = self._image.source, self._image.channels(self._store.state)
        if source is not None and channels is not None:
            self._jobs.submit(
                "count",
                lambda: count_colors(source, channels),
                self._on_counted,
                self._reports.end,
            )

    def compute(self) -> None:
        """Compute what the state asks for; later, where the colors are not counted yet."""
        palette = self._image.palette
        if palette is None:
            return
        self._reports.error = None
        request = self._request(palette, self._store.state)
        self._jobs.submit(
            "edit",
            lambda: compute(request),
            self._on_computed,
            self._reports.end,
            is_picture=_is_picture,
        )

    def follow(self, state: State, before: State) -> None:
        """Compute what a change of the state asks for."""
        if any(getattr(state, name) != getattr(before, name) for name in COMPUTED_FIELDS):
            self.compute()

    # --- within

    def _request(self, palette: Palette, state: State) -> DensityRequest:
        previous = self.estimate
        coordinates = None if previous is None else previous.coordinates
        if coordinates is not None and coordinates.name != state.space:
            coordinates = None
        if previous is not None and (coordinates is None or previous.bandwidth != state.bandwidth):
            # Its lattice is large: not kept beside the next one's.
            self.estimate = replace(previous, kde=None)
            previous = None
        kernels = state.kernels if state.show == "kernels" else None
        query = None if state.shown_classification is None else resolve_classes(state)
        if query is not None:
            kernels = query.kernels
        if kernels is not None and self._contributions is None:
            self._contributions = Contributions(palette.colors, self._device)
        return DensityRequest(
            palette,
            state.bandwidth,
            state.log,
            kernels,
            self._device,
            previous,
            self._contributions,
            query,
            state.space,
            coordinates,
        )

    def _on_counted(self, result: Progress | CountedImage) -> None:
        if isinstance(result, Progress):
            self._reports.progressed.emit(result)
            return
        state = self._store.state
        if reason := self._image.conversion_error(state, result.palette):
            # Chosen for another image, or for other channels.
            self._store.put(with_rgb_space(state))
            self._reports.say(f"Shown in its own channels. {reason}")
        self._image.counted = result
        self.estimate = self.densities = self._contributions = None
        self.counted_changed.emit(result)
        self.compute()

    def _on_computed(self, result: Progress | Estimate | ColorValues) -> None:
        # The palette is the version a result is made for.
        palette = self._image.palette
        if isinstance(result, Progress):
            self._reports.progressed.emit(result)
        elif isinstance(result, ColorValues):
            if result.request.palette is palette:
                self.densities = result
                self.densities_changed.emit(result)
        elif result.palette is palette:
            self.estimate = result
            self.estimate_changed.emit(result)
            if result.notice:
                self._reports.say(result.notice)


def _is_picture(result: object) -> bool:
    return isinstance(result, ColorValues)
