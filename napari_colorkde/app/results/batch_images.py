"""The images of a batch: from files and layers, with the channels of the current image."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_colorkde.app.image.channel_choices import rgb_choices
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.file_as_layer import as_layer
from napari_colorkde.app.image.pixels.pixels_and_area import PixelArea, pixel_area
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.core.number_text import shape_text
from napari_colorkde.io.provenance import GEO_TAGS, PIXEL_SIZE


@dataclass(frozen=True, eq=False)
class BatchImage:
    """An image with what its file or layer says about it.

    Attributes
    ----------
    source, channels
        The image, and which of its numbers are colors.
    area
        Of a pixel; None where it is not known.
    origin
        Facts about the image that formats with physical sizes and places keep.
    remarks
        Sentences about what is not obvious in the file.
    """

    source: ImageSource
    channels: Channels
    area: PixelArea | None = None
    origin: dict[str, object] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageKind:
    """What an image needs to have in common with the one at hand, without its pixels.

    Attributes
    ----------
    rgb
        Whether the last axis holds red, green, blue and perhaps alpha.
    ndim
        Number of axes of the array.
    """

    rgb: bool
    ndim: int

    @classmethod
    def of(cls, source: ImageSource) -> "ImageKind":
        """Read it off an image."""
        return cls(source.rgb, len(source.array.shape))


def image_of_layer(source: ImageSource, channels: Channels) -> BatchImage:
    """Return the image of a layer.

    Parameters
    ----------
    channels
        Those of the image at hand: this one needs the same.

    Raises
    ------
    ValueError
        If it has not.
    """
    for found in source.choices:
        if found == channels or (
            found.indices == channels.indices
            and not (found.layers or channels.layers)
            and (found.axis == channels.axis or (source.rgb and channels.names == found.names))
        ):
            return BatchImage(source, found, pixel_area(source, found))
    raise ValueError(
        f"{source.name!r} has no channels {channels.label}; choose images of the same kind."
    )


def image_of_file(path: Path, like: ImageKind | None, channels: Channels | None) -> BatchImage:
    """Read the image of a file.

    Parameters
    ----------
    path
        The file.
    like, channels
        The kind of the image at hand, and its channels: this one needs the same. None takes those
        of the file.

    Raises
    ------
    ValueError, OSError
        If the file cannot be read, or has no such channels.
    """
    from napari_colorkde.io.images import load_image

    if channels is not None and channels.layers:
        raise ValueError(
            f"the channels {channels.label} come from several layers, but a file is one image; "
            "choose others."
        )
    loaded = load_image(path, lazy=None)  # slides block by block
    source, meant = _source_of_file(path, as_layer(loaded)[0], like, channels)
    size, area = loaded.pixel_size, None
    origin: dict[str, object] = {}
    if size is not None:
        area = PixelArea(size[0] * size[1], loaded.unit)
        origin[PIXEL_SIZE] = list(size)
    if loaded.geo_tags:
        origin[GEO_TAGS] = [list(tag) for tag in loaded.geo_tags]
    return BatchImage(source, meant, area, origin, loaded.remarks)


def _source_of_file(
    path: Path, array: NDArray[Any], like: ImageKind | None, channels: Channels | None
) -> tuple[ImageSource, Channels]:
    is_rgb = array.ndim >= 3 and array.shape[-1] in (3, 4)
    wants_rgb = is_rgb if like is None else like.rgb
    arrays = {path.stem: array}
    if wants_rgb and is_rgb:
        choices = rgb_choices(array.ndim - 1)
        indices = choices[0].indices if channels is None else channels.indices
        meant = next(choice for choice in choices if choice.indices == indices)
        return ImageSource(path.stem, arrays, True, choices, path=str(path)), meant
    if not wants_rgb and (channels is None or channels.axis is None):
        if not is_rgb or (like is not None and like.ndim == array.ndim):
            meant = Channels((path.stem,))
            return ImageSource(path.stem, arrays, False, (meant,), path=str(path)), meant
    elif not wants_rgb and channels is not None and channels.axis is not None:
        same_axes = like is not None and like.ndim == array.ndim
        if same_axes and max(channels.indices) < array.shape[channels.axis]:
            return ImageSource(path.stem, arrays, False, (channels,), path=str(path)), channels
    label = "of red, green and blue" if channels is None else channels.label
    raise ValueError(
        f"image {str(path)!r} is {shape_text(array.shape)} numbers, without the channels {label} "
        "of the open image; choose images of the same kind."
    )
