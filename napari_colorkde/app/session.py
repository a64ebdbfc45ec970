"""The session: what is chosen, what is being computed, and what has come of it.

Plain Python: widgets set attributes and listen to signals, scripts do the same. A change of the
state makes a frozen request; `jobs` runs it on the executor that was given; results arrive here,
are checked against what is current, and are announced.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_colorkde.app.density.class_query import resolve_classes
from napari_colorkde.app.density.color_coordinates import (
    conversion_error,
    converted_bandwidth,
    with_rgb_space,
)
from napari_colorkde.app.density.compute import ColorValues, DensityRequest, Estimate, compute
from napari_colorkde.app.density.difference import Difference
from napari_colorkde.app.density.export import ExportRequest, export
from napari_colorkde.app.density.subtraction import Subtraction
from napari_colorkde.app.deprecation import renamed
from napari_colorkde.app.image.counting import CountedImage, count_colors
from napari_colorkde.app.image.pixel_index import PixelIndex
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.app.jobs import (
    ComputeError,
    Executor,
    Jobs,
    Progress,
    SynchronousExecutor,
    Work,
    user_message,
)
from napari_colorkde.app.state import Bandwidth, Channels, State
from napari_colorkde.app.store import StateStore
from napari_colorkde.core.device import Device, resolve_device
from napari_colorkde.core.mixture.cached_terms import Contributions
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.io.atomic import check_target
from napari_colorkde.io.export_formats import density_suffixes
from napari_colorkde.io.provenance import provenance

LANES = ("edit", "light", "labels", "difference", "pick", "export", "count", "truth", "fit")
"""Most urgent first: editing goes on while a file is written or an image is counted."""

NEEDS_DENSITY = {
    "show",
    "space",
    "bandwidth",
    "kernel_sets",
    "kernel_set",
    "log",
    "shown_classification",
}
"""Fields of the state whose change asks for other numbers."""


class Session(StateStore):
    """One image, one state, and their densities.

    Parameters
    ----------
    executor
        Runs the work; by default at once, on the thread that asks.
    device
        Where to compute, see `napari_colorkde.core.device.resolve_device`.

    Attributes
    ----------
    source, state
        The image and what was chosen.
    counted, estimate, densities
        The newest results, None until there are some.
    error
        The sentence with which the last work failed, None if it did not.
    """

    source_changed = Signal(object, description="The source, or None.")
    counted_changed = Signal(object, description="CountedImage.")
    estimate_changed = Signal(object, description="Estimate.")
    densities_changed = Signal(object, description="ColorValues.")
    difference_changed = Signal(
        object, description="Difference, or None where the density itself is shown."
    )
    progressed = Signal(Progress)
    failed = Signal(str, description="A sentence.")
    exported = Signal(Path)
    idle = Signal(description="Nothing is under way any more.")

    def __init__(self, executor: Executor | None = None, device: "str | Device" = "auto") -> None:
        super().__init__()
        self.device = resolve_device(device)
        self.source: ImageSource | None = None
        self.counted: CountedImage | None = None
        self.estimate: Estimate | None = None
        self.densities: ColorValues | None = None
        self.error: str | None = None
        self._contributions: Contributions | None = None
        self._executor = SynchronousExecutor() if executor is None else executor
        self._jobs = Jobs(self._executor, LANES, self._on_idle)
        self._subtraction = Subtraction(self)
        self._subtraction.changed.connect(self.difference_changed.emit)

    # --- the image

    def open(self, source: ImageSource | None) -> None:
        """Look at another image, or at none. Its colors are counted in the background."""
        self._reset_results()
        self.source = source
        if source is not None and self.state.channels not in (None, *source.choices):
            self._set_state(self.state.replace(channels=None))
        self.source_changed.emit(source)
        self._count()

    def recount(self) -> None:
        """Count the image again, for instance after its pixels were changed."""
        self._reset_results()
        self._count()

    settled = renamed("settled", "idle")

    @property
    def palette(self) -> Palette | None:
        """The image's colors; those of a sample while a large image is being counted."""
        return None if self.counted is None else self.counted.palette

    @property
    def index(self) -> PixelIndex | None:
        """Which color each pixel has."""
        return None if self.counted is None else self.counted.index

    @property
    def channels(self) -> Channels | None:
        """The color channels, None without an image."""
        if self.source is None:
            return None
        return self.state.channels or self.source.choices[0]

    @channels.setter
    def channels(self, channels: Channels | None) -> None:
        self.set(channels=channels)

    def subtract(self, source: ImageSource | None) -> None:
        """Take the density of a second image away from the volume that is shown, or of none.

        It is forgotten when another image is opened, and when its density cannot be had; then
        `failed` says why.
        """
        self._subtraction.choose(source)

    @property
    def subtracted(self) -> ImageSource | None:
        """The second image, None if there is none."""
        return self._subtraction.source

    @property
    def difference(self) -> Difference | None:
        """The difference from the newest estimate; None while it is awaited, or not asked for."""
        return self._subtraction.result

    # --- work

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return self._jobs.busy

    def wait(self, timeout: float | None = 60.0) -> None:
        """Return when what is shown is what the state asks for.

        Parameters
        ----------
        timeout
            In seconds; None waits for ever.

        Raises
        ------
        TimeoutError
            If that takes longer.
        ComputeError
            If it failed.
        """
        if not self._executor.wait(lambda: not self._jobs.busy, timeout):
            raise TimeoutError(f"the density was not finished after {timeout:g} s.")
        if self.error is not None:
            raise ComputeError(self.error)

    def stop(self, *lanes: str) -> None:
        """Stop what is under way, in these lanes or in all. What is shown stays."""
        self._jobs.stop(*lanes)

    def run(
        self,
        lane: str,
        work: Work,
        on_result: Callable[[Any], None],
        on_end: Callable[[str | None], None],
        *,
        keep: bool = False,
    ) -> None:
        """Do other work on the image in the background; it ends when the image is left.

        Parameters
        ----------
        lane
            "light", "labels", "difference", "pick", "truth" or "fit".
        work
            Makes a generator; `Progress` that it yields is announced.
        on_result
            Is given whatever else it yields.
        on_end
            Is given the sentence with which it failed, or None; not called if it was stopped.
        keep
            Whether a user asked for it: it is done in any case, after what was asked for before. A
            job that is not kept is replaced by the next one of its lane while it waits.
        """

        def deliver(result: Any) -> None:
            (self.progressed.emit if isinstance(result, Progress) else on_result)(result)

        def end(error: Exception | None) -> None:
            on_end(None if error is None else user_message(error))

        self._jobs.submit(lane, work, deliver, end, keep=keep)

    def busy_in(self, lane: str) -> bool:
        """Whether work of this lane is under way."""
        return self._jobs.busy_in(lane)

    def export(
        self,
        path: str | Path,
        *,
        colormap: Any = None,
        limits: tuple[float, float] | None = None,
    ) -> None:
        """Write the density that is shown to a file, in the background.

        Parameters
        ----------
        path
            ``.tif``, ``.npy``, ``.npz`` or ``.png``.
        colormap, limits
            For a picture: a name or table of colors, and contrast limits; by default the state's
            colormap and limits that suit the density.

        Raises
        ------
        ValueError, OSError
            If there is no exact density yet, or the path cannot be written to.
        """
        densities, index = self.densities, self.index
        target = check_target(path, density_suffixes())
        if densities is None or index is None or not densities.is_exact or index.is_preview:
            raise ValueError("there is no finished density to export yet; wait until it is shown.")
        colors = self.colormap if colormap is None else colormap
        request = ExportRequest(target, index, densities, colors, limits, self.description())
        self._jobs.submit(
            "export", lambda: export(request), self._on_export, self._on_end, keep=True
        )

    def description(self) -> dict[str, Any]:
        """How to get the density that is shown again: for files that are written."""
        densities = self.densities
        if self.source is None or self.channels is None or densities is None:
            return provenance()
        facts: dict[str, Any] = {"image": self.source.path or self.source.name}
        if self.state.channels is not None:
            facts["channels"] = self.channels.label
        kernels = densities.request.kernels
        query = densities.request.query
        if kernels is not None:
            if query is not None:
                return provenance(**facts, **query.metadata)
            facts["kernel set"] = self.state.kernel_set
            facts["kernels"] = [
                {"mean": k.mean, "covariance": k.covariance, "weight": k.weight} for k in kernels
            ]
        elif self.estimate is not None:
            facts["space"] = self.estimate.coordinates.name
            facts["bandwidth"] = self.estimate.sigmas
            if isinstance(densities.request.bandwidth, str):
                facts["bandwidth rule"] = densities.request.bandwidth
        return provenance(**facts, log=densities.request.log)

    def close(self) -> None:
        """Stop everything and let go of the image."""
        self._jobs.close()
        self.source = self.counted = self.estimate = self.densities = self._contributions = None

    # --- within

    def _check_channels(self, channels: Channels | None) -> None:
        if channels is not None and self.source and channels not in self.source.choices:
            raise ValueError(
                f"channels={channels.label!r} does not fit {self.source.name!r}; use one of "
                f"{[c.label for c in self.source.choices]}."
            )

    def space_obstacle(self) -> str:
        """Say why the image has no other color space than its own channels; "" if it has."""
        return (
            self._conversion_error(replace(self.state, space="lab")) if self.source else "No image."
        )

    def _check_space(self, state: State) -> None:
        if reason := self._conversion_error(state):
            raise ValueError(f"space={state.space!r}: {reason}")

    def _conversion_error(self, state: State, palette: Palette | None = None) -> str:
        """Say why the image at hand cannot be seen in a state's space; "" if it can."""
        if self.source is None or state.space == "rgb":
            return ""
        channels = state.channels or self.source.choices[0]
        return conversion_error(self.source, channels, palette or self.palette)

    def _bandwidth_in(self, space: str) -> Bandwidth:
        if self.palette is None or self._conversion_error(replace(self.state, space=space)):
            return self.bandwidth
        return converted_bandwidth(self.bandwidth, self.palette, self.state.space, space)

    def _adapted_to_image(self, state: State) -> State:
        if self.source is not None and state.channels not in (None, *self.source.choices):
            # Those of an image that was looked at before.
            state = state.replace(channels=self.state.channels)
        return with_rgb_space(state) if self._conversion_error(state) else state

    def _apply(self, state: State) -> None:
        before = self.state
        super()._apply(state)
        if state.channels != before.channels:
            self.recount()
        elif any(getattr(state, name) != getattr(before, name) for name in NEEDS_DENSITY):
            self._compute()

    def _reset_results(self) -> None:
        self._jobs.stop(*(lane for lane in LANES if lane != "export"))
        self.counted = self.estimate = self.densities = self.error = self._contributions = None

    def _count(self) -> None:
        source, channels = self.source, self.channels
        if source is not None and channels is not None:
            self._jobs.submit(
                "count", lambda: count_colors(source, channels), self._on_result, self._on_end
            )

    def _compute(self) -> None:
        if self.palette is None:
            return  # asked for again once the colors are counted
        self.error = None
        previous = self.estimate
        coordinates = None if previous is None else previous.coordinates
        if coordinates is not None and coordinates.name != self.space:
            coordinates = None
        if previous is not None and (coordinates is None or previous.bandwidth != self.bandwidth):
            self.estimate = replace(previous, kde=None)
            previous = None
        kernels = self.kernels if self.show == "kernels" else None
        query = None if self.state.shown_classification is None else resolve_classes(self.state)
        if query is not None:
            kernels = query.kernels
        if kernels is not None and self._contributions is None:
            self._contributions = Contributions(self.palette.colors, self.device)
        request = DensityRequest(
            self.palette,
            self.bandwidth,
            self.log,
            kernels,
            self.device,
            previous,
            self._contributions,
            query,
            self.space,
            coordinates,
        )
        self._jobs.submit(
            "edit",
            lambda: compute(request),
            self._on_result,
            self._on_end,
            is_picture=_is_picture,
        )

    def _on_result(self, result: Progress | CountedImage | Estimate | ColorValues) -> None:
        if isinstance(result, Progress):
            self.progressed.emit(result)
        elif isinstance(result, CountedImage):
            if reason := self._conversion_error(self.state, result.palette):
                # Chosen for another image, or for other channels.
                self._set_state(with_rgb_space(self.state))
                self.say(f"Shown in its own channels. {reason}")
            self.counted, self.estimate, self.densities = result, None, None
            self._contributions = None
            self.counted_changed.emit(result)
            self._compute()
        elif isinstance(result, Estimate):
            # The palette is the version a result is made for.
            if result.palette is self.palette:
                self.estimate = result
                self.estimate_changed.emit(result)
                if result.notice:
                    self.say(result.notice)
        elif result.request.palette is self.palette:
            self.densities = result
            self.densities_changed.emit(result)

    def _on_export(self, result: Progress | Path) -> None:
        if isinstance(result, Progress):
            self.progressed.emit(result)
        else:
            self.exported.emit(result)

    def _on_end(self, error: Exception | None) -> None:
        if error is None:
            return
        self.error = user_message(error)
        self.failed.emit(self.error)

    def _on_idle(self) -> None:
        self.idle.emit()


def _is_picture(result: object) -> bool:
    return isinstance(result, ColorValues)
