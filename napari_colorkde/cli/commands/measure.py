"""The command `measure`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_colorkde.cli import inputs
from napari_colorkde.cli.batch.files import has_fields
from napari_colorkde.cli.batch.tables import Row, makes_rows
from napari_colorkde.cli.parsers import refuse_overwriting_inputs, unique_names
from napari_colorkde.cli.program import Command
from napari_colorkde.cli.reading_options import Reading, reads_images
from napari_colorkde.cli.shared_options import (
    ChannelAxisOption,
    ChannelsOption,
    DeviceOption,
    MaskOption,
    PriorOption,
)

if TYPE_CHECKING:
    from napari_colorkde.core.classification.measure import Measurement, Region


@reads_images
@makes_rows
def measure(
    image: Path,
    kernels: Annotated[
        Path | None,
        typer.Option("--kernels", help="Kernel file (.json, .csv): a row for each of its classes."),
    ] = None,
    regions: Annotated[
        Path | None,
        typer.Option(
            "--regions",
            help="A row for each region: labels, or polygons as GeoJSON. Fields as in --output.",
        ),
    ] = None,
    prior: PriorOption = None,
    keep_mass: Annotated[
        float | None,
        typer.Option(
            "--keep-mass",
            metavar="MASS",
            help="Of no class are pixels outside the densest that are this fraction of the image.",
        ),
    ] = None,
    pixel_size: Annotated[
        float | None,
        typer.Option("--pixel-size", help="Side of a pixel in µm, where the file does not say it."),
    ] = None,
    per_frame: Annotated[
        bool, typer.Option("--per-frame", help="Measure the frames of a stack one by one.")
    ] = False,
    mask: MaskOption = None,
    channel_axis: ChannelAxisOption = "-1",
    channels: ChannelsOption = None,
    device: DeviceOption = "auto",
    *,
    output: Path | None,
    reading: Reading,
) -> list[Row]:
    """Write a table with a row for each image, region and class: pixels, areas, mean colors.

    Fractions are of the region's pixels that count. Log-likelihood (of the mixture of all classes
    by their priors) and entropy of the posteriors are means over the row's pixels, in nats.
    """
    from napari_colorkde.core.classification.measure import measure_regions

    if output is not None:
        refuse_overwriting_inputs(output, image, mask, kernels, regions)
    if kernels is None and (prior or keep_mass is not None):
        raise ValueError("--prior and --keep-mass are about classes; give --kernels FILE.")
    if pixel_size is not None and not 0 < pixel_size < float("inf"):
        raise ValueError(f"--pixel-size {pixel_size}: give µm, a number above 0.")
    kernel_sets = None if kernels is None else inputs.load_sets(kernels, None)
    read = inputs.read(image, mask, channel_axis, channels, reading)
    area = None if read.pixel_size is None else read.pixel_size[0] * read.pixel_size[1]
    if pixel_size is not None:
        area = pixel_size**2
    parts = None if regions is None else _regions(regions, read.shape)
    rows: list[Row] = []
    for frame, part in inputs.frames(read, per_frame=per_frame):
        found = measure_regions(
            part.pixels,
            _of_frame(parts, frame),
            kernel_sets,
            priors=unique_names(prior),
            keep_mass=keep_mass,
            mask=part.mask,
            channel_axis=part.channel_axis,
            device=device,
        )
        rows += [_row(image, frame if per_frame else None, entry, area) for entry in found]
    return rows


def _regions(path: Path, shape: tuple[int, ...]) -> "list[Region]":
    from napari_colorkde.core.classification.measure import regions_of_labels
    from napari_colorkde.io.decoding import check_image_path
    from napari_colorkde.io.formats import geojson
    from napari_colorkde.io.images import read_labels

    if has_fields(path):
        raise ValueError(f"--regions {str(path)!r}: fields are filled in for several images.")
    check_image_path(path)
    if path.suffix.lower() in geojson.SUFFIXES:
        if len(shape) != 2:
            raise ValueError(
                f"--regions {str(path)!r} are polygons in a picture, but the image has the shape "
                f"{shape}; give labels of that shape."
            )
        return geojson.read_regions(path, (shape[0], shape[1]))
    labels = read_labels(path)
    if labels.shape != shape:
        raise ValueError(
            f"--regions {str(path)!r} has the shape {labels.shape}, but the image's pixels have "
            f"{shape}; give one label for each pixel."
        )
    return regions_of_labels(labels)


def _of_frame(regions: "list[Region] | None", frame: tuple[int, ...]) -> "list[Region] | None":
    """Return the parts of regions that lie in a frame."""
    from napari_colorkde.core.classification.measure import Region

    if regions is None or not frame:
        return regions
    found = []
    for region in regions:
        leading = region.box[: len(frame)]
        if all(s.start <= i < s.stop for i, s in zip(frame, leading, strict=True)):
            at = tuple(i - s.start for i, s in zip(frame, leading, strict=True))
            found.append(Region(region.name, region.box[len(frame) :], region.inside[at]))
    return found


def _row(
    image: Path, frame: tuple[int, ...] | None, entry: "Measurement", area: float | None
) -> Row:
    n_channels = len(entry.mean_color)
    letters = "rgb" if n_channels == 3 else [str(i + 1) for i in range(n_channels)]
    row: Row = {"image": str(image)}
    if frame is not None:
        row["frame"] = " ".join(map(str, frame))
    return row | {
        "region": entry.region,
        "class": entry.cls,
        "pixels": entry.pixels,
        "fraction": entry.fraction,
        "area": None if area is None else entry.pixels * area,
        "area_unit": "" if area is None else "µm²",
        **{f"mean_{c}": float(m) for c, m in zip(letters, entry.mean_color, strict=True)},
        "mean_log_likelihood": entry.mean_log_likelihood,
        "entropy": entry.entropy,
        "masked": entry.n_masked,
        "transparent": entry.n_transparent,
        "not_finite": entry.n_not_finite,
    }


COMMAND = Command(
    measure,
    name="measure",
    summary="Measure regions and classes, as a table.",
    examples=(
        "measure photo.jpg",
        "measure slides/photo.jpg --kernels kernels.json -o table.csv",
        'measure scan.tif --kernels kernels.json --regions "{dir}/{stem}.geojson" -o table.csv',
    ),
)
