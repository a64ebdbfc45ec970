"""Parts of an estimate that take long, as generators that tell how far they are."""

from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.state import Bandwidth
from napari_colorkde.core.device import Device
from napari_colorkde.core.kde.bandwidth import iterate_selection
from napari_colorkde.core.kde.bandwidth_result import BandwidthSelection
from napari_colorkde.core.kde.bandwidth_rules import bandwidth_rule
from napari_colorkde.core.kde.color_kde import ColorKDE
from napari_colorkde.core.palette.palette import Palette


def density_in_steps(kde: ColorKDE, log: bool) -> Generator[Progress, None, NDArray[Any]]:
    """The exact densities of a KDE's own colors, so that a newer edit need not wait for all.

    Colors off the lattice, such as those of another color space, take a minute where most of
    them lie in far tails.
    """
    steps = kde.density_in_steps(log)
    while True:
        try:
            done = next(steps)
        except StopIteration as end:
            values: NDArray[Any] = end.value
            return values
        yield Progress("computing the exact density", done)


def resolve_bandwidth(
    palette: Palette, bandwidth: Bandwidth, device: Device
) -> Iterator[Progress | BandwidthSelection | NDArray[np.float64]]:
    """Turn the name of a rule into sigmas, telling how far it is."""
    if isinstance(bandwidth, str):
        total = bandwidth_rule(bandwidth).n_tried
        for selection in iterate_selection(palette, bandwidth, None, device):
            done = len(selection.candidates) / total
            yield Progress("choosing the bandwidth", min(done, 1.0))
        yield selection
    elif bandwidth is not None:
        if len(bandwidth) not in (1, palette.n_channels):
            raise ValueError(
                f"bandwidth={bandwidth}: the image has {palette.n_channels} color channels; give "
                "one sigma, or one per channel."
            )
        yield np.broadcast_to(np.asarray(bandwidth, np.float64), (palette.n_channels,)).copy()
