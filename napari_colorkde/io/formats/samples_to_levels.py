"""From the samples of a file to the levels of an image: what the tags say is done.

Nothing is scaled and no gamma is applied. What has no one way to RGB (CMYK and CIELAB without a
conversion, raw sensor data) is refused.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.palette.image_tiles import is_dask
from napari_colorkde.io.formats.profiles import is_srgb, lab_to_srgb, profile_name, to_srgb
from napari_colorkde.io.formats.reading import DecodedImage, first_line, native

N_COLORS = {"gray": 1, "rgb": 3, "ycbcr": 3, "cielab": 3, "icclab": 3, "cmyk": 4}

CCIR601 = (0.299, 0.587, 0.114)
FULL_RANGE = (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)

_MODES = {"cmyk": "CMYK", "cielab": "CIELAB", "icclab": "CIELAB"}


def to_levels(
    path: Path, image: DecodedImage, icc: Literal["keep", "convert"] = "keep"
) -> tuple[NDArray[Any], list[str]]:
    """Return the levels of a picture, and sentences about what is not obvious in them.

    Parameters
    ----------
    path
        For messages.
    image
        What was read.
    icc
        Whether the levels of an ICC profile become those of sRGB.

    Returns
    -------
    levels : ndarray
        ``(..., H, W)`` gray, or with a last axis of samples: RGB, RGBA, or any other number of
        channels. A masked array where the file names a level for no data and the numbers are
        integers; NaN there in floats.
    remarks : list of str

    Raises
    ------
    ValueError
        If the samples are no levels.
    """
    if is_dask(image.samples):
        return _lazy_levels(path, image, icc)
    samples, remarks = image.samples, list(image.remarks)
    if samples.dtype.kind not in "buif":
        raise ValueError(
            f"image {str(path)!r} holds numbers of type {samples.dtype}; give real numbers."
        )
    hidden = _without_data(image)
    try:
        if image.color == "palette":
            levels = _looked_up(samples, image.table)
        elif image.color == "ycbcr":
            levels = _from_ycbcr(samples, image.ycbcr or (CCIR601, FULL_RANGE))
        else:
            levels = _from_white(samples, image) if image.white_is_zero else samples
    except ValueError as error:
        raise ValueError(f"image {str(path)!r} cannot be read: {error}") from None
    levels = native(levels)
    if image.alpha == "associated":
        levels = _divided_by_alpha(levels, N_COLORS[image.color], image.bits)
    levels, profile_remark = _in_rgb(path, levels, image, icc)
    remarks += profile_remark
    if image.alpha and image.color == "gray" and levels.shape[-1] == 2:
        levels = levels[..., [0, 0, 0, 1]]
    return _marked(levels, hidden, image), remarks


def _lazy_levels(
    path: Path, image: DecodedImage, icc: Literal["keep", "convert"]
) -> tuple[NDArray[Any], list[str]]:
    """Return the levels of a picture in blocks: what is done to a block is done to one pixel."""
    import dask.array as da

    samples: Any = image.samples
    n_samples = samples.shape[-1] if image.has_samples else 1
    probe = np.zeros((1,) * (samples.ndim - image.has_samples), samples.dtype)
    if image.has_samples:
        probe = np.repeat(probe[..., np.newaxis], n_samples, axis=-1)
    levels, remarks = to_levels(path, replace(image, samples=probe), icc)
    if image.no_data is None and levels is probe:
        return samples, remarks
    plain = replace(image, remarks=())

    def convert(block: NDArray[Any]) -> NDArray[Any]:
        found, _ = to_levels(path, replace(plain, samples=block), icc)
        # Blocks that have no pixel without data are of the same kind as those that have.
        return np.ma.asarray(found) if hides else found

    hides = image.no_data is not None and levels.dtype.kind != "f"
    chunks = samples.chunks[: samples.ndim - image.has_samples]
    added = levels.ndim - probe.ndim
    if levels.ndim > len(chunks):
        chunks = (*chunks, (levels.shape[-1],))
    empty = np.empty((0,) * levels.ndim, levels.dtype)
    converted = da.map_blocks(
        convert,
        samples,
        dtype=levels.dtype,
        chunks=chunks,
        new_axis=[levels.ndim - 1] if added else None,
        meta=np.ma.asarray(empty) if hides else empty,
    )
    return converted, remarks


def to_indices(image: DecodedImage) -> NDArray[Any]:
    """Return whole numbers as the file holds them: labels, entries of a palette."""
    samples = native(image.samples)
    if image.alpha and image.color == "gray" and image.has_samples and samples.shape[-1] == 2:
        return samples[..., 0]
    return samples if image.step == 1 else samples // image.step


def _looked_up(index: NDArray[Any], table: NDArray[Any] | None) -> NDArray[Any]:
    if table is None:
        raise ValueError("it is indexed but has no palette.")
    if index.size and int(index.max()) >= len(table):
        raise ValueError(f"its palette has {len(table)} colors, but a pixel has {index.max()}.")
    return np.asarray(table[index.astype(np.intp)])


def _from_ycbcr(
    samples: NDArray[Any], ycbcr: tuple[tuple[float, ...], tuple[float, ...]]
) -> NDArray[Any]:
    """Turn Y, Cb, Cr into R, G, B: TIFF 6.0, section 21."""
    if samples.dtype != np.uint8:
        raise ValueError(f"its YCbCr samples are {samples.dtype}, not uint8.")
    (red, green, blue), reference = ycbcr
    black, white = np.array(reference[::2]), np.array(reference[1::2])
    full = (samples[..., :3] - black) / (white - black) * (255.0, 127.0, 127.0)
    luma = full[..., 0]
    r = luma + full[..., 2] * (2 - 2 * red)
    b = luma + full[..., 1] * (2 - 2 * blue)
    g = (luma - blue * b - red * r) / green
    colors = np.stack([r, g, b], axis=-1).round().clip(0, 255).astype(np.uint8)
    return np.concatenate([colors, samples[..., 3:]], axis=-1)


def _from_white(samples: NDArray[Any], image: DecodedImage) -> NDArray[Any]:
    """Count levels from black where the file counts them from white."""
    if samples.dtype.kind == "b":
        return ~samples
    if samples.dtype.kind == "f":
        return samples  # floats have no white level to count from
    if samples.dtype.kind == "i":
        return ~samples
    top = np.iinfo(samples.dtype).max if not image.bits else (1 << image.bits) - 1
    return np.asarray(samples.dtype.type(top) - samples)


def _divided_by_alpha(levels: NDArray[Any], n_colors: int, bits: int) -> NDArray[Any]:
    """Return straight colors of those that were multiplied by alpha; 0 where it is 0."""
    alpha = levels[..., n_colors : n_colors + 1].astype(np.float64)
    if levels.dtype.kind == "f":
        top = 1.0
    else:
        top = float(np.iinfo(levels.dtype).max if not bits else (1 << bits) - 1)
    visible = alpha > 0
    colors = levels[..., :n_colors] * np.divide(top, alpha, out=np.zeros_like(alpha), where=visible)
    if levels.dtype.kind != "f":
        colors = colors.round().clip(0, top)
    return np.concatenate([colors.astype(levels.dtype), levels[..., n_colors:]], axis=-1)


def _in_rgb(
    path: Path, levels: NDArray[Any], image: DecodedImage, icc: str
) -> tuple[NDArray[Any], list[str]]:
    """Obey the ICC profile, or say that there is one; refuse what is neither gray nor RGB."""
    color = "rgb" if image.color in ("palette", "ycbcr") else image.color
    name = "" if image.profile is None else profile_name(image.profile)
    if color in _MODES and icc == "keep":
        raise ValueError(
            f"image {str(path)!r} is stored in {_MODES[color]}, not in RGB"
            + (f" (profile {name!r})" if name else "")
            + "; convert it with --icc convert (icc='convert'), or in an image editor."
        )
    if color in ("cielab", "icclab"):
        return _from_lab(levels, color), []
    if color not in ("rgb", "gray", "cmyk") or (image.profile is None and color != "cmyk"):
        return levels, []
    if is_srgb(name) and color == "rgb":
        return levels, []
    if icc == "keep":
        sentence = (
            f"image {str(path)!r} has the color profile {name!r}; its numbers are kept as they "
            "are, and --icc convert (icc='convert') turns them into sRGB."
        )
        return levels, [sentence]
    n_colors = N_COLORS[color]
    colors = levels[..., :n_colors] if image.has_samples else levels[..., np.newaxis]
    if levels.dtype.kind == "b":
        return levels, []
    try:
        if colors.dtype not in (np.uint8, np.uint16, np.float32, np.float64):
            raise ValueError(f"levels of the type {colors.dtype} cannot be converted.")
        if colors.dtype == np.uint16 and 0 < image.bits < 16:
            # The profile's white is the file's own, not that of 16 bits.
            colors = (colors / ((1 << image.bits) - 1)).astype(np.float32)
        converted = to_srgb(colors, image.profile, color)
    except ValueError as error:
        raise ValueError(
            f"image {str(path)!r} cannot be converted to sRGB: {first_line(error)}; use "
            "--icc keep, or convert it in an image editor."
        ) from None
    if image.has_samples and levels.shape[-1] > n_colors:
        converted = np.concatenate([converted, levels[..., n_colors:]], axis=-1)
    return converted, []


def _from_lab(levels: NDArray[Any], color: str) -> NDArray[Any]:
    """Turn CIELAB of 8 or 16 bits, as TIFF 6.0 (cielab) or ICC (icclab) encodes it, into sRGB."""
    if levels.dtype.kind == "f":
        return lab_to_srgb(levels[..., :3])
    top = np.iinfo(np.dtype(f"u{levels.dtype.itemsize}")).max
    unsigned = levels[..., :3].astype(f"u{levels.dtype.itemsize}")
    step = 1.0 if levels.dtype.itemsize == 1 else 256.0
    lab = np.empty(unsigned.shape, np.float32)
    lab[..., 0] = unsigned[..., 0] * (100.0 / top)
    if color == "cielab":
        lab[..., 1:] = unsigned[..., 1:].view(f"i{levels.dtype.itemsize}") / step
    else:
        lab[..., 1:] = unsigned[..., 1:] / step - 128.0
    rgb = (lab_to_srgb(lab) * top).round().astype(unsigned.dtype)
    return np.concatenate([rgb, levels[..., 3:].astype(rgb.dtype)], axis=-1)


def _without_data(image: DecodedImage) -> NDArray[np.bool_] | None:
    """Where all samples of a pixel have the level that stands for none."""
    if image.no_data is None:
        return None
    level, samples = image.no_data, image.samples
    hidden = (
        np.isnan(samples) if np.isnan(level) and samples.dtype.kind == "f" else samples == level
    )
    return np.asarray(hidden.all(axis=-1) if image.has_samples else hidden)


def _marked(
    levels: NDArray[Any], hidden: NDArray[np.bool_] | None, image: DecodedImage
) -> NDArray[Any]:
    """Leave out the pixels without data: NaN in floats, masked in integers."""
    if hidden is None or not hidden.any():
        return levels
    if levels.ndim > hidden.ndim:
        hidden = np.broadcast_to(hidden[..., np.newaxis], levels.shape)
    if levels.dtype.kind == "f":
        return np.where(hidden, np.asarray(np.nan, levels.dtype), levels)
    return np.ma.MaskedArray(levels, mask=hidden)
