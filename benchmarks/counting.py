"""How fast the colors of an image are counted, from the array on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Contender, Setup, compete, time_of
from benchmarks.photograph import deep_photograph
from benchmarks.report import Question, Row, Target
from napari_colorkde import Palette
from napari_colorkde.core.compiled_loops import LOOPS_OF_COUNTING, CompiledLoops
from napari_colorkde.core.palette.counters import byte_counter

OURS = "Palette.from_image"
OURS_COMPILED = "Palette.from_image, compiled"
OURS_LAZY = "Palette.from_image of a dask array"
UNIQUE = "`np.unique` of packed integers"
BINCOUNT = "`np.bincount` of packed integers"
ROWS = "`np.unique(axis=0)`"

NOISE_PIXELS = 5_000_000

PART = 8
"""Of the pixels of floats `np.unique(axis=0)` gets every eighth: all take minutes."""

Image = NDArray[Any]


def measure(setup: Setup) -> Question:
    rows = rows_of_bytes(setup)
    rng = np.random.default_rng(0)
    deep = deep_photograph(setup.photograph, quick=setup.quick)
    noise = rng.integers(0, 1 << 16, (1, NOISE_PIXELS >> (7 * setup.quick), 3), dtype=np.uint16)
    rows.append(row_of_integers("12-bit RGB photograph", deep, 12, setup, Target("at most", 1.5)))
    rows.append(row_of_integers("16-bit RGB noise", noise, 16, setup))
    real = (deep + rng.random(deep.shape, dtype=np.float32)) / np.float32(1 << 12)
    rows.append(row_of_floats("float32 RGB photograph", real, setup))
    compiled = "numba is not installed" if LOOPS_OF_COUNTING.prepare(wait=True) is None else "ready"
    notes = [
        "`Palette.from_image` returns the sorted colors and their counts; the peers make packed "
        "integers of the array, in the time that is given, and return those. Rows of floats are "
        "compared by `np.unique(axis=0)`.",
        "The 12-bit photograph is the 8-bit one, resampled to 12 megapixels, with the shot and "
        "read noise of a sensor; as float32 each pixel also has a fraction of a level.",
        "Compiled means numba's loop, which a process takes once it has counted 34 million "
        f"pixels; here it is {compiled}.",
    ]
    text = "The distinct colors of an image and how many pixels have each, from the array on."
    return Question("Counting", text, rows, notes)


def rows_of_bytes(setup: Setup) -> list[Row]:
    image = setup.photograph.image
    side = 128 if setup.quick else 1024
    lazy = da.from_array(image, chunks=(side, side, 3))
    compiled = LOOPS_OF_COUNTING.prepare(wait=True) is not None
    contenders = [
        Contender(OURS, lambda: without_loops(lambda: Palette.from_image(image))),
        Contender(OURS_LAZY, lambda: Palette.from_image(lazy)),
        Contender(BINCOUNT, lambda: len(np.bincount(packed(image, 8), minlength=1 << 24))),
        Contender(UNIQUE, lambda: len(np.unique(packed(image, 8), return_counts=True)[0]), 2),
    ]
    if compiled:
        contenders.insert(1, Contender(OURS_COMPILED, lambda: Palette.from_image(image)))
    outcomes = compete(contenders, setup.repeats)
    pixels = image.size / 3e6
    what = f"{pixels:.3g} megapixels of 8-bit RGB"
    rates = {OURS: 150, OURS_COMPILED: 250, OURS_LAZY: 100}
    names = {OURS: what, OURS_COMPILED: f"{what}, compiled", OURS_LAZY: f"{what}, a dask array"}
    targets = {name: Target("at most", round(pixels / rate, 3)) for name, rate in rates.items()}
    return [
        Row(
            names[name],
            outcomes[name].time,
            peer,
            time_of(outcomes, peer),
            targets[name] if peer == BINCOUNT else None,
        )
        for name in names
        if name in outcomes
        for peer in (BINCOUNT, UNIQUE)
    ]


def row_of_integers(
    what: str, image: Image, bits: int, setup: Setup, target: Target | None = None
) -> Row:
    outcomes = compete(
        [
            Contender(OURS, lambda: len(Palette.from_image(image))),
            Contender(UNIQUE, lambda: len(np.unique(packed(image, bits), return_counts=True)[0])),
        ],
        setup.repeats,
    )
    if outcomes[OURS].result != outcomes[UNIQUE].result:
        raise RuntimeError(f"{what}: ours and np.unique count different numbers of colors.")
    title = f"{what}: {size(image)}, {outcomes[OURS].result / 1e6:.3g} million colors"
    return Row(title, outcomes[OURS].time, UNIQUE, outcomes[UNIQUE].time, target)


def row_of_floats(what: str, image: Image, setup: Setup) -> Row:
    some = image.reshape(-1, 3)[::PART]
    outcomes = compete(
        [
            Contender(OURS, lambda: len(Palette.from_image(image))),
            Contender(
                ROWS,
                lambda: len(np.unique(some, axis=0, return_counts=True)[0]),
                1,
                scale=PART,
                basis=f"1/{PART} of the pixels",
            ),
        ],
        setup.repeats,
    )
    title = f"{what}: {size(image)}, {outcomes[OURS].result / 1e6:.3g} million colors"
    return Row(title, outcomes[OURS].time, ROWS, outcomes[ROWS].time, Target("at most", 1.5))


def packed(image: Image, bits: int) -> NDArray[np.int64]:
    """Return one integer for each pixel, channel beside channel."""
    channels = image.reshape(-1, 3)
    codes = channels[:, 0].astype(np.int64)
    for c in (1, 2):
        codes <<= bits
        codes |= channels[:, c]
    return codes


def without_loops(count: Callable[[], Palette]) -> Palette:
    """Count as where numba is not installed."""
    kept = byte_counter.LOOPS_OF_COUNTING
    byte_counter.LOOPS_OF_COUNTING = CompiledLoops(worthwhile=1 << 62)
    try:
        return count()
    finally:
        byte_counter.LOOPS_OF_COUNTING = kept


def size(image: Image) -> str:
    return f"{image.size / 3e6:.3g} megapixels"
