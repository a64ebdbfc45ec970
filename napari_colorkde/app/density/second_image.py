"""The second image of a session, and the difference of the two densities."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from psygnal import Signal, SignalInstance

from napari_colorkde.app.background.executor import Work
from napari_colorkde.app.density.difference import Difference, DifferenceRequest, difference
from napari_colorkde.app.density.request import Estimate
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.app.state import State
from napari_colorkde.connections import Connections
from napari_colorkde.core.device import Device
from napari_colorkde.core.palette.palette import Palette

LANE = "difference"

Result = TypeVar("Result")


class FirstImage(Protocol):
    """What is needed of the session."""

    device: Device
    estimate: Estimate | None

    @property
    def channels(self) -> Channels | None:
        """The color channels, None without an image."""

    @property
    def estimate_changed(self) -> SignalInstance:
        """Announces estimates."""

    @property
    def source_changed(self) -> SignalInstance:
        """Announces other images."""

    @property
    def state_changed(self) -> SignalInstance:
        """Announces the state, and the one before."""

    @property
    def idle(self) -> SignalInstance:
        """Announces that nothing is under way."""

    @property
    def failed(self) -> SignalInstance:
        """Announces what failed, a sentence."""

    def run(
        self,
        lane: str,
        work: Work,
        on_result: Callable[[Result], None],
        on_end: Callable[[str | None], None],
    ) -> None:
        """Do work in the background."""

    def stop(self, *lanes: str) -> None:
        """Stop what is under way in these lanes."""


class Subtraction:
    """Takes the density of a second image away from that of a session's, whenever that changes.

    Attributes
    ----------
    source
        The second image, None if there is none.
    result
        The difference from the newest estimate; None until it is there, and without a second image.
    """

    changed = Signal(object, description="Difference, or None: the density itself is shown.")

    def __init__(self, first: FirstImage) -> None:
        self._first = first
        self.source: ImageSource | None = None
        self.result: Difference | None = None
        self._palette: Palette | None = None
        self._connections = Connections()
        self._connections.add(first.estimate_changed, self._on_estimate)
        self._connections.add(first.source_changed, self._on_source)
        self._connections.add(first.state_changed, self._on_state)
        self._connections.add(first.idle, self._on_idle)

    def choose(self, source: ImageSource | None) -> None:
        """Take another image's density away, or none."""
        had_source = self.source is not None
        # What is under way is of the image that was chosen before.
        self.source = self.result = self._palette = None
        self._first.stop(LANE)
        if source is None:
            if had_source:
                self.changed.emit(None)
            return
        self.source = source
        if self._first.estimate is not None:
            self._ask(self._first.estimate)

    def _ask(self, estimate: Estimate) -> None:
        source, channels, first = self.source, self._first.channels, self._first
        if source is None or channels is None:
            return
        self.result = None
        request = DifferenceRequest(estimate, source, channels, first.device, self._palette)
        first.run(LANE, lambda: difference(request), self._on_difference, self._on_end)

    def _on_difference(self, result: Difference) -> None:
        estimate = self._first.estimate
        if self.source is None or estimate is None:
            return
        self._palette = result.palette
        if estimate.volume is result.estimate.volume:
            self.result = result
            self.changed.emit(result)

    def _on_end(self, problem: str | None) -> None:
        if problem is not None:
            self.choose(None)
            self._first.failed.emit(problem)

    def _on_estimate(self, estimate: Estimate) -> None:
        self._ask(estimate)

    def _on_source(self, source: object) -> None:
        self.choose(None)

    def _on_state(self, state: State, before: State) -> None:
        if state.channels != before.channels:
            self._palette = None  # the colors of other channels

    def _on_idle(self) -> None:
        if self.source is not None and self.result is None and self._first.estimate is not None:
            # It was stopped: nothing is waited for any more.
            self.choose(None)
