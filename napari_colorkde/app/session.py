"""The session: what is chosen, what is being computed, and the results so far.

Plain Python: widgets set attributes and listen to signals, scripts do the same. The session puts
together a store of what is chosen, the image that is open, and the work that follows from them.
"""

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from numpy.typing import ArrayLike
from psygnal import Signal, SignalInstance

from napari_colorkde.app.background.error_sentences import user_message
from napari_colorkde.app.background.executor import Executor, Progress, SynchronousExecutor, Work
from napari_colorkde.app.background.jobs import Jobs
from napari_colorkde.app.background.lanes import FORGOTTEN_LANES, LANES
from napari_colorkde.app.background.reports import Reports
from napari_colorkde.app.density.computation import Computation
from napari_colorkde.app.density.difference import Difference
from napari_colorkde.app.density.export import Exporter
from napari_colorkde.app.density.open_image import OpenImage
from napari_colorkde.app.density.request import ColorValues, Estimate
from napari_colorkde.app.density.second_image import Subtraction
from napari_colorkde.app.forwarded_names import (
    OldSessionNames,
    PartOf,
    SettablePart,
    StateField,
    warn_renamed,
)
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.counting_steps import CountedImage
from napari_colorkde.app.image.pixels.pixel_index import PixelIndex
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.app.settings.state_values import Bandwidth
from napari_colorkde.app.settings.view_settings import ViewSettings
from napari_colorkde.app.state import DisplayMode, State
from napari_colorkde.app.state_store import StateStore
from napari_colorkde.connections import Connections
from napari_colorkde.core.device import Device, resolve_device
from napari_colorkde.core.kde.estimators.boundary import Boundary
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.palette.palette import Palette

Result = TypeVar("Result")


