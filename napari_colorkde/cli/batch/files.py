"""Commands on many images: files, globs and folders, one after another or several at a time.

A decorator turns a command that takes one image into one that takes any number of them. Names of
outputs, masks and labels hold fields, as in ``-o "{dir}/{stem}_{what}.tif"``.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_colorkde.app.results.files import (
    InputFile,
    filled_in,
    find_images,
    has_fields,
    plan_targets,
)
from napari_colorkde.app.results.tasks import Arguments, CommandFunction, Task
from napari_colorkde.cli.batch.jobs import run_tasks
from napari_colorkde.cli.batch.skip_existing import is_done
from napari_colorkde.cli.console import print_status
from napari_colorkde.cli.shared_options import INPUT_HELP

TEMPLATES = ("output", "mask", "labels", "regions")
"""Arguments whose names of files may hold fields."""

SLIDE_JOBS = "slide_jobs"
"""Argument of commands that work with several processes on one slide: --jobs of a single image."""

OPTIONS: dict[str, tuple[object, object]] = {
    "recursive": (
        Annotated[bool, typer.Option("--recursive", help="Include subfolders.")],
        False,
    ),
    "jobs": (
        Annotated[
            int,
            typer.Option(
                "--jobs",
                min=1,
                help="How many images to process at once, or how many blocks of a slide written as "
                ".zarr.",
            ),
        ],
        1,
    ),
    "skip_existing": (
        Annotated[bool, typer.Option("--skip-existing", help="Skip outputs that already exist.")],
        False,
    ),
    "keep_going": (
        Annotated[
            bool,
            typer.Option(
                "--keep-going", help="Continue if an image fails; list the failures at the end."
            ),
        ],
        False,
    ),
}


def for_each_image(
    what: str | Callable[[Arguments], str],
) -> Callable[[CommandFunction], Callable[..., None]]:
    """Let a command with the arguments `image` and `output` take any number of images.

    Parameters
    ----------
    what
        The field `what` of names, or a function of the command's arguments that returns it.
    """

    def decorate(command: CommandFunction) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**given: Any) -> None:
            options = {name: given.pop(name) for name in OPTIONS}
            words = given.pop("image")
            field = what if isinstance(what, str) else what(given)
            files = find_images(words, recursive=options["recursive"])
            is_one = len(files) == 1 and files[0].is_named
            if is_one and not any(has_fields(given.get(name)) for name in TEMPLATES):
                if not is_done(given["output"], options["skip_existing"]):
                    own = {SLIDE_JOBS: options["jobs"]} if _works_on_slides(command) else {}
                    command(image=files[0].path, **given, **own)
                return
            tasks = _plan(command, files, given, field, skips=options["skip_existing"])
            run_tasks(tasks, options["jobs"], keep_going=options["keep_going"])

        run.__signature__ = with_many_options(command)  # type: ignore[attr-defined]  # what typer reads
        return run

    return decorate


def with_many_options(command: CommandFunction) -> inspect.Signature:
    """Return the signature of a command for one image, for any number of them."""
    signature = inspect.signature(command)
    parameters = [
        p.replace(annotation=Annotated[list[str], typer.Argument(metavar="INPUT", help=INPUT_HELP)])
        if p.name == "image"
        else p
        for p in signature.parameters.values()
        if p.name != SLIDE_JOBS
    ]
    kind = inspect.Parameter.KEYWORD_ONLY
    added = [
        inspect.Parameter(name, kind, default=default, annotation=annotation)
        for name, (annotation, default) in OPTIONS.items()
    ]
    return signature.replace(parameters=[*parameters, *added])


def _works_on_slides(command: CommandFunction) -> bool:
    return SLIDE_JOBS in inspect.signature(command).parameters


def _plan(
    command: CommandFunction,
    files: Sequence[InputFile],
    given: Arguments,
    what: str,
    *,
    skips: bool,
) -> list[Task]:
    """Say what is done with each image; refuse, before any of it, names that do not fit.

    Raises
    ------
    ValueError
        As from `plan_targets`.
    """
    targets = plan_targets(files, Path(given["output"]), what, skips=skips)
    tasks = []
    for file, target in targets.items():
        own = {
            name: filled_in(Path(value), file, what) if name in TEMPLATES and value else value
            for name, value in given.items()
        }
        if not is_done(target, skips, quiet=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            tasks.append(Task(file.path, command, {**own, "image": file.path}))
    if skips and len(tasks) < len(targets):
        print_status(f"{len(targets) - len(tasks)} of {len(targets)} are there already.")
    return tasks
