"""The command `compare`."""

import json
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_colorkde.app.results.files import find_images
from napari_colorkde.cli.console import print_status, table, timed_step
from napari_colorkde.cli.inputs import image_inputs
from napari_colorkde.cli.inputs.reading_options import Reading, reads_images
from napari_colorkde.cli.inputs.vector_inputs import (
    ScaleOption,
    VectorsOption,
    are_vectors,
    read_training_vectors,
)
from napari_colorkde.cli.program import Command
from napari_colorkde.cli.shared_options import (
    BandwidthOption,
    ChannelAxisOption,
    ChannelsOption,
    DeviceOption,
    JsonOption,
    SpaceOption,
)

if TYPE_CHECKING:
    from napari_colorkde.core.palette.palette import Palette


@reads_images
def compare(
    image_a: Annotated[
        Path,
        typer.Argument(help="$images file, or a data set; or a glob or folder of images."),
    ],
    image_b: Annotated[
        Path | None, typer.Argument(help="Another one of the same kind, of any size.")
    ] = None,
    more: Annotated[
        list[Path] | None, typer.Argument(help="Further images: all pairs are compared.")
    ] = None,
    bandwidth: BandwidthOption = "auto",
    space: SpaceOption = "rgb",
    as_json: JsonOption = False,
    mask_a: Annotated[
        Path | None,
        typer.Option("--mask-a", help="Mask image: nonzero where pixels of the first image count."),
    ] = None,
    mask_b: Annotated[
        Path | None,
        typer.Option(
            "--mask-b", help="Mask image: nonzero where pixels of the second image count."
        ),
    ] = None,
    vectors: VectorsOption = False,
    scale: ScaleOption = None,
    channel_axis: ChannelAxisOption = "-1",
    channels: ChannelsOption = None,
    device: DeviceOption = "auto",
    recursive: Annotated[bool, typer.Option("--recursive", help="Include subfolders.")] = False,
    *,
    reading: Reading,
) -> None:
    """Print how different the colors of two images are, or two sets of vectors, in nats.

    kl_ab and kl_ba are the Kullback-Leibler divergences of their densities, js the Jensen-Shannon
    divergence: 0 for the same colors, at most ln 2 = 0.693. For vectors, and for images of more
    than three channels, they are means over samples drawn from the densities, with standard errors;
    for vectors, the likelihood of each set under the other is also given. More than two images are
    compared in pairs, all with one bandwidth chosen from all of them together.
    """
    files = _files([image_a, image_b, *(more or [])], recursive, vectors)
    if len(files) > 2:
        if mask_a is not None or mask_b is not None:
            raise ValueError("--mask-a and --mask-b are for two images; leave them out for more.")
        if vectors or scale is not None:
            raise ValueError("--vectors and --scale are for two data sets; give two.")
        palettes = [
            image_inputs.count_colors(
                image_inputs.read(file, None, channel_axis, channels, reading)
            )
            for file in files
        ]
        _compare_pairs(files, palettes, bandwidth, space, as_json, device)
        return
    image_a, image_b = files
    kinds = [are_vectors(image_a, vectors), are_vectors(image_b, vectors)]
    if all(kinds):
        if mask_a is not None or mask_b is not None:
            raise ValueError("--mask-a and --mask-b are for images; leave them out for data sets.")
        if space != "rgb":
            raise ValueError(f"--space {space} is for images; leave it out for data sets.")
        _compare_vectors(image_a, image_b, bandwidth, scale, as_json, device)
        return
    if any(kinds):
        raise ValueError(
            f"{str(image_a)!r} and {str(image_b)!r} are an image and a data set; give two of the "
            "same kind (--vectors takes an .npy for a data set)."
        )
    if scale is not None:
        raise ValueError(f"--scale {scale} is for data sets; leave it out for images.")
    palette_a = image_inputs.count_colors(
        image_inputs.read(image_a, mask_a, channel_axis, channels, reading)
    )
    palette_b = image_inputs.count_colors(
        image_inputs.read(image_b, mask_b, channel_axis, channels, reading)
    )

    from napari_colorkde.core.kde.divergence import compare as divergences

    with timed_step("Divergences"):
        found = divergences(palette_a, palette_b, bandwidth, space=space, device=device)
    numbers = {"kl_ab": found.kl_ab, "kl_ba": found.kl_ba, "js": found.js}
    if found.standard_errors is not None:  # of more than three channels
        errors = dict(zip(numbers, found.standard_errors, strict=True))
        if as_json:
            typer.echo(json.dumps({**numbers, "standard_errors": errors}))
            return
        rows = [[name, f"{n:.6g}", f"{errors[name]:.2g}"] for name, n in numbers.items()]
        typer.echo(table(["", "nats", "standard_error"], rows))
    elif as_json:
        typer.echo(json.dumps(numbers))
    else:
        typer.echo(table(["kl_ab", "kl_ba", "js"], [[f"{n:.6g}" for n in numbers.values()]]))


