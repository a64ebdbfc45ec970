"""How many photographs a minute the command line gets through, in one process and in several."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.harness import Setup, say
from benchmarks.report import Figure, Question, Row, Target

ROWS, COLUMNS = 1024, 1536


def measure(setup: Setup) -> Question:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        n_files = 4 if setup.quick else 24
        _write_photographs(setup, folder, n_files)
        ways = {
            "one job, one thread": (1, 1),
            "two jobs, one thread each": (2, 1),
            "one job, all threads": (1, None),
        }
        rates: dict[str, list[float]] = {way: [] for way in ways}
        starts: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(1 if setup.quick else min(setup.repeats, 3)):
            for way, (jobs, threads) in ways.items():
                start, rate = _run(folder, jobs, threads, n_files)
                starts[way].append(start)
                rates[way].append(rate)
    one, two, whole = ways
    figures = {way: Figure.of(found, "/s") for way, found in rates.items()}
    begun = {way: Figure.of(found, "s") for way, found in starts.items()}
    for way, figure in figures.items():
        say(f"  {way}: {60 * figure.value:.0f} files a minute, start-up {begun[way]}")
    rows = [
        Row(f"files, {two}", figures[two], one, figures[one], Target("rate", 1.7)),
        Row(f"files, {two}", figures[two], whole, figures[whole], Target("rate", 1.0)),
        Row(f"start-up, {one}", begun[one]),
        Row(f"start-up, {two}", begun[two]),
    ]
    size = f"{COLUMNS} × {ROWS}"
    text = (
        f"`density FOLDER -o … --log --jobs N` on {n_files} photographs of {size} pixels (TIFF in, "
        "float32 out). Rates are from the first file that is done to the last, so that start-up "
        "(Python, torch; for each job) stands apart."
    )
    return Question("Many files", text, rows)


def _write_photographs(setup: Setup, folder: Path, n_files: int) -> None:
    import tifffile

    pixels = np.asarray(setup.photograph.image)
    random = np.random.default_rng(0)
    (folder / "in").mkdir()
    for i in range(n_files):
        row = random.integers(0, max(1, pixels.shape[0] - ROWS))
        column = random.integers(0, max(1, pixels.shape[1] - COLUMNS))
        part = pixels[row : row + ROWS, column : column + COLUMNS, :3]
        tifffile.imwrite(folder / "in" / f"{i:02}.tif", part, photometric="rgb")


def _run(folder: Path, jobs: int, threads: int | None, n_files: int) -> tuple[float, float]:
    """Return seconds to the first file, and files per second from there to the last."""
    environment = dict(os.environ)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        environment.pop(name, None)
        if threads is not None:
            environment[name] = str(threads)
    words = ["density", str(folder / "in"), "-o", str(folder / "out" / "{stem}.npy"), "--log"]
    line = [sys.executable, "-m", "napari_colorkde", *words, "--jobs", str(jobs)]
    done: list[float] = []
    started = time.perf_counter()
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        done += [time.perf_counter() for text in process.stderr if text.startswith("[")]
    if process.returncode or len(done) != n_files:
        raise RuntimeError(f"{' '.join(line)} ended with {process.returncode}.")
    # The first file of each job pays for its start.
    return done[0] - started, (n_files - jobs) / (done[-1] - done[jobs - 1])
