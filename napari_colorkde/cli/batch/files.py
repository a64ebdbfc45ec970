"""Commands on many images: files, globs and folders, one after another or several at a time.

A decorator turns a command that takes one image into one that takes any number of them. Names of
outputs, masks and labels hold fields, as in ``-o "{dir}/{stem}_{what}.tif"``.
"""

import functools
import glob
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_colorkde.cli.batch.jobs import Task, run_tasks
from napari_colorkde.cli.console import PROGRAM, print_status, print_warning
from napari_colorkde.cli.shared_options import INPUT_HELP

FIELDS = ("dir", "stem", "name", "rel", "what")
"""Folder of the image, its name without and with suffix, its folder below the one that was given
as input, and what is made of it."""

HEAD_BYTES = 1 << 12

TEMPLATES = ("output", "mask", "labels", "regions")
"""Arguments whose names of files may hold fields."""

OPTIONS: dict[str, tuple[Any, Any]] = {
    "recursive": (
        Annotated[bool, typer.Option("--recursive", help="Look into folders of folders, too.")],
        False,
    ),
    "jobs": (
        Annotated[int, typer.Option("--jobs", min=1, help="So many images at a time.")],
        1,
    ),
    "skip_existing": (
        Annotated[bool, typer.Option("--skip-existing", help="Leave out what is there already.")],
        False,
    ),
    "keep_going": (
        Annotated[
            bool,
            typer.Option(
                "--keep-going", help="Do the others when one fails; list those that failed."
            ),
        ],
        False,
    ),
}


@dataclass(frozen=True, slots=True)
class InputFile:
    """An image to be worked on.

    Attributes
    ----------
    path
        Where it lies.
    base
        The folder that was given as input, or the image's own.
    is_named
        Whether it was given itself, not found in a folder or by a glob.
    """

    path: Path
    base: Path
    is_named: bool = True


def for_each_image(
    what: str | Callable[[Mapping[str, Any]], str],
) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """Let a command with the arguments `image` and `output` take any number of images.

    Parameters
    ----------
    what
        The field `what` of names, or a function of the command's arguments that returns it.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**given: Any) -> None:
            options = {name: given.pop(name) for name in OPTIONS}
            words = given.pop("image")
            field = what if isinstance(what, str) else what(given)
            files = find_images(words, recursive=options["recursive"])
            is_one = len(files) == 1 and files[0].is_named
            if is_one and not any(has_fields(given.get(name)) for name in TEMPLATES):
                if not _is_done(given["output"], options["skip_existing"]):
                    command(image=files[0].path, **given)
                return
            tasks = _plan(command, files, given, field, skips=options["skip_existing"])
            run_tasks(tasks, options["jobs"], keep_going=options["keep_going"])

        run.__signature__ = with_many_options(command)  # type: ignore[attr-defined]  # what typer reads
        return run

    return decorate


def with_many_options(command: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a command for one image, for any number of them."""
    signature = inspect.signature(command)
    parameters = [
        p.replace(annotation=Annotated[list[str], typer.Argument(metavar="INPUT", help=INPUT_HELP)])
        if p.name == "image"
        else p
        for p in signature.parameters.values()
    ]
    kind = inspect.Parameter.KEYWORD_ONLY
    added = [
        inspect.Parameter(name, kind, default=default, annotation=annotation)
        for name, (annotation, default) in OPTIONS.items()
    ]
    return signature.replace(parameters=[*parameters, *added])


