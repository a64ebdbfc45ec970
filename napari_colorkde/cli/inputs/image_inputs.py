"""What commands read: images with their masks, palettes, and kernel files.

Each step says what came of it. A palette is taken wherever an image is; what needs its pixels asks
for them, and is refused.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_colorkde.cli.console import print_warning, timed_step
from napari_colorkde.cli.inputs.asked_pixels import entries, graded, one_color_a_row
from napari_colorkde.cli.inputs.reading_options import Reading
from napari_colorkde.core.checks.channels import MAX_COLOR_CHANNELS, RGBA_CHANNELS
from napari_colorkde.core.number_text import counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_colorkde.core.mixture.kernels import KernelSet
    from napari_colorkde.core.palette.palette import Palette
    from napari_colorkde.io.formats.reading import GeoTag


@dataclass(frozen=True, slots=True, eq=False)
class ImageInput:
    """An image as it was read, with what belongs to it; or the palette of one.

    Attributes
    ----------
    path
        Where it came from.
    array
        ``(..., H, W, C)`` or ``(..., H, W)``: the pixels; None of a palette.
    mask
        ``(..., H, W)`` bool, or None.
    channel_axis
        Axis of the channels, None if there is none.
    pixel_size, unit
        Height and width of a pixel, where the file says it.
    geo_tags
        Where on Earth it lies, as GeoTIFF says it.
    palette
        The colors, where a file of them was read.
    n_channels
        How many channels were chosen; None: what the shape says, see `Palette.from_image`.
    """

    path: Path
    array: "NDArray[Any] | None"
    mask: "NDArray[np.bool_] | None"
    channel_axis: int | None
    pixel_size: tuple[float, float] | None = None
    unit: str = ""
    geo_tags: "tuple[GeoTag, ...]" = ()
    palette: "Palette | None" = None
    n_channels: int | None = None

    @property
    def pixels(self) -> "NDArray[Any]":
        """The pixels.

        Raises
        ------
        ValueError
            If there are none: a palette was read.
        """
        if self.array is None:
            raise ValueError(
                f"{str(self.path)!r} is a palette, which has colors and counts, but this command "
                "needs the pixels; give the image."
            )
        return self.array

    def check_kernels(self, kernel_sets: "Iterable[KernelSet]") -> None:
        """Refuse kernels of fewer channels than the image has: its fourth is no alpha then.

        Raises
        ------
        ValueError
            If the image's channels are known to be colors, and kernels have another number of them.
        """
        for kernels in kernel_sets:
            if self.n_channels is not None and kernels.n_channels != self.n_channels:
                raise ValueError(
                    f"image {str(self.path)!r} has {counted(self.n_channels, 'channel')}, and the "
                    f"kernels are for {kernels.n_channels}; choose as many with --channels."
                )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape without channels."""
        from napari_colorkde.core.checks.channels import pixel_shape

        return tuple(pixel_shape(self.pixels.shape, self.channel_axis))


def read(
    path: Path,
    mask: Path | None,
    channel_axis: int | None,
    channels: list[int] | None = None,
    reading: Reading = Reading(),  # noqa: B008  # frozen
) -> ImageInput:
    """Read an image (some of its channels, if they are given) and, if there is one, its mask.

    Or a palette, of which only the colors can be asked for.
    """
    from napari_colorkde.core.palette.image_tiles import is_dask
    from napari_colorkde.io.formats.addresses import path_or_address
    from napari_colorkde.io.formats.reading import Part
    from napari_colorkde.io.images import load_image, read_mask
    from napari_colorkde.io.palettes import is_palette_file

    path = path_or_address(path)
    if is_palette_file(path):
        _refuse_pixel_options(path, mask, channels, reading)
        return _read_palette(path, reading.look)
    place = path
    if reading.scheduler is not None:
        from napari_colorkde.cli.batch.cluster import seen_by_workers

        place, mask = seen_by_workers(path), None if mask is None else seen_by_workers(mask)
    with timed_step(f"Reading {path}") as work:
        loaded = load_image(
            place,
            Part(reading.series, reading.page, reading.level),
            takes_any_samples=channels is not None,
            icc=reading.icc,
            white=reading.white,
            orientation=reading.orientation,
            lazy=reading.lazy or reading.scheduler is not None or None,
        )
        pixels = loaded.pixels
        is_lazy = is_dask(pixels)
        marked = None if mask is None else read_mask(mask, lazy=is_lazy)
        work.outcome = f"{' × '.join(map(str, pixels.shape))}, {pixels.dtype}"
        if "C" in loaded.axes or "Z" in loaded.axes or "T" in loaded.axes:
            work.outcome += f", axes {loaded.axes}"
        if is_lazy:
            work.outcome += ", block by block"
    for remark in loaded.remarks:
        print_warning(remark)
    if loaded.is_table and channel_axis is not None:
        if not reading.names_axis:
            raise ValueError(
                f"image {str(path)!r} holds a table of {pixels.shape[0]} × {pixels.shape[1]} "
                "numbers; give --channel-axis -1 if each row is a color, or none if it is a gray "
                "image."
            )
        pixels, channel_axis = one_color_a_row(pixels, channel_axis), -1
    n_channels = None
    if loaded.named_channels is not None and not reading.names_axis:
        channel_axis, n_channels = loaded.named_channels
    elif reading.names_axis and channel_axis is not None and pixels.ndim > 2:
        n_channels = _many(pixels.shape, channel_axis)
    if channels is not None:
        pixels = entries(pixels, channel_axis, channels)
        channel_axis, n_channels = -1, len(channels)
    if reading.look is not None:
        pixels = graded(pixels, channel_axis, reading.look)
    size, unit = loaded.pixel_size, loaded.unit
    return ImageInput(
        path,
        pixels,
        marked,
        channel_axis,
        size,
        unit,
        loaded.geo_tags,
        n_channels=n_channels,
    )