class Session(OldSessionNames):
    """One image, one state, and their densities.

    Parameters
    ----------
    executor
        Runs the work; by default at once, on the thread that asks.
    device
        Where to compute, see `napari_colorkde.core.device.resolve_device`.

    Attributes
    ----------
    store
        What is chosen, and what was chosen before.
    computation
        What has come of it.
    """

    show = StateField[DisplayMode, DisplayMode]("What is shown: 'kde' or 'kernels'.")
    space = StateField[str, str](
        "The color space of the density. Sigmas stay the same fractions of the ranges."
    )
    bandwidth = StateField[Bandwidth, str | ArrayLike | None](
        "None, the name of a rule, or sigmas in units of the space. Set one number for all."
    )
    boundary = StateField[Boundary, str](
        "How the density ends at the walls of the color box, see `ColorKDE`."
    )
    varying = StateField[bool, bool]("Whether kernels are wider where colors are rare.")
    log = StateField[bool, bool]("Whether natural logarithms are shown.")
    colormap = StateField[str, str]("Name of the overlay's colormap.")
    kernels = StateField[KernelSet | None, KernelSet](
        "The kernel set that is chosen. Setting one closes all others and shows it."
    )

    state = PartOf[State]("store.state", "What is chosen now.")
    can_undo = PartOf[bool]("store.can_undo", "Whether there is an earlier state.")
    can_redo = PartOf[bool]("store.can_redo", "Whether a state was taken back.")

    undo = PartOf[Callable[[], None]]("store.undo", "Go back to the state before, if any.")
    redo = PartOf[Callable[[], None]]("store.redo", "Do again what was undone last, if any.")
    view = SettablePart[ViewSettings]("store.view", "How the color space is looked at; not undone.")
    set_view = PartOf[Callable[..., None]]("store.set_view", "Change some fields of `view`.")
    set_classification = PartOf[Callable[..., None]](
        "store.set_classification", "Change what is asked of the classes."
    )
    set_voxels = PartOf[Callable[..., None]](
        "store.set_voxels", "Change which voxels are seen in true color."
    )
    save_kernels = PartOf[Callable[[str | Path], None]](
        "store.save_kernels", "Write all kernel sets to a file."
    )

    source = PartOf[ImageSource | None]("_image.source", "The image; None without one.")
    subtract = PartOf[Callable[[ImageSource | None], None]](
        "_subtraction.choose", "Take a second image's density away from the volume, or none."
    )
    subtracted = PartOf[ImageSource | None]("_subtraction.source", "The second image, or None.")

    # Results: the newest, None until there are some.
    counted = PartOf[CountedImage | None]("_image.counted", "The image's colors.")
    palette = PartOf[Palette | None]("_image.palette", "`counted.palette`.")
    index = PartOf[PixelIndex | None]("_image.index", "Which color each pixel has.")
    estimate = PartOf[Estimate | None]("computation.estimate", "The volume.")
    densities = PartOf[ColorValues | None]("computation.densities", "Values of the colors.")
    difference = PartOf[Difference | None]("_subtraction.result", "From the second image.")
    busy = PartOf[bool]("_jobs.busy", "Whether anything is under way.")
    busy_in = PartOf[Callable[[str], bool]]("_jobs.busy_in", "Whether a lane has work.")
    description = PartOf[Callable[[], dict[str, Any]]](
        "_exporter.description", "Return how to get the shown density again, for files."
    )
    error = PartOf[str | None]("_reports.error", "How the last work failed, or None.")

    state_changed = PartOf[SignalInstance]("store.state_changed", "The state, and before.")
    view_changed = PartOf[SignalInstance]("store.view_changed", "ViewSettings.")
    counted_changed = PartOf[SignalInstance]("computation.counted_changed", "CountedImage.")
    estimate_changed = PartOf[SignalInstance]("computation.estimate_changed", "Estimate.")
    densities_changed = PartOf[SignalInstance]("computation.densities_changed", "ColorValues.")
    difference_changed = PartOf[SignalInstance]("_subtraction.changed", "Difference, or None.")
    progressed = PartOf[SignalInstance]("_reports.progressed", "Progress.")
    message = PartOf[SignalInstance]("_reports.message", "A sentence; nothing failed.")
    failed = PartOf[SignalInstance]("_reports.failed", "A sentence.")
    say = PartOf[Callable[[str], None]]("_reports.say", "Announce a sentence by `message`.")
    export = PartOf[Callable[..., None]]("_exporter.export", "Write the density to a file.")
    exported = PartOf[SignalInstance]("_exporter.exported", "The path of a written file.")

    source_changed = Signal(object, description="The source, or None.")
    choices_changed = Signal(object, description="The source: it has other channels or names.")
    idle = Signal(description="Nothing is under way any more.")

    def __init__(self, executor: Executor | None = None, device: "str | Device" = "auto") -> None:
        self.device = resolve_device(device)
        self._reports = Reports()
        self._executor = SynchronousExecutor() if executor is None else executor
        self._jobs = Jobs(self._executor, LANES, self.idle.emit)
        self._image = OpenImage()
        self.store = StateStore(self._image, self._on_change)
        parts = self.store, self._image
        self.computation = Computation(*parts, self._jobs, self.device, self._reports)
        self._exporter = Exporter(*parts, self.computation, self._jobs, self._reports)
        self._subtraction = Subtraction(self)
        self._connections = Connections()
        self._connections.add(self.computation.counter.pixels_changed, self._on_pixels_changed)
        self._connections.add(self.store.view_changed, self.computation.look_along)

    def set(self, **fields: object) -> None:
        """Change several fields of the state at once, see `StateStore.set`."""
        self.store.set(**fields)

    def edit(
        self, kernels: KernelSet, merge_key: Hashable = None, *, gesture: Hashable = None
    ) -> None:
        """Put an edited set in the place of the chosen one, see `StateStore.edit`."""
        if gesture is not None:
            warn_renamed("gesture", "merge_key")
            merge_key = gesture
        self.store.edit(kernels, merge_key)

    def load_kernels(self, path: str | Path, name: str | None = None) -> None:
        """Open a kernel file, see `StateStore.load_kernels`; announce what looks wrong in it."""
        findings = self.store.load_kernels(path, name)
        if findings:
            self.say(" ".join(f"{each[:1].upper()}{each[1:]}" for each in findings))

    # --- the image

    def open(self, source: ImageSource | None) -> None:
        """Look at another image, or at none. Its colors are counted in the background."""
        self._jobs.stop(*FORGOTTEN_LANES)
        self.computation.forget()
        self._image.source = source
        if not self._image.has_channels(self.state):
            self.store.put(self.state.replace(channels=None))
        self.source_changed.emit(source)
        self.computation.counter.count()

    def update(self, source: ImageSource, names: Mapping[str, str]) -> None:
        """Follow the image's layers: new names by those they had, and further channels.

        Colors are counted again only where the pixels that are counted have become others.
        """
        state = self._image.replace_source(source, names, self.state)
        self.store.put(state)
        has_channels = self._image.has_channels(state)
        if has_channels and self.computation.counter.has_counted(source):
            self.choices_changed.emit(source)
            return
        self.open(source)
        if not has_channels:
            self.say("A layer of the chosen channels is gone; the image has its own channels now.")

    def recount(self) -> None:
        """Count the image again, for instance after its pixels were changed."""
        self._jobs.stop(*FORGOTTEN_LANES)
        self.computation.recount()

    @property
    def channels(self) -> Channels | None:
        """The color channels, None without an image."""
        return self._image.channels(self.state)

    @channels.setter
    def channels(self, channels: Channels | None) -> None:
        self.set(channels=channels)

    def space_obstacle(self) -> str:
        """Say why the image has no other color space than its own channels; "" if it has."""
        return self._image.space_obstacle(self.state)

    @property
    def is_stack(self) -> bool:
        """Whether there is an image with three axes of pixels or more."""
        source, channels = self.source, self.channels
        return source is not None and channels is not None and len(source.shape(channels)) >= 3

    def voxel_obstacle(self) -> str:
        """Say why no voxels can be seen in true color; "" if they can."""
        return self._image.voxel_obstacle(self.state)

    # --- work

    def wait(self, timeout: float | None = 60.0) -> None:
        """Return when what is shown is what the state asks for.

        Raises
        ------
        TimeoutError
            If that takes longer than `timeout` seconds; None waits for ever.
        ComputeError
            If it failed.
        """
        if not self._executor.wait(lambda: not self._jobs.busy, timeout):
            raise TimeoutError(f"the density was not finished after {timeout:g} s.")
        self._reports.raise_error()

    def stop(self, *lanes: str) -> None:
        """Stop what is under way, in these lanes or in all; the state is what is shown then."""
        self._jobs.stop(*lanes)
        if not lanes or "edit" in lanes:
            self.computation.go_back()

    check_pixels = PartOf[Callable[[], None]](
        "computation.counter.check_pixels", "Count again where pixels were changed in place."
    )
    when_ready = PartOf[Callable[[Callable[[], object]], None]](
        "computation.when_ready", "Call back when what is shown is what the state asks for."
    )

    def run(
        self,
        lane: str,
        work: Work,
        on_result: Callable[[Result], None],
        on_end: Callable[[str | None], None],
        *,
        keep: bool = False,
    ) -> None:
        """Do other work on the image in the background; it ends when the image is left.

        Progress that it yields is announced; `on_result` is given whatever else it yields, `on_end`
        the sentence with which it failed, or None, unless it was stopped. The lane is one of
        `LANES`; `keep` is explained in `Jobs.submit`.
        """

        def deliver(result: object) -> None:
            if isinstance(result, Progress):
                self.progressed.emit(result)
            else:
                on_result(cast(Result, result))

        def end(error: Exception | None) -> None:
            on_end(None if error is None else user_message(error))

        self._jobs.submit(lane, work, deliver, end, keep=keep)

    def close(self) -> None:
        """Stop everything and let go of the image."""
        self._jobs.close()
        self._image.source = None
        self.computation.forget()

    def _on_change(self, state: State, before: State) -> None:
        if state.channels != before.channels:
            self.recount()
        else:
            self.computation.follow(state, before)

    def _on_pixels_changed(self) -> None:
        self.recount()
        self.say("The image's pixels were changed, and their colors are counted again.")
