"""The images of a batch: found, named, and planned before the work starts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.app.results.batch_images import (
    BatchImage,
    ImageKind,
    image_of_file,
    image_of_layer,
)
from napari_colorkde.app.results.files import InputFile, filled_in, find_images, plan_targets


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
    kind = None if like is None else ImageKind.of(like)
    targets = _targets(files, template, what, skips, protected)
    return [
        BatchItem(
            str(file.path),
            partial(image_of_file, file.path, kind, channels),
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
                f"the layer {source.name!r} has no file, so {{dir}} is unknown; give a folder."
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