def find_images(words: Sequence[str], *, recursive: bool = False) -> list[InputFile]:
    """Return the images that files, globs and folders stand for, each once.

    Raises
    ------
    ValueError
        If a folder holds no image, or a glob finds none.
    """
    found: list[InputFile] = []
    for word in words:
        path = Path(word)
        if _is_folder(path):
            inside = _images_in(path, recursive)
            if not inside:
                more = "" if recursive else "; --recursive looks into its folders"
                raise ValueError(f"input {word!r} is a folder without images{more}.")
            found += [InputFile(image, path, is_named=False) for image in inside]
        elif glob.has_magic(word) and not path.exists():
            inside = [Path(name) for name in sorted(glob.glob(word, recursive=True))]
            inside = [name for name in inside if name.is_file() or name.suffix == ".zarr"]
            if not inside:
                raise ValueError(f"input {word!r} finds no file; check the name.")
            found += [InputFile(image, image.parent, is_named=False) for image in inside]
        else:
            found.append(InputFile(path, path.parent))
    unique: dict[Path, InputFile] = {}
    for file in found:
        unique.setdefault(file.path.absolute(), file)
    return list(unique.values())


def has_fields(value: Any) -> bool:
    """Whether a name of a file holds fields to be filled in."""
    return value is not None and any(f"{{{name}}}" in str(value) for name in FIELDS)


def filled_in(template: Path, file: InputFile, what: str) -> Path:
    """Return a name with its fields filled in for an image."""
    folder = file.path.parent
    relative = folder.relative_to(file.base) if folder.is_relative_to(file.base) else Path()
    values = (folder, file.path.stem, file.path.name, relative, what)
    text = str(template)
    for name, value in zip(FIELDS, values, strict=True):
        text = text.replace(f"{{{name}}}", str(value))
    return Path(text)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and path.suffix.lower() != ".zarr"


def _images_in(folder: Path, recursive: bool) -> list[Path]:
    """Return the images of a folder, by suffix and in the order of their names, none hidden."""
    from napari_colorkde.io.image_formats import image_suffixes

    suffixes = (*image_suffixes(), ".zarr")
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if _is_folder(path):
            found += _images_in(path, recursive) if recursive else []
        elif path.name.lower().endswith(suffixes) and not _is_own_result(path):
            found.append(path)
    return found


def _is_own_result(path: Path) -> bool:
    """Whether a file says, near its beginning, that this program wrote it."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return f"{PROGRAM} ".encode() in file.read(HEAD_BYTES)


def _plan(
    command: Callable[..., Any],
    files: Sequence[InputFile],
    given: Mapping[str, Any],
    what: str,
    *,
    skips: bool,
) -> list[Task]:
    """Say what is done with each image; refuse, before any of it, names that do not fit.

    Raises
    ------
    ValueError
        If two images have the same output.
    """
    output = Path(given["output"])
    if not has_fields(output):
        raise ValueError(
            f"output {str(output)!r} names one file, but {len(files)} images are given; use "
            'fields, as in "{dir}/{stem}_' + what + output.suffix + '".'
        )
    named = {file.path.absolute(): filled_in(output, file, what) for file in files}
    targets = {target.absolute() for target in named.values()}
    # What an earlier run has written beside the images is none of them.
    files = [f for f in files if f.is_named or f.path.absolute() not in targets]
    tasks, taken = [], dict[Path, Path]()
    for file in files:
        target = named[file.path.absolute()]
        if target.absolute() in taken:
            raise ValueError(
                f"output {str(target)!r} is that of {str(taken[target.absolute()])!r} and of "
                f"{str(file.path)!r}; put {{dir}}, {{rel}} or {{stem}} into its name."
            )
        taken[target.absolute()] = file.path
        own = {
            name: filled_in(Path(value), file, what) if name in TEMPLATES and value else value
            for name, value in given.items()
        }
        if not _is_done(target, skips, quiet=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            tasks.append(Task(file.path, command, {**own, "image": file.path}))
    if skips and len(tasks) < len(files):
        print_status(f"{len(files) - len(tasks)} of {len(files)} are there already.")
    return tasks


def _is_done(target: Path, skips: bool, *, quiet: bool = False) -> bool:
    if not (skips and target.exists()):
        return False
    if not quiet:
        print_warning(f"{target} is there already; nothing is done.")
    return True