def _files(given: list[Path | None], recursive: bool, vectors: bool) -> list[Path]:
    """Return the two images or more that are meant: of folders and globs those that are in them.

    Two folders are data sets where they are taken for such.
    """
    from napari_colorkde.io.readers.decoding import check_image_path

    named = [path for path in given if path is not None]
    if len(named) == 2 and all(path.exists() and are_vectors(path, vectors) for path in named):
        return named
    files: list[Path] = []
    for path in named:
        files += [file.path for file in find_images([str(path)], recursive=recursive)]
    if len(files) < 2:
        check_image_path(files[0])
        raise ValueError(
            f"{str(named[0])!r} is a single image; give two or more, or a folder or glob of images."
        )
    return files


def _compare_pairs(
    files: list[Path],
    palettes: "list[Palette]",
    bandwidth: Any,
    space: str,
    as_json: bool,
    device: str,
) -> None:
    """Print a row for each pair of images, all with one bandwidth."""
    from napari_colorkde.core.kde.all_pairs import compare_all

    with timed_step("Divergences") as work:
        found = compare_all(palettes, bandwidth, space=space, device=device, progress=work.progress)
    rows: list[dict[str, str | float]] = [
        {
            "a": str(files[i]),
            "b": str(files[j]),
            "kl_ab": float(found.kl[i, j]),
            "kl_ba": float(found.kl[j, i]),
            "js": float(found.js[i, j]),
        }
        for i, j in combinations(range(len(files)), 2)
    ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    cells = [[n if isinstance(n, str) else f"{n:.6g}" for n in row.values()] for row in rows]
    typer.echo(table(list(rows[0]), cells))


def _compare_vectors(
    file_a: Path, file_b: Path, sigma: object, scale: float | None, as_json: bool, device: str
) -> None:
    if not isinstance(sigma, float):
        given = "missing" if sigma is None else f"{sigma!r}"
        raise ValueError(
            f"--bandwidth is {given}; vectors need a single sigma, such as --bandwidth 0.2."
        )
    a, b = (read_training_vectors(file, scale) for file in (file_a, file_b))

    from napari_colorkde.core.vectors.comparison import WHY_DIRECTIONS_DIFFER, compare_vectors

    with timed_step("Divergences") as work:
        found = compare_vectors(a, b, sigma, device=device, progress=work.progress)
    divergences = {"kl_ab": found.kl_ab, "kl_ba": found.kl_ba, "js": found.js}
    if as_json:
        document = {
            **{name: estimate.value for name, estimate in divergences.items()},
            "standard_errors": {n: estimate.standard_error for n, estimate in divergences.items()},
            "n_drawn": found.n_drawn,
            "log_likelihood_b_under_a": found.b_under_a,
            "log_likelihood_a_under_b": found.a_under_b,
        }
        typer.echo(json.dumps(document))
        return
    rows = [
        [name, f"{estimate.value:.6g}", f"{estimate.standard_error:.2g}"]
        for name, estimate in divergences.items()
    ]
    rows.append(["log_likelihood_b_under_a", f"{found.b_under_a:.6f}", "0"])
    rows.append(["log_likelihood_a_under_b", f"{found.a_under_b:.6f}", "0"])
    typer.echo(table(["", "nats", "standard_error"], rows))
    print_status(WHY_DIRECTIONS_DIFFER)


COMMAND = Command(
    compare,
    name="compare",
    summary="Compare the colors of two images, or two sets of vectors.",
    examples=(
        "compare before.jpg after.jpg",
        "compare before.jpg after.jpg --bandwidth 5 --json",
        "compare before.jpg after.jpg --space lab",
        "compare photos --recursive --json",
        "compare mnist.pkl.gz fashion.pkl.gz --bandwidth 0.2",
    ),
)
