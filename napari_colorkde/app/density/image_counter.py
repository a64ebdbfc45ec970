"""Counting the open image's colors in the background, and noticing that its pixels have changed."""

from collections.abc import Callable, Iterator

from psygnal import Signal

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.background.jobs import Jobs
from napari_colorkde.app.background.reports import Reports
from napari_colorkde.app.density.open_image import OpenImage
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.counting_steps import CountedImage, count_colors, pixels_checksum
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.app.state_store import StateStore


class ImageCounter:
    """Counts an image's colors in the background, as often as asked.

    Parameters
    ----------
    store, image
        What is chosen, and for which image.
    jobs
        Where the work is done: in the lanes "count" and "look".
    on_counted, on_end
        Given what was counted, and the error with which that ended, if it did.
    reports
        Hears of progress.
    """

    pixels_changed = Signal(description="Pixels were changed in place since they were counted.")

    def __init__(
        self,
        store: StateStore,
        image: OpenImage,
        jobs: Jobs,
        on_counted: Callable[[CountedImage], None],
        on_end: Callable[[Exception | None], None],
        reports: Reports,
    ) -> None:
        self._store, self._image = store, image
        self._jobs, self._reports = jobs, reports
        self._on_counted, self._on_end = on_counted, on_end
        self._counting: tuple[ImageSource, Channels] | None = None
        self._checksum: int | None = None

    def forget(self) -> None:
        """Let go of what was counted."""
        self._counting = self._checksum = None

    def count(self) -> None:
        """Count the image's colors."""
        source, channels = self._image.source, self._image.channels(self._store.state)
        if source is None or channels is None:
            return

        def work() -> Iterator[Progress | CountedImage | int | None]:
            yield from count_colors(source, channels)
            yield from pixels_checksum(source, channels)

        self._counting, self._checksum = (source, channels), None
        self._jobs.submit("count", work, self._on_result, self._on_end)

    def has_counted(self, source: ImageSource) -> bool:
        """Whether the arrays whose colors are counted, or being counted, are in a source."""
        if self._counting is None:
            return False
        before, channels = self._counting
        others = [before.arrays[name] for name in channels.layers]
        if before.frame(channels) != source.frame(channels):
            return False
        return before.array is source.array and all(
            any(other is array for array in source.arrays.values()) for other in others
        )

    def check_pixels(self) -> None:
        """Look in the background whether pixels were changed since they were counted."""
        if self._counting is None or self._checksum is None or self._jobs.busy_in("count"):
            return
        source, channels = self._counting
        self._jobs.submit(
            "look",
            lambda: pixels_checksum(source, channels),
            self._on_checksum,
            self._reports.end_task,
        )

    def _on_checksum(self, checksum: int | None) -> None:
        if checksum is not None and checksum != self._checksum:
            self.pixels_changed.emit()

    def _on_result(self, result: Progress | CountedImage | int | None) -> None:
        if isinstance(result, Progress):
            self._reports.progressed.emit(result)
        elif isinstance(result, CountedImage):
            self._on_counted(result)
        else:
            self._checksum = result
