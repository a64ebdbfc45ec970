"""How fast a slide on the disk is counted and judged, and what memory that takes.

``python -m benchmarks.slides TASK PATH`` does a task on a slide and prints megapixels a second
and MB as JSON; ``python -m benchmarks.slides SIDE`` makes a slide of so many rows and columns, and
prints what all tasks take: 32768 is 3.2 GB of pixels.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Setup, child, say
from benchmarks.memory import peak, resident
from benchmarks.report import Figure, Question, Row, Target

SIDES = (4096, 8192, 16384)
"""Rows and columns of the slides: each has four times as many pixels as the one before."""

QUICK_SIDE = 512

CHUNK = 512

RATES = {"count": 40.0, "mixture": 25.0, "posterior": 25.0}
"""Wanted, megapixels a second."""

LIMIT_MB = 1500

TITLES = {
    "count": "counted",
    "mixture": "a mixture of two kernels at each pixel, written as OME-Zarr with its pyramid",
    "posterior": "the posterior of a class at each pixel, written as OME-Zarr with its pyramid",
}


def measure(setup: Setup) -> Question:
    rows = []
    peaks: list[float] = []
    for side in (QUICK_SIDE,) if setup.quick else SIDES:
        for task, (rates, megabytes) in figures(side, min(setup.repeats, 3)).items():
            peaks.append(megabytes)
            pixels = side * side / 1e6
            title = f"{pixels:.3g} megapixels: {TITLES.get(task, task)}"
            if task in RATES:
                rows.append(Row(title, rates, target=Target("at least", RATES[task])))
            else:
                rows.append(Row(title, rates))
            say(f"  {title}: {rates}, {megabytes:.0f} MB")
    memory = Figure.of([max(peaks)], "MB")
    rows.append(Row("memory, the most of all of these", memory, target=Target("at most", LIMIT_MB)))
    text = (
        "A slide of 8-bit RGB in chunks of 512 × 512, compressed with zstd: read from the disk, "
        "decoded, and worked on block by block. Each task has a process of its own; its memory is "
        "what it has at most, less what it had when everything was imported."
    )
    notes = ["A rate that does not fall from one size to the next means time linear in pixels."]
    return Question("Slides", text, rows, notes)


def figures(side: int, repeats: int) -> dict[str, tuple[Figure, float]]:
    """Return the rates of each task on a slide of this side, and the peak of memory."""
    found: dict[str, tuple[Figure, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "slide.zarr"
        make_slide(path, side)
        for task in TASKS:
            runs = [child("slides", task, str(path)) for _ in range(repeats)]
            rates = Figure.of([run["rate"] for run in runs], "megapixels/s")
            found[task] = rates, max(run["MB"] for run in runs)
    return found


def make_slide(path: Path, side: int) -> None:
    """Write a picture that looks like tissue: slow changes of stain, and noise."""
    import zarr

    rng = np.random.default_rng(0)
    noise = rng.normal(0, 4, (CHUNK, CHUNK, 3)).astype(np.float32)
    array = zarr.create_array(path, shape=(side, side, 3), chunks=(CHUNK, CHUNK, 3), dtype="u1")
    across = np.arange(CHUNK, dtype=np.float32)
    for top in range(0, side, CHUNK):
        for left in range(0, side, CHUNK):
            stain = 0.5 + 0.5 * np.outer(
                np.sin((top + across) / 300), np.cos((left + across) / 200)
            )
            colors = (225, 200, 220) - stain[..., np.newaxis] * np.float32((90, 130, 60))
            shift = rng.integers(0, CHUNK, 2)
            tile = colors + np.roll(noise, tuple(shift), (0, 1))
            array[top : top + CHUNK, left : left + CHUNK] = tile.clip(0, 255).astype(np.uint8)


def read(path: Path) -> Any:
    from napari_colorkde import read_image

    return read_image(path, lazy=True)


def decode(path: Path) -> None:
    from napari_colorkde.core.palette.image_tiles import read_tiles

    for _ in read_tiles(read(path), -1):
        pass


def count(path: Path) -> None:
    from napari_colorkde import Palette

    Palette.from_image(read(path))


def mixture(path: Path) -> None:
    from napari_colorkde import compute_densities

    write(path, compute_densities(read(path), kernels()["stain"]))


def posterior(path: Path) -> None:
    from napari_colorkde import classify_image

    write(path, classify_image(read(path), kernels(), show="posterior"))


def kernels() -> dict[str, Any]:
    """A kernel with a full covariance for each of two classes."""
    from napari_colorkde import Kernel, KernelSet

    tilted = np.array([[400, 120, 60], [120, 500, 80], [60, 80, 300.0]])
    means = {"stain": [(150, 90, 170), (180, 130, 190)], "rest": [(222, 198, 218)]}
    return {
        name: KernelSet([Kernel(mean, tilted, 1 / len(each)) for mean in each], name)
        for name, each in means.items()
    }


def write(path: Path, values: NDArray[Any]) -> None:
    from napari_colorkde.io.densities import write_density

    write_density(path.with_name("result.zarr"), values)


TASKS: dict[str, Callable[[Path], None]] = {
    "decode": decode,
    "count": count,
    "mixture": mixture,
    "posterior": posterior,
}


def do(task: str, path: Path) -> dict[str, float]:
    """Do a task; return megapixels a second, and MB above the imports."""
    import torch
    import zarr

    from napari_colorkde.core.compiled_loops import LOOPS_OF_COUNTING
    from napari_colorkde.io import densities  # noqa: F401

    torch.ones(256, 256) @ torch.ones(256, 256)
    LOOPS_OF_COUNTING.prepare(wait=True)
    side = zarr.open_array(path, mode="r").shape[0]
    np.asarray(read(path)[:1, :1])  # zarr and dask start their threads
    before = resident()
    start = time.perf_counter()
    TASKS[task](path)
    return {"rate": side * side / 1e6 / (time.perf_counter() - start), "MB": peak() - before}


def main(words: list[str]) -> None:
    """Do one task on a slide that is there, or all on one that is made for it."""
    if len(words) == 2:
        print(json.dumps(do(words[0], Path(words[1]))))
        return
    for task, (rates, megabytes) in figures(int(words[0]), 1).items():
        print(f"{task}: {rates}, {megabytes:.0f} MB above the imports")


if __name__ == "__main__":
    main(sys.argv[1:])
