"""Palettes in files: count an image once; read, merge and compare its palette later.

An NPZ archive of the arrays `schema`, `version`, `colors`, `counts`, `bin_width`, `excluded`,
`image_dtype`, `provenance` (JSON), of palettes with known ranges `ranges`, and of binned ones
`unit`, `bins`, `first` and `second`. Whole numbers have the smallest type that holds them.
"""

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.arguments import kind_of, path_of
from napari_colorkde.core.checks.channels import MAX_COLOR_CHANNELS
from napari_colorkde.core.palette.bins.binning import BinMoments
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.io.datasets.memory import Budget
from napari_colorkde.io.datasets.npz import read_archive
from napari_colorkde.io.datasets.streams import UnreadableError
from napari_colorkde.io.provenance import as_json, described
from napari_colorkde.io.writers.atomic import atomic_path
from napari_colorkde.io.writers.targets import check_target

PALETTE_SUFFIX = ".npz"

SCHEMA = "napari-colorkde palette"

VERSION = 1
"""Of the schema; files of later ones are refused."""

_NEEDED = ("colors", "counts", "bin_width", "excluded", "image_dtype")
_MOMENTS = ("unit", "bins", "first", "second")


def save_palette(
    path: str | os.PathLike[str],
    palette: Palette,
    *,
    description: Mapping[str, object] | None = None,
) -> None:
    """Write a palette, for `load_palette`.

    Parameters
    ----------
    path
        ``.npz``.
    palette
        Any palette; binned and weighted ones are restored exactly, too. An 8-bit photograph of 440
        000 colors takes 2 to 3 MB.
    description
        How to reproduce the file, as `provenance` gives it.

    Raises
    ------
    TypeError
        If it is not a palette.
    ValueError
        If the path has another suffix.
    OSError
        If the file cannot be written. An existing file is then left unchanged.
    """
    if not isinstance(palette, Palette):
        raise TypeError(
            f"palette is {kind_of(palette)}; give a Palette, such as Palette.from_image(image)."
        )
    path = check_target(path, [PALETTE_SUFFIX])
    record = described(description)
    arrays: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "colors": palette.colors,
        "counts": _narrowed(palette.counts),
        "bin_width": palette.bin_width,
        "excluded": [palette.n_masked, palette.n_transparent, palette.n_not_finite, palette.n_rare],
        "image_dtype": "" if palette.image_dtype is None else palette.image_dtype.str,
        "provenance": as_json(record),
    }
    if palette.ranges is not None:
        arrays["ranges"] = palette.ranges
    if palette.moments is not None:
        moments = {name: getattr(palette.moments, name) for name in _MOMENTS}
        arrays |= {name: _narrowed(array) for name, array in moments.items()}
    # Opened here: numpy would append .npz to a name in capitals.
    with atomic_path(path) as scratch, scratch.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def load_palette(path: str | os.PathLike[str]) -> Palette:
    """Read a palette that `save_palette` wrote.

    Raises
    ------
    ValueError
        If the file is not such a palette, or one of a later version.
    OSError
        If there is no such file.
    """
    path = Path(path_of(path))
    if not path.is_file():
        raise FileNotFoundError(f"palette {str(path)!r} does not exist; check the name.")
    try:
        return _as_palette(read_archive(path, str(path), Budget(), _wanted))
    except _LaterVersionError as error:
        raise ValueError(
            f"palette {str(path)!r} has version {error}, and this program reads {VERSION}; update "
            "napari-colorkde."
        ) from None
    except UnreadableError:
        raise ValueError(
            f"palette {str(path)!r} is not a palette; give an .npz file that save_palette wrote."
        ) from None


def is_palette_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file says that it holds a palette, of whatever version; its arrays are not read."""
    path = Path(path)
    if path.suffix.lower() != PALETTE_SUFFIX or not path.is_file():
        return False
    try:
        return "schema" in read_archive(path, str(path), Budget(), _wanted_of_head)
    except UnreadableError:
        return False


def palette_origin(path: str | os.PathLike[str]) -> dict[str, object]:
    """Return how a palette's file was made, as `provenance` gives it; empty where it is not said.

    Raises
    ------
    OSError, ValueError
        If the file cannot be read.
    """
    found = read_archive(Path(path), str(path), Budget(), _wanted_of_origin)
    try:
        record = json.loads(str(found["provenance"]))
    except (KeyError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


class _LaterVersionError(ValueError):
    """The version of a file's schema is above that of this program."""


