"""Runs contenders in turn, and children in processes of their own; knows the machine."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.photograph import Photograph
from benchmarks.report import Figure

ROOT = Path(__file__).resolve().parents[1]

LIBRARIES = (
    "numpy", "scipy", "torch", "scikit-learn", "KDEpy", "numexpr", "statsmodels", "kornia",
    "pykeops", "napari",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setup:
    """What a run is about.

    Attributes
    ----------
    photograph
        The image, in memory and as an .npy file for children.
    repeats
        How often each contender runs, but for those that take a minute.
    quick
        Small sizes: to see that everything works, not how fast.
    """

    photograph: Photograph
    repeats: int = 5
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work.

    Attributes
    ----------
    name
        What the table calls it.
    run
        Does it once and returns the result.
    repeats
        At most this often; None for as often as the run says.
    needs
        Module without which it cannot run.
    scale, basis
        If `run` does only a part: how many times longer the whole takes, and what the part is.
    """

    name: str
    run: Callable[[], Any]
    repeats: int | None = None
    needs: str = ""
    scale: float = 1.0
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How long a contender took, and its last result."""

    time: Figure
    result: Any


def compete(contenders: Sequence[Contender], repeats: int) -> dict[str, Outcome]:
    """Run the contenders in turn, round by round, so that a busy machine is busy for all of them.

    Returns
    -------
    dict
        By name, without those that are not installed. An extrapolated time is that of the whole.
    """
    present = [c for c in contenders if not c.needs or importlib.util.find_spec(c.needs)]
    seconds: dict[str, list[float]] = {c.name: [] for c in present}
    results: dict[str, Any] = {}
    for turn in range(repeats):
        for contender in present:
            if turn >= (contender.repeats or repeats):
                continue
            results.pop(contender.name, None)  # two results at once would be memory of nobody's
            start = time.perf_counter()
            results[contender.name] = contender.run()
            elapsed = time.perf_counter() - start
            seconds[contender.name].append(elapsed * contender.scale)
            say(f"  {contender.name}: {elapsed:.3g} s")
    return {
        c.name: Outcome(Figure.of(seconds[c.name], basis=c.basis), results[c.name]) for c in present
    }


def time_of(outcomes: dict[str, Outcome], name: str) -> Figure | None:
    """How long a contender took; None if it is not installed."""
    return outcomes[name].time if name in outcomes else None


def child(module: str, *arguments: str) -> dict[str, Any]:
    """Run ``python -m benchmarks.MODULE`` in a process of its own and read its last line as JSON.

    Raises
    ------
    RuntimeError
        If it fails; what it said on stderr is above.
    """
    return _json_of([sys.executable, "-m", f"benchmarks.{module}", *arguments])


def snippet(code: str) -> Any:
    """Run Python code in a process of its own and read the last line it prints as JSON."""
    return _json_of([sys.executable, "-c", code])


def _json_of(command: list[str]) -> Any:
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:3])} ended with exit code {done.returncode}.")
    return json.loads(done.stdout.splitlines()[-1])


def in_milliseconds(figure: Figure) -> Figure:
    """The same in ms."""
    low, value, high = (1000 * s for s in (figure.low, figure.value, figure.high))
    return replace(figure, value=value, low=low, high=high, unit="ms")


def machine_facts() -> list[str]:
    """Date, processor, threads and versions, one sentence each."""
    import torch

    versions = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    return [
        f"{datetime.now(UTC):%Y-%m-%d}, {_processor()}, {os.cpu_count()} cores, "
        f"{_memory()}; torch uses {torch.get_num_threads()} threads.",
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, "
        f"{versions}.",
    ]


def load_fact() -> str:
    """How busy the machine was with other work as the run began."""
    if not hasattr(os, "getloadavg"):
        return "The load of the machine before the run is not known here."
    return f"Load of the machine over the minute before the run: {os.getloadavg()[0]:.1f}."


def say(text: str) -> None:
    """Tell how far we are, on stderr."""
    print(text, file=sys.stderr, flush=True)


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _memory() -> str:
    if not hasattr(os, "sysconf"):
        return "memory unknown"
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB"
