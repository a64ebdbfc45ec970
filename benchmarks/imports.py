"""How long ``import napari_colorkde`` takes."""

from __future__ import annotations

from benchmarks.harness import Setup, say, snippet
from benchmarks.report import Figure, Question, Row, Target

CODE = "import time; start = time.perf_counter(); {}; print(1000 * (time.perf_counter() - start))"

OURS = "import napari_colorkde"
NUMPY = "import numpy"
ENGINE = "from napari_colorkde import color_kde"
TORCH = "import torch"


def measure(setup: Setup) -> Question:
    few = setup.repeats
    cheap = _times([NUMPY, OURS], 3 * few)
    dear = _times([TORCH, ENGINE], few)
    rows = [
        Row(f"`{OURS}`", cheap[OURS], f"`{NUMPY}`", cheap[NUMPY], Target("beyond", 50)),
        Row(f"`{ENGINE}`", dear[ENGINE], f"`{TORCH}`", dear[TORCH]),
    ]
    text = (
        "In a new process each time. The package's names are loaded on first use; the engine "
        "brings torch."
    )
    return Question("Import", text, rows)


def _times(statements: list[str], repeats: int) -> dict[str, Figure]:
    """How long statements take in processes of their own, in turns."""
    times: dict[str, list[float]] = {statement: [] for statement in statements}
    for _ in range(repeats):
        for statement in statements:
            times[statement].append(snippet(CODE.format(statement)))
    figures = {statement: Figure.of(ms, "ms") for statement, ms in times.items()}
    for statement, figure in figures.items():
        say(f"  {statement}: {figure}")
    return figures