def _wanted(names: Collection[str]) -> list[str]:
    known = ("schema", "version", *_NEEDED, "ranges", *_MOMENTS)
    return [name for name in known if name in names]


def _wanted_of_origin(names: Collection[str]) -> list[str]:
    return ["provenance"] if "provenance" in names else []


def _wanted_of_head(names: Collection[str]) -> list[str]:
    return ["schema"] if {"schema", *_NEEDED} <= set(names) else []


def _as_palette(arrays: Mapping[str, NDArray[Any]]) -> Palette:
    """Return the palette of these arrays, whose numbers are checked.

    Raises
    ------
    UnreadableError
        If they are not those of a palette.
    """
    if str(arrays.get("schema")) != SCHEMA:
        raise UnreadableError
    version = arrays.get("version", np.array("none"))
    if version.shape != () or version.dtype.kind not in "iu":
        raise UnreadableError
    if int(version) > VERSION:
        raise _LaterVersionError(int(version))
    if not set(_NEEDED) <= set(arrays) or arrays["excluded"].shape not in ((3,), (4,)):
        raise UnreadableError
    try:
        named = str(arrays["image_dtype"])
        image_dtype = np.dtype(named) if named else None
        n_masked, n_transparent, n_not_finite, *rare = map(int, arrays["excluded"])
        palette = Palette(
            _colors(arrays["colors"]),
            _widened(arrays["counts"]),
            arrays["bin_width"],
            n_masked,
            n_transparent,
            n_not_finite,
            ranges=arrays.get("ranges"),
            moments=_moments(arrays),
            image_dtype=image_dtype,
            n_rare=sum(rare),
        )
    except (TypeError, ValueError):
        raise UnreadableError from None
    if not _fit(palette):
        raise UnreadableError
    return palette


def _colors(colors: NDArray[Any]) -> NDArray[Any]:
    is_known = colors.dtype in (np.uint8, np.uint16, np.float32, np.float64)
    if not is_known or colors.ndim != 2 or not 1 <= colors.shape[1] <= MAX_COLOR_CHANNELS:
        raise UnreadableError
    return colors


def _moments(arrays: Mapping[str, NDArray[Any]]) -> BinMoments | None:
    if not set(_MOMENTS) <= set(arrays):
        return None
    unit, bins, first, second = (arrays[name] for name in _MOMENTS)
    return BinMoments(unit, _widened(bins), _widened(first), second)


def _fit(palette: Palette) -> bool:
    """Whether numbers and shapes are those of a palette."""
    n, c = len(palette), palette.n_channels
    parts: list[NDArray[Any]] = [palette.bin_width]
    if palette.ranges is not None:
        parts.append(palette.ranges)
    shapes: list[tuple[int, ...]] = [(c,)] * len(parts)
    moments = palette.moments
    if moments is not None:
        parts += [moments.unit, moments.bins, moments.first, moments.second]
        shapes += [(c,), (n, c), (n, c), (n, c * (c + 1) // 2)]
        if not (moments.unit > 0).all() or not palette.bin_width.all():
            return False
    return (
        n > 0
        and [part.shape for part in parts] == shapes
        and all(np.isfinite(part).all() for part in (palette.colors, palette.counts, *parts))
        and bool((palette.bin_width >= 0).all())
    )


def _narrowed(array: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers in the smallest type that holds them, floats as they are."""
    if array.dtype.kind == "f" or not array.size:
        return array
    low, high = array.min(), array.max()
    return array.astype(np.result_type(np.min_scalar_type(low), np.min_scalar_type(high)))


def _widened(array: NDArray[Any]) -> NDArray[Any]:
    """Return what was narrowed, as it was: int64, or floats."""
    if array.dtype.kind in "iu":
        return array.astype(np.int64)
    if array.dtype.kind != "f":
        raise UnreadableError
    return array
