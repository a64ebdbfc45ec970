"""A batch in the window: the state at hand over many images, into the table and into files."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from psygnal import Signal

from napari_colorkde.app.background.executor import Executor, Progress
from napari_colorkde.app.background.jobs import Jobs
from napari_colorkde.app.background.reports import user_message
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.app.results.batch_images import BatchImage, image_of_file, image_of_layer
from napari_colorkde.app.results.files import InputFile, filled_in, find_images, plan_targets
from napari_colorkde.app.results.image_work import ImageWork, do_image
from napari_colorkde.app.results.table import ResultsTable
from napari_colorkde.app.results.tasks import Outcome, do_steps, named_error, time_left
from napari_colorkde.core.tables import Row


@dataclass(frozen=True, eq=False)
class BatchItem:
    """An image of a batch.

    Attributes
    ----------
    name
        For people.
    read
        Reads it, in the background.
    target
        Where what the state shows of it is written; None for nowhere.
    regions
        Its regions, as labels or GeoJSON; None measures the whole.
    """

    name: str
    read: Callable[[], BatchImage] = field(repr=False)
    target: Path | None = None
    regions: Path | None = None


@dataclass(frozen=True, eq=False)
class ItemDone:
    """What came of an image: rows and a file, or the sentence with which it failed."""

    name: str
    rows: tuple[Row, ...] = ()
    written: Path | None = None
    error: str = ""


@dataclass(frozen=True)
class BatchReport:
    """How a batch ended.

    Attributes
    ----------
    n_images
        How many it was for.
    done, failed
        What came of those that were reached.
    stopped
        Whether a user stopped it.
    """

    n_images: int
    done: tuple[ItemDone, ...] = ()
    failed: tuple[ItemDone, ...] = ()
    stopped: bool = False

    @property
    def text(self) -> str:
        """The report in a sentence."""
        n_done = len(self.done)
        words = f"{n_done} of {self.n_images} images are done"
        if self.failed:
            words += f", {len(self.failed)} failed"
        return f"{words}{'; stopped' if self.stopped else ''}."


def plan_files(
    words: Sequence[str],
    like: ImageSource | None,
    channels: Channels | None,
    template: Path | None,
    what: str,
    *,
    recursive: bool = False,
    skips: bool = False,
    protected: Iterable[Path] = (),
    regions: Path | None = None,
) -> list[BatchItem]:
    """Plan a batch over files.

    Parameters
    ----------
    words
        Files, globs and folders.
    like, channels
        The image at hand and its channels, which all need; None takes those of each file.
    template
        Names of outputs with fields; None writes nothing.
    what
        For the field ``{what}``.
    skips
        Whether images whose output is there are left out.
    protected
        Files that are never written over, beside the images themselves.
    regions
        Names of files of regions, with fields.

    Raises
    ------
    ValueError, OSError
        If there are no images, or the names do not fit them.
    """
    files = find_images(words, recursive=recursive)
    targets = _targets(files, template, what, skips, protected)
    return [
        BatchItem(
            str(file.path),
            partial(image_of_file, file.path, like, channels),
            target,
            None if regions is None else filled_in(regions, file, "regions"),
        )
        for file, target in targets.items()
    ]


def plan_layers(
    sources: Sequence[ImageSource],
    channels: Channels,
    template: Path | None,
    what: str,
    *,
    skips: bool = False,
    protected: Iterable[Path] = (),
) -> list[BatchItem]:
    """Plan a batch over layers; names of those that no file holds are made of the layer's.

    Raises
    ------
    ValueError
        If the names do not fit.
    """
    files: dict[InputFile, ImageSource] = {}
    for source in sources:
        path = Path(source.path or source.name)
        if source.path and source.name not in (path.stem, path.name):
            path = path.with_name(f"{path.stem}_{source.name}{path.suffix}")
        if not source.path and template is not None and "{dir}" in str(template):
            raise ValueError(
                f"the layer {source.name!r} has no file, so that {{dir}} is not known; give a "
                "folder."
            )
        files[InputFile(path, path.parent)] = source
    targets = _targets(list(files), template, what, skips, protected)
    return [
        BatchItem(
            files[file].name,
            partial(image_of_layer, files[file], channels),
            target,
        )
        for file, target in targets.items()
    ]


def _targets(
    files: Sequence[InputFile],
    template: Path | None,
    what: str,
    skips: bool,
    protected: Iterable[Path],
) -> Mapping[InputFile, Path | None]:
    from napari_colorkde.io.export_formats import check_export

    if template is None:
        return dict.fromkeys(files)
    targets = plan_targets(files, template, what, skips=skips)
    known = {path.resolve() for path in protected}
    planned: dict[InputFile, Path | None] = {}
    for file, target in targets.items():
        if target.resolve() in known:
            raise ValueError(f"output {str(target)!r} is open as a layer; give another name.")
        if skips and target.exists():
            continue
        folder = next(each for each in target.parents if each.is_dir())
        check_export(folder / target.name, name="output")  # its own folder is made later
        planned[file] = target
    return planned


def do_batch(items: Sequence[BatchItem], work: ImageWork) -> Iterator[Progress | ItemDone]:
    """Do one image after the other; those that fail are told, and the others are done."""
    started = time.perf_counter()
    for number, item in enumerate(items):
        about = ""
        if number:
            seconds = time.perf_counter() - started
            about = f", about {time_left(seconds, number, len(items) - number)} left"
        what = f"{Path(item.name).name} ({number + 1} of {len(items)}{about})"
        steps = do_steps(_do_item(item, work))
        try:
            while True:
                part = next(steps).fraction or 0.0
                yield Progress(what, (number + part) / len(items))
        except StopIteration as end:
            outcome: Outcome = end.value
        if outcome.error:
            yield ItemDone(item.name, error=named_error(Path(item.name), outcome.error))
        else:
            yield ItemDone(item.name, tuple(outcome.result), item.target)


def _do_item(item: BatchItem, work: ImageWork) -> Generator[Progress, None, list[Row]]:
    yield Progress("reading")
    if item.target is not None:
        item.target.parent.mkdir(parents=True, exist_ok=True)
    return (yield from do_image(item.read(), work, item.target, item.regions))


class Batch:
    """Runs one batch at a time in the background, and fills the table with it.

    Parameters
    ----------
    table
        Gets the rows, image by image.
    executor
        Runs the work: its own, so that the overlay need not wait.

    Attributes
    ----------
    busy
        Whether one is under way.
    report
        How the last one ended; None before that.
    """

    progressed = Signal(Progress)
    ended = Signal(BatchReport)
    failed = Signal(str, description="What nobody foresaw ended the batch; a sentence.")

    def __init__(self, table: ResultsTable, executor: Executor) -> None:
        self._table, self._executor = table, executor
        self._jobs = Jobs(executor, ("batch",), lambda: None)
        self._done: list[ItemDone] = []
        self._n_images = 0
        self.busy = False
        self.report: BatchReport | None = None

    def start(self, items: Sequence[BatchItem], work: ImageWork) -> None:
        """Begin a batch.

        Raises
        ------
        ValueError
            If one is under way, or there is nothing to do.
        """
        if self.busy:
            raise ValueError("a batch is under way; stop it first, or wait.")
        if not items:
            raise ValueError("there is nothing to do: what is asked for is there already.")
        self._done, self._n_images, self.report = [], len(items), None
        self.busy = True
        self._jobs.submit("batch", lambda: do_batch(items, work), self._on_result, self._on_end)

    def stop(self) -> None:
        """Stop; images that are done stay done."""
        if self.busy:
            self._jobs.stop()
            self._end(stopped=True)

    def wait(self, timeout: float | None = 60.0) -> bool:
        """Return, when nothing is under way any more, whether that was so within `timeout` s."""
        return self._executor.wait(lambda: not self._jobs.busy, timeout)

    def close(self) -> None:
        """Stop, and accept nothing more."""
        self._jobs.close()

    def _on_result(self, result: Progress | ItemDone) -> None:
        if isinstance(result, Progress):
            self.progressed.emit(result)
            return
        self._done.append(result)
        if result.rows:
            self._table.put(result.rows)

    def _on_end(self, error: Exception | None) -> None:
        if error is not None:
            self.failed.emit(user_message(error))
        self._end(stopped=error is not None)

    def _end(self, *, stopped: bool) -> None:
        done = tuple(item for item in self._done if not item.error)
        failed = tuple(item for item in self._done if item.error)
        self.busy = False
        self.report = BatchReport(self._n_images, done, failed, stopped)
        self.ended.emit(self.report)
