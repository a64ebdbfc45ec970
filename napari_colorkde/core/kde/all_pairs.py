"""Comparing the colors of several images: all pairs at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import choice
from napari_colorkde.core.checks.options import refuse_no_callback, refuse_no_list
from napari_colorkde.core.colorspaces import COLOR_SPACES, SpaceName, refusal_for
from napari_colorkde.core.csv_and_frames import Columns, Table, import_pandas
from napari_colorkde.core.device import DeviceLike, resolve_device
from napari_colorkde.core.kde.bandwidth import Bandwidth, bandwidth_covariance
from napari_colorkde.core.kde.divergence import compare_palettes, in_one_space
from napari_colorkde.core.palette.count_image import MASKS, palette_of, refuse_single_image
from napari_colorkde.core.palette.merge import refuse_unlike
from napari_colorkde.core.palette.palette import Palette

if TYPE_CHECKING:
    import pandas

Array = NDArray[np.float64]
Images = Mapping[str, Palette | ArrayLike] | Sequence[Palette | ArrayLike]


@dataclass(frozen=True, eq=False)
class AllPairs(Table):
    """Divergences between the color densities of n images, in nats.

    Attributes
    ----------
    names
        Of the images.
    js
        ``(n, n)`` Jensen–Shannon divergences, symmetric, between 0 and ln 2.
    kl
        ``(n, n)``: in row i and column j ``∫ f_i log(f_i / f_j)``.
    covariance
        ``(C, C)`` bandwidth of all densities.
    """

    names: tuple[str, ...]
    js: Array
    kl: Array
    covariance: Array

    def _columns(self) -> Columns:
        pairs = list(combinations(range(len(self.names)), 2))
        return {
            "image_a": [self.names[i] for i, _ in pairs],
            "image_b": [self.names[j] for _, j in pairs],
            "js": [float(self.js[i, j]) for i, j in pairs],
            "kl_ab": [float(self.kl[i, j]) for i, j in pairs],
            "kl_ba": [float(self.kl[j, i]) for i, j in pairs],
        }

    def to_matrix(self, which: str = "js") -> "pandas.DataFrame":
        """Return "js" or "kl" as a table with the names along both sides (needs pandas)."""
        values = {"js": self.js, "kl": self.kl}[choice(which, "which", ("js", "kl"))]
        return import_pandas().DataFrame(values, list(self.names), list(self.names))

    def __repr__(self) -> str:
        return f"AllPairs({len(self.names)} images, js from 0 to {self.js.max():.4g} nats)"


def compare_all(
    images: Images,
    bandwidth: Bandwidth = None,
    *,
    names: Sequence[str] | None = None,
    masks: Sequence[ArrayLike | None] | None = None,
    space: SpaceName | str = "rgb",
    channel_axis: int | None = -1,
    device: DeviceLike = "auto",
    progress: Callable[[float], None] | None = None,
    n_channels: int | None = None,
) -> AllPairs:
    """Compare the colors of all pairs of several images, with one bandwidth.

    Parameters
    ----------
    images
        Two or more images with the same channels and dtype, or palettes; or a dict of them by name.
    bandwidth
        See `ColorKDE`. None and the named methods choose it from all images together, so a pair's
        result differs from that of `compare` for the pair alone.
    names
        Names of the images; None for their keys, or their numbers from 0.
    masks
        A mask, or None, for each image; None for no masks at all.
    space, channel_axis, device, n_channels
        See `compare`.
    progress
        Called with the fraction of the pairs done.

    Returns
    -------
    AllPairs
        `names`, `js` and `kl`; accuracy as `compare`.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two images, they differ in kind, two have the same name, or an
        argument is not of the form above.

    Notes
    -----
    O(n²) comparisons of two palettes each; every image is counted once.
    """
    space = choice(space, "space", COLOR_SPACES)
    place = resolve_device(device)
    refuse_no_callback(progress, "progress")
    given, known_names = _named(images, names)
    if masks is not None:
        refuse_no_list(masks, "masks", of=MASKS)
        if len(masks) != len(given):
            raise ValueError(f"masks holds {len(masks)} for {len(given)} images; give {MASKS}.")
    refuse = refusal_for(space)
    palettes = [
        palette_of(
            image,
            mask,
            channel_axis,
            n_channels=n_channels,
            refuse=refuse,
            name=f"images[{number}]",
        )
        for number, (image, mask) in enumerate(
            zip(given, masks or [None] * len(given), strict=True)
        )
    ]
    for number, palette in enumerate(palettes):
        refuse_unlike(palettes[0], palette, "images[0]", f"images[{number}]")
    together = Palette.from_images(palettes)
    *points, everything = in_one_space([*palettes, together], space)
    covariance = bandwidth_covariance(bandwidth, everything, place)
    js, kl = np.zeros((2, len(given), len(given)))
    pairs = list(combinations(range(len(given)), 2))
    for done, (i, j) in enumerate(pairs, start=1):
        found = compare_palettes(points[i], points[j], covariance, place)
        js[i, j] = js[j, i] = found.js
        kl[i, j], kl[j, i] = found.kl_ab, found.kl_ba
        if progress is not None:
            progress(done / len(pairs))
    return AllPairs(known_names, js, kl, covariance)


def _named(
    images: Images, names: Sequence[str] | None
) -> tuple[list[Palette | ArrayLike], tuple[str, ...]]:
    refuse_single_image(images, ", or images by name")
    keys = list(images) if isinstance(images, Mapping) else None
    given = list(images.values()) if isinstance(images, Mapping) else list(images)
    if len(given) < 2:
        raise ValueError(f"images holds {len(given)}; give two images or more.")
    known = [str(name) for name in (keys or range(len(given)))]
    if names is not None:
        refuse_no_list(names, "names", of=f"one name for each of {len(given)} images")
        if len(names) != len(given):
            raise ValueError(f"names={names!r}; give one name for each of {len(given)} images.")
        known = [str(name) for name in names]
    if len(set(known)) < len(known):
        raise ValueError(f"names={known!r}; give each image a different name.")
    return given, tuple(known)