def frames(image: ImageInput, *, per_frame: bool) -> Iterator[tuple[tuple[int, ...], ImageInput]]:
    """Yield the frames of a stack one by one, or the whole at once, with an empty number."""
    import numpy as np

    if not per_frame:
        yield (), image
        return
    leading = image.shape[:-2]
    if not leading:
        yield (), image
        return
    axis = image.channel_axis
    is_gray = image.pixels.ndim == len(image.shape)
    pixels = image.pixels if is_gray or axis is None else np.moveaxis(image.pixels, axis, -1)
    for number in np.ndindex(*leading):
        mask = None if image.mask is None else image.mask[number]
        yield (
            number,
            replace(image, array=pixels[number], mask=mask, channel_axis=None if is_gray else -1),
        )


def _many(shape: tuple[int, ...], channel_axis: int) -> int | None:
    """Return how many channels there are along an axis that was typed, if they are not RGBA."""
    if not -len(shape) <= channel_axis < len(shape):
        return None  # refused where it is used
    n_channels = shape[channel_axis]
    return n_channels if RGBA_CHANNELS < n_channels <= MAX_COLOR_CHANNELS else None


def _read_palette(path: Path, look: Path | None) -> ImageInput:
    from napari_colorkde.io.formats.color_space.cube_reader import read_look
    from napari_colorkde.io.palettes import load_palette

    with timed_step(f"Reading {path}") as work:
        palette = load_palette(path)
        work.outcome = palette_facts(palette)
    if look is not None:
        palette = read_look(look).apply_to_palette(palette)
    return ImageInput(path, None, None, -1, palette=palette)


def _refuse_pixel_options(
    path: Path, mask: Path | None, channels: list[int] | None, reading: Reading
) -> None:
    plain = Reading()
    given = {"--mask": mask, "--channels": channels, "--channel-axis": reading.names_axis or None}
    for name in ("series", "page", "level", "icc", "white", "orientation"):
        value = getattr(reading, name)
        given[f"--{name}"] = None if value == getattr(plain, name) else value
    for option, value in given.items():
        if value is not None:
            raise ValueError(
                f"{option} applies to pixels, but {str(path)!r} is a palette, whose pixels are "
                "already counted; leave it out, or use it when counting the image."
            )


def palette_facts(palette: "Palette") -> str:
    """Return what is in a palette, in words."""
    facts = f"{len(palette)} colors in {palette.n_pixels} pixels"
    if palette.left_out:
        reasons = ", ".join(f"{n} {reason}" for reason, n in palette.left_out.items())
        facts += f"; left out: {reasons}"
    widths = palette.bin_width
    if widths.any():
        facts += f"; binned, at most {widths.max():.3g} wide"
    return facts


def count_colors(image: ImageInput) -> "Palette":
    """Count the colors; say how many pixels were left out, and why. Of a palette, it."""
    from napari_colorkde.core.palette.count_image import count_image

    if image.palette is not None:
        return image.palette
    with timed_step("Counting colors") as work:
        palette = count_image(
            image.pixels,
            image.mask,
            image.channel_axis,
            n_channels=image.n_channels,
            progress=work.progress,
        )
        work.outcome = palette_facts(palette)
    return palette


def without_rare(palette: "Palette", min_count: int) -> "Palette":
    """Leave out the colors that fewer pixels have; say how many pixels those are."""
    if min_count == 1:
        return palette
    with timed_step(f"Leaving out colors of fewer than {min_count} pixels") as work:
        kept = palette.without_rare(min_count)
        n_pixels = kept.n_rare - palette.n_rare
        work.outcome = f"{len(palette) - len(kept)} colors, {n_pixels} pixels; {len(kept)} stay"
    return kept
