"""The command `classify`."""

import inspect
from pathlib import Path
from typing import Annotated, Literal

import typer

from napari_colorkde.cli.batch.files import for_each_image
from napari_colorkde.cli.commands.density import density
from napari_colorkde.cli.inputs.reading_options import reads_images
from napari_colorkde.cli.program import Command

_WHOLE = inspect.unwrap(density)
_OF_DENSITIES = ("bandwidth", "space", "boundary", "varying", "log", "per_frame")
"""Options of `density` that have nothing to do with classes."""

_OWN: dict[str, object] = {
    "kernels": Annotated[
        Path, typer.Option("--kernels", help="Kernel file (.json, .csv) with two or more classes.")
    ],
    "show": Annotated[
        Literal["class", "posterior", "ratio"],
        typer.Option(
            "--show",
            help="class (the most likely one, counted from 1), posterior (of --class), or ratio "
            "(log-likelihood ratio of --class and --against, in nats).",
        ),
    ],
}


def _signature() -> inspect.Signature:
    """Return that of `density`, of which classes are the default and kernels are needed."""
    signature = inspect.signature(_WHOLE)
    kept = []
    for name, parameter in signature.parameters.items():
        if name in _OF_DENSITIES:
            continue
        default = {"kernels": inspect.Parameter.empty, "show": "class"}
        kept.append(
            parameter.replace(
                annotation=_OWN.get(name, parameter.annotation),
                default=default.get(name, parameter.default),
            )
        )
    # What is needed comes first.
    kept.sort(key=lambda p: (p.kind, p.default is not inspect.Parameter.empty))
    return signature.replace(parameters=kept)


def _classify(**given: object) -> None:
    """Write the class of each pixel by kernels with classes, or how probable one of them is."""
    _WHOLE(**given)


_classify.__signature__ = _signature()  # type: ignore[attr-defined]  # what typer reads
_classify.__name__ = "classify"
classify = reads_images(for_each_image(lambda given: given["show"])(_classify))

COMMAND = Command(
    classify,
    name="classify",
    summary="Write the class of each pixel.",
    examples=(
        "classify photo.jpg -o classes.png --kernels kernels.json --keep-mass 0.99",
        'classify photo.jpg scan.tif -o "{dir}/{stem}_{what}.tif" --kernels kernels.json',
    ),
)
