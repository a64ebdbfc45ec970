"""What `crosscheck` asks about: samples, and points to evaluate their density at."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_colorkde.cli.console import timed_step
from napari_colorkde.cli.inputs import ImageInput, count_colors

if TYPE_CHECKING:
    from napari_colorkde.cli.crosscheck_libraries import Task


def colors_to_check(
    image: ImageInput, sigmas: list[float] | None, samples: int, points: int, seed: int
) -> "Task":
    """Draw pixels of an image, and colors to ask about: half of them pixels, half anywhere."""
    import numpy as np

    from napari_colorkde.cli.crosscheck_libraries import Task
    from napari_colorkde.core.kde.bandwidth_rules import default_sigmas

    palette = count_colors(image)
    random = np.random.default_rng(seed)
    drawn = random.choice(
        len(palette), samples + points - points // 2, p=palette.counts / palette.n_pixels
    )
    data, pixels = np.split(palette.colors[drawn], [samples])
    low, high = palette.colors.min(axis=0), palette.colors.max(axis=0)
    anywhere = low + random.random((points // 2, palette.n_channels)) * (high - low)
    asked = np.concatenate([pixels, anywhere.astype(palette.dtype)])
    spread = _spread(sigmas, default_sigmas(palette))
    return Task(data, asked, len(pixels), spread, is_image=True)


def vectors_to_check(
    file: Path, scale: float | None, sigmas: list[float] | None, samples: int, points: int
) -> "Task":
    """The first vectors of a data set: training ones, and validation ones to ask about."""
    import numpy as np

    from napari_colorkde.cli.crosscheck_libraries import Task
    from napari_colorkde.io.datasets import read_dataset, split

    if sigmas is None:
        raise ValueError("--bandwidth is missing; vectors need one, as in --bandwidth 0.2.")
    with timed_step(f"Reading {file}") as work:
        vectors = split(read_dataset(file), scale=scale)
        data, asked = vectors.train[:samples], vectors.valid[:points]
        work.outcome = f"{len(data)} training and {len(asked)} validation vectors of them"
    spread = _spread(sigmas, np.empty(data.shape[1]))
    return Task(data, asked, len(asked), spread, is_image=False)


def _spread(sigmas: list[float] | None, default: Any) -> Any:
    """One sigma for each axis."""
    import numpy as np

    if sigmas is None:
        return default
    if len(sigmas) not in (1, len(default)):
        raise ValueError(
            f"bandwidth has {len(sigmas)} sigmas for {len(default)} axes; give one, or one for "
            "each."
        )
    return np.broadcast_to(np.asarray(sigmas, np.float64), len(default)).copy()
