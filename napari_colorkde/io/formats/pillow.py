"""Images that Pillow reads whole: JPEG, 8-bit PNG, GIF, BMP, WebP and others."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from napari_colorkde.io.formats.codecs import read_png
from napari_colorkde.io.formats.profiles import profile_name
from napari_colorkde.io.formats.reading import (
    ColorModel,
    DecodedImage,
    Part,
    PictureInfo,
    check_size,
)
from napari_colorkde.io.formats.signatures import is_png

_ORIENTATION = 0x0112

_COLORS: dict[str, ColorModel] = {"CMYK": "cmyk", "LAB": "icclab", "P": "palette", "PA": "palette"}
_STEPS = {2: 85, 4: 17}
"""Pillow stretches gray levels of 2 and 4 bits to 8."""

_DTYPES = {"I": np.int32, "F": np.float32, "1": np.bool_}


def read(path: Path, part: Part = Part()) -> DecodedImage:  # noqa: B008  # frozen
    """Return the samples of a picture, or of all frames of an animation."""
    if part.level:
        raise ValueError(f"level {part.level} does not exist; it has 1, counted from 0.")
    depth, color_type = _png_depth(path)
    if depth == 16:
        if part.series or part.page:
            raise ValueError(
                f"frame {part.page or part.series} does not exist; it has 1, counted from 0."
            )
        return read_png(path)
    with _opened(path) as picture:
        frames = range(getattr(picture, "n_frames", 1))
        if picture.format not in ("GIF", "PNG", "WEBP", "AVIF"):
            frames = range(1)  # a telephone's JPEG holds previews as further frames
        chosen = part.page if part.page is not None else part.series
        if chosen is not None:
            if chosen not in frames:
                raise ValueError(
                    f"frame {chosen} does not exist; it has {len(frames)}, counted from 0."
                )
            frames = range(chosen, chosen + 1)
        check_size(path, (len(frames), picture.height, picture.width, 4), np.uint8)
        profile = picture.info.get("icc_profile")
        orientation = int(picture.getexif().get(_ORIENTATION, 1))
        if len(frames) == 1:
            picture.seek(frames[0])
            image = _samples(picture)
        else:
            modes = [frame.convert("RGBA") for frame in ImageSequence.Iterator(picture)]
            stack = np.stack([np.asarray(frame) for frame in modes])
            clear = (stack[..., 3] != 255).any()
            image = DecodedImage(
                stack if clear else stack[..., :3],
                "rgb",
                has_samples=True,
                alpha="straight" if clear else "",
            )
    return DecodedImage(
        image.samples,
        image.color,
        has_samples=image.has_samples,
        alpha=image.alpha,
        step=_STEPS.get(depth, 1) if color_type == 0 else 1,
        table=image.table,
        profile=profile,
        orientation=orientation if 1 <= orientation <= 8 else 1,
    )


def contents(path: Path) -> list[PictureInfo]:
    """List the one picture, or the frames of an animation, of a file."""
    with _opened(path) as picture:
        n_frames = getattr(picture, "n_frames", 1)
        profile = picture.info.get("icc_profile")
        bands = picture.getbands()
        shape: tuple[int, ...] = (picture.height, picture.width)
        shape = shape if len(bands) == 1 else (*shape, len(bands))
        axes = "YX" if len(bands) == 1 else "YXS"
        return [
            PictureInfo(
                series=0,
                kind="picture",
                shape=shape if n_frames == 1 else (n_frames, *shape),
                axes=axes if n_frames == 1 else f"T{axes}",
                dtype="uint16" if _png_depth(path)[0] == 16 else str(_dtype(picture.mode)),
                color=_COLORS.get(picture.mode, "rgb" if len(bands) >= 3 else "gray"),
                compression=str(picture.format or "").lower(),
                pages=n_frames,
                profile=profile_name(profile) if profile else "",
                orientation=int(picture.getexif().get(_ORIENTATION, 1)),
            )
        ]


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        # Pillow warns of an attack above 89 megapixels, of EXIF that it cannot read, and so on.
        warnings.simplefilter("ignore")
        with Image.open(path) as picture:
            yield picture


def _dtype(mode: str) -> np.dtype[Any]:
    if mode.startswith("I;16"):
        return np.dtype(np.uint16)
    return np.dtype(_DTYPES.get(mode, np.uint8))


def _samples(picture: Image.Image) -> DecodedImage:
    """Return the samples of one frame, and what they are."""
    mode = picture.mode
    if mode == "P":
        return _palette_samples(picture)
    if mode in ("PA", "La"):
        picture = picture.convert("RGBA" if mode == "PA" else "LA")
    elif mode == "RGBa":
        picture = picture.convert("RGBA")
    elif mode in ("YCbCr", "HSV"):
        picture = picture.convert("RGB")
    elif "transparency" in picture.info and mode in ("1", "L", "RGB"):
        picture = picture.convert("RGBA")
    samples = np.asarray(picture)
    has_samples = samples.ndim == 3
    n_samples = samples.shape[-1] if has_samples else 1
    if picture.mode in ("CMYK", "LAB"):
        return DecodedImage(samples, _COLORS[picture.mode], has_samples=True)
    return DecodedImage(
        samples,
        "rgb" if n_samples >= 3 else "gray",
        has_samples=has_samples,
        alpha="straight" if n_samples in (2, 4) else "",
    )


def _palette_samples(picture: Image.Image) -> DecodedImage:
    """Return the entries of a palette with their colors; alpha where an entry is transparent."""
    index = np.asarray(picture)
    table = np.zeros((256, 4), np.uint8)
    table[:, 3] = 255
    levels = np.array(picture.getpalette("RGBA") or [], np.uint8).reshape(-1, 4)
    table[: len(levels)] = levels
    clear = picture.info.get("transparency")
    if isinstance(clear, int):
        table[:, 3] = 255
        table[clear, 3] = 0
    elif isinstance(clear, bytes):
        table[: len(clear), 3] = list(clear)
    has_alpha = clear is not None
    return DecodedImage(index, "palette", table=table if has_alpha else _opaque(table))


def _opaque(table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(table[:, :3])


def _png_depth(path: Path) -> tuple[int, int]:
    """Return bits and color type of a PNG; zeros of any other file.

    Of 16 bits Pillow would keep only the upper 8, or lose a transparent level.
    """
    with path.open("rb") as file:
        head = file.read(26)
    return (head[24], head[25]) if len(head) == 26 and is_png(head) else (0, 0)


def write_picture(path: Path, pixels: NDArray[Any]) -> None:
    """Write a picture as it is, whole or not at all.

    Parameters
    ----------
    path
        ``.tif``, ``.png`` (8 and 16 bits) or ``.npy``.
    pixels
        ``(H, W, 3)`` or ``(H, W, 4)``, or with leading axes (not for PNG).

    Raises
    ------
    ValueError
        If the format has no room for it.
    OSError
        If the file cannot be written.
    """
    import imagecodecs
    import tifffile

    from napari_colorkde.io.provenance import SOFTWARE
    from napari_colorkde.io.writers.atomic import atomic_path

    suffix = path.suffix.lower()
    if suffix == ".png" and (pixels.ndim != 3 or pixels.dtype.kind != "u"):
        raise ValueError(
            f"output {str(path)!r}: a PNG holds a single image of 8 or 16 bits, but the pixels are "
            f"{pixels.dtype} with shape {pixels.shape}; write .tif or .npy."
        )
    with atomic_path(path) as scratch:
        if suffix == ".png":
            scratch.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels)))
        elif suffix == ".npy":
            np.save(scratch, pixels)
        else:
            extra = ["unassalpha"] if pixels.shape[-1] == 4 else None
            tifffile.imwrite(
                scratch, pixels, photometric="rgb", extrasamples=extra, software=SOFTWARE
            )
