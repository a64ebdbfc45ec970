"""From a state to results: count the colors, estimate the density, compute its values.

A change of the state makes a frozen request, which runs in the background; results are checked
against what is current, and announced.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from psygnal import Signal

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.background.jobs import Jobs
from napari_colorkde.app.background.reports import Reports
from napari_colorkde.app.density.class_query import shown_query
from napari_colorkde.app.density.color_coordinates import with_rgb_space
from napari_colorkde.app.density.colors_on_screen import MANY_COLORS, ColorsOnScreen, ReadCodes
from napari_colorkde.app.density.density_steps import compute, look_along
from napari_colorkde.app.density.image_counter import ImageCounter
from napari_colorkde.app.density.open_image import OpenImage
from napari_colorkde.app.density.request import (
    STATE_FIELDS,
    ColorValues,
    DensityRequest,
    Estimate,
    ask_for_same,
)
from napari_colorkde.app.image.counting_steps import CountedImage
from napari_colorkde.app.state import State
from napari_colorkde.app.state_store import StateStore
from napari_colorkde.core.device import Device
from napari_colorkde.core.mixture.cached_terms import Contributions
from napari_colorkde.core.palette.palette import Palette


@dataclass(frozen=True, eq=False)
class _Results:
    """What belongs together on the screen: a state, and what has come of it."""

    state: State
    counted: CountedImage
    estimate: Estimate | None
    densities: ColorValues


class Computation:
    """Keeps an image's colors counted, and its density computed as the state asks for it.

    Parameters
    ----------
    store, image
        What is chosen, and for which image.
    jobs, device
        Where the work is done: in the lanes "count" and "edit".
    reports
        Hears of progress, notices and failures.

    Attributes
    ----------
    counter
        Counts the image's colors.
    estimate, densities
        The newest results, None until there are some.
    codes_on_screen
        Returns what reads the codes of the pixels that are looked at now, None if these are not
        known. Reading may take long, and is left to the worker.
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
        self._on_screen: ColorsOnScreen | None = None
        self.codes_on_screen: Callable[[], ReadCodes | None] = lambda: None
        self._shown: _Results | None = None
        self.counter = ImageCounter(store, image, jobs, self._on_counted, self._on_end, reports)
        self._awaiting: list[Callable[[], object]] = []

    @property
    def is_current(self) -> bool:
        """Whether the values that are shown are exact, and those that the state asks for."""
        shown, index = self._shown, self._image.index
        if shown is None or index is None or index.is_preview or not shown.densities.is_exact:
            return False
        return shown.counted is self._image.counted and ask_for_same(shown.state, self._store.state)

    def forget(self) -> None:
        """Let go of all results."""
        self._shown = None
        self.counter.forget()
        self._drop_results()
        self._give_up_awaiting()

    def recount(self) -> None:
        """Count the image again; until then, what is shown stays."""
        self._drop_results()
        self.counter.count()

    def compute(self) -> None:
        """Compute what the state asks for; later, where the colors are not counted yet."""
        palette, state = self._image.palette, self._store.state
        if palette is None:
            return
        self._reports.error = None
        request = self._request(palette, state)
        self._jobs.submit(
            "edit",
            lambda: compute(request),
            lambda result: self._on_computed(result, state),
            self._on_end,
            is_picture=_is_picture,
        )

    def look_along(self, *args: object) -> None:
        """Look at colors of more than three channels along the axes that the view asks for."""
        estimate, axes, device = self.estimate, self._store.view.axes, self._device
        if estimate is None or estimate.coordinates.is_along(axes):
            return
        self._jobs.submit(
            "axes",
            lambda: look_along(estimate, axes, device),
            lambda result: self._on_computed(result, self._store.state),
            self._on_end,
        )

    def follow(self, state: State, before: State) -> None:
        """Compute what a change of the state asks for."""
        if not ask_for_same(state, before):
            self.compute()

    def when_ready(self, action: Callable[[], object]) -> None:
        """Call back when the values that the state asks for are there: now, or once they are.

        What was stopped or failed is asked for again. The action is forgotten where that is stopped
        or fails, or another image is opened.

        Raises
        ------
        ValueError
            If there is no image.
        """
        if self._image.source is None:
            raise ValueError("there is no image, and no finished density; open an image first.")
        if self.is_current:
            action()
            return
        self._awaiting.append(action)
        if not (self._jobs.busy_in("count") or self._jobs.busy_in("edit")):
            if self._image.index is None or self._image.index.is_preview:
                self.counter.count()
            else:
                self.compute()

    def go_back(self) -> None:
        """Return to what is shown, since what was asked for after it was stopped.

        So that what is shown, named, copied as a script and exported are one state. `redo` asks
        for it again.
        """
        self._give_up_awaiting()
        shown = self._shown
        if shown is None:
            return
        if not ask_for_same(shown.state, self._store.state, "channels"):
            fields = {name: getattr(shown.state, name) for name in STATE_FIELDS}
            self._store.retreat(replace(self._store.state, **fields))
        if self._image.counted is not shown.counted:
            self._image.counted = shown.counted
            self._contributions = self._on_screen = None
            self.counted_changed.emit(shown.counted)
        if (
            self.estimate is None
            or shown.estimate is None
            or (self.estimate.volume is not shown.estimate.volume)
        ):
            self.estimate = shown.estimate
            if shown.estimate is not None:
                self.estimate_changed.emit(shown.estimate)
        if self.densities is not shown.densities:
            self.densities = shown.densities
            self.densities_changed.emit(shown.densities)

    # --- within

    def _drop_results(self) -> None:
        self._image.counted = self.estimate = self.densities = None
        self._contributions = self._on_screen = self._reports.error = None

    def _give_up_awaiting(self) -> None:
        if self._awaiting:
            self._awaiting.clear()
            self._reports.say("What waited for the density was given up with it.")

    def _request(self, palette: Palette, state: State) -> DensityRequest:
        previous = self.estimate
        coordinates = None if previous is None else previous.coordinates
        axes = self._store.view.axes
        if coordinates is not None and (
            coordinates.name != state.space or not coordinates.is_along(axes)
        ):
            coordinates = None
        if previous is not None and (coordinates is None or not previous.is_asked(state)):
            # Its lattice is large: not kept beside the next one's.
            self.estimate = without = replace(previous, kde=None)
            is_known = coordinates is not None and previous.bandwidth == state.bandwidth
            previous = without if is_known else None
        kernels = state.kernels if state.show == "kernels" else None
        query = shown_query(state)
        if query is not None:
            kernels = query.kernels
        if kernels is not None and self._contributions is None:
            self._contributions = Contributions(palette.colors, self._device)
            self._on_screen = ColorsOnScreen(palette, self._device)
        read_codes, others = None, self.densities
        if kernels is not None and len(palette) > MANY_COLORS:
            read_codes = self.codes_on_screen()
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
            state.boundary,
            state.varying,
            coordinates,
            is_sample=self._image.index is not None and self._image.index.is_preview,
            read_codes=read_codes,
            on_screen=self._on_screen,
            others=None if others is None else others.values,
            axes=axes,
        )

    def _on_counted(self, result: CountedImage) -> None:
        state = self._store.state
        if reason := self._image.conversion_error(state, result.palette):
            # Chosen for another image, or for other channels.
            self._store.put(with_rgb_space(state))
            self._reports.say(f"Shown in its own channels. {reason}")
        self._image.counted = result
        self.estimate = self.densities = self._contributions = self._on_screen = None
        self.counted_changed.emit(result)
        self.compute()

    def _on_computed(self, result: Progress | Estimate | ColorValues, state: State) -> None:
        # The palette is the version a result is made for.
        palette, counted = self._image.palette, self._image.counted
        if isinstance(result, Progress):
            self._reports.progressed.emit(result)
        elif isinstance(result, ColorValues):
            if counted is not None and result.request.palette is palette:
                self.densities = result
                # Without its lattice, which is large.
                estimate = None if self.estimate is None else replace(self.estimate, kde=None)
                self._shown = _Results(state, counted, estimate, result)
                self.densities_changed.emit(result)
                if self.is_current:
                    actions, self._awaiting = self._awaiting, []
                    for action in actions:
                        action()
        elif result.palette is palette:
            self.estimate = result
            self._complete(result)
            self.estimate_changed.emit(result)
            if result.notice:
                self._reports.say(result.notice)
            self.look_along()

    def _complete(self, estimate: Estimate) -> None:
        """Put a volume in the place of the sketch that is shown of the same density."""
        shown = self._shown
        if shown is None or shown.estimate is None:
            return
        before = shown.estimate
        is_same = before.coordinates is estimate.coordinates
        if estimate.coordinates.projection is not None:
            is_same = before.palette is estimate.palette
        if is_same and before.is_asked(estimate):
            self._shown = replace(shown, estimate=replace(estimate, kde=None))

    def _on_end(self, error: Exception | None) -> None:
        if error is not None:
            self._awaiting.clear()
        self._reports.end(error)


def _is_picture(result: object) -> bool:
    return isinstance(result, ColorValues)
