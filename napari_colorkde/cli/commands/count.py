"""The command `count`."""

from pathlib import Path

from napari_colorkde.cli import inputs
from napari_colorkde.cli.batch.tables import makes_rows
from napari_colorkde.cli.parsers import refuse_overwriting_inputs
from napari_colorkde.cli.program import Command
from napari_colorkde.cli.reading_options import Reading, reads_images
from napari_colorkde.cli.shared_options import ChannelAxisOption, ChannelsOption, MaskOption
from napari_colorkde.io.tables import Row


@reads_images
@makes_rows
def count(
    image: Path,
    mask: MaskOption = None,
    channel_axis: ChannelAxisOption = "-1",
    channels: ChannelsOption = None,
    *,
    output: Path | None,
    reading: Reading,
) -> list[Row]:
    """Write a table of how many pixels and distinct colors images have, and what is left out."""
    if output is not None:
        refuse_overwriting_inputs(output, image, mask)
    palette = inputs.count_colors(inputs.read(image, mask, channel_axis, channels, reading))
    return [
        {
            "image": str(image),
            "pixels": palette.n_pixels,
            "colors": len(palette),
            "masked": palette.n_masked,
            "transparent": palette.n_transparent,
            "not_finite": palette.n_not_finite,
        }
    ]


COMMAND = Command(
    count,
    name="count",
    summary="Count pixels and distinct colors, as a table.",
    examples=("count photo.jpg", "count photo.jpg scan.tif -o counts.csv"),
)
