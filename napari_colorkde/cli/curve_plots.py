"""Curves of scores over bandwidths in a file, by matplotlib: the extra `plot`."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

PLOT_SUFFIXES = (".png", ".svg")


@dataclass(frozen=True, eq=False)
class Curve:
    """Scores over sigmas.

    Attributes
    ----------
    name
        For the legend.
    sigmas, scores
        ``(n,)`` each, in any order.
    best
        The sigma that was chosen.
    degenerate
        ``(n,)`` bool: sigmas that are shown as a zone. None if there are none.
    zone
        What the zone is, for the legend.
    """

    name: str
    sigmas: NDArray[Any]
    scores: NDArray[Any]
    best: float
    degenerate: NDArray[Any] | None = None
    zone: str = "repeated colors predict themselves"


def require_matplotlib() -> None:
    """Refuse to plot without matplotlib.

    Raises
    ------
    ValueError
        If it is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise ValueError(
            "--plot needs matplotlib, which is not installed; run: "
            'pip install "napari-colorkde[plot]".'
        )


def write_curves(path: Path, curves: list[Curve], score_label: str) -> None:
    """Draw scores over sigma, on a logarithmic axis, the best ones marked."""
    # No pyplot: it would look for a window.
    from matplotlib.figure import Figure

    from napari_colorkde.io.writers.atomic import atomic_path

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for i, curve in enumerate(curves):
        color = f"C{i}"
        order = curve.sigmas.argsort()
        axes.plot(curve.sigmas[order], curve.scores[order], "o-", color=color, label=curve.name)
        score = float(curve.scores[abs(curve.sigmas - curve.best).argmin()])
        axes.plot(
            [curve.best],
            [score],
            "o",
            markersize=13,
            markerfacecolor="none",
            color=color,
            label=f"best: σ = {curve.best:.4g}, {score:.2f} nats",
        )
        if curve.degenerate is not None and curve.degenerate.any():
            axes.axvspan(
                float(curve.sigmas.min()),
                float(curve.sigmas[curve.degenerate].max()),
                color=color,
                alpha=0.15,
                label=curve.zone,
            )
    axes.set_xscale("log")
    axes.set_xlabel("σ")
    axes.set_ylabel(score_label)
    axes.grid(alpha=0.3)
    axes.legend()
    with atomic_path(path) as scratch:
        figure.savefig(scratch, format=path.suffix.lower().removeprefix("."), dpi=150)
