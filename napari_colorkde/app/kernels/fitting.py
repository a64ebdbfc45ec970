"""Fitting mixtures to the session's image, or to the pixels that labels mark.

A frozen request, and a generator that can be stopped after each iteration of EM. What comes of it
is a kernel set and, for each mixture, how the fit went.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.image.pixels.pixel_index import PixelIndex
from napari_colorkde.app.kernels import edits as kernel_edits
from napari_colorkde.app.selection.samples import Samples
from napari_colorkde.app.selection.selections import Selection, collect_samples
from napari_colorkde.app.session import Session
from napari_colorkde.core.device import Device
from napari_colorkde.core.mixture.em.iterate import MAX_ITERATIONS, EMStep
from napari_colorkde.core.mixture.em.steps import CovarianceType
from napari_colorkde.core.mixture.fit_classes import iterate_fits
from napari_colorkde.core.mixture.fit_kernels import FitReport, report_of
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.number_text import counted
from napari_colorkde.core.palette.palette import Palette

MAX_KERNELS = 100

Destination = Literal["new", "set"]
"""A fit becomes a set of its own, or its kernels join those of the chosen set."""


@dataclass(frozen=True, slots=True, eq=False)
class FitRequest:
    """What to fit, and to which pixels.

    Attributes
    ----------
    index
        The image's colors and pixels.
    selection
        The pixels; None for the whole image.
    per_label
        Whether each group of the selection has a mixture of its own, its class the label.
    n_kernels
        Of each mixture; with `by_bic` the most that are tried.
    reg_covar
        Variance added to each channel, in squared image units; None: that of rounding.
    cls
        Class of the kernels, unless they have those of labels.
    seed
        Of the starting kernels.
    """

    index: PixelIndex = field(repr=False)
    selection: Selection | None = None
    per_label: bool = False
    n_kernels: int = 3
    by_bic: bool = False
    covariance_type: CovarianceType = "full"
    reg_covar: float | None = None
    cls: str = ""
    seed: int = 0
    device: str | Device = "auto"


@dataclass(frozen=True, slots=True)
class MixtureReport:
    """How one fit went.

    Attributes
    ----------
    label
        The label that was fitted; "" where the whole image or a mask was.
    result
        How it went; see `napari_colorkde.core.mixture.fit_kernels.FitReport`.
    wanted
        The number of kernels that was asked for, where there are fewer colors; else None.
    """

    label: str
    result: FitReport
    wanted: int | None = None

    def __str__(self) -> str:
        result = self.result
        head = f"Label {self.label}: " if self.label else ""
        end = "converged" if result.converged else "did NOT converge"
        text = (
            f"{head}{counted(result.n_kernels, 'kernel')}, {end} after "
            f"{counted(result.iterations, 'iteration')}; log-likelihood "
            f"{result.log_likelihood:.4f} per pixel, BIC {result.bic:.6g}."
        )
        if self.wanted is not None:
            text += f" There are too few colors for {self.wanted}."
        if result.tried:
            numbers = ", ".join(f"{n}: {criterion:.6g}" for n, criterion in result.tried)
            text += f" BIC by number of kernels: {numbers}."
        if result.is_most_tried:
            text += " The largest number tried is the best; more may be better still."
        return text


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """The kernels, and how each mixture's fit went, in the same order.

    The weights of each mixture sum to 1, so that classes differ by their priors alone.

    Attributes
    ----------
    problems
        Why labels have no mixture, a sentence each.
    """

    request: FitRequest
    kernels: KernelSet
    reports: tuple[MixtureReport, ...]
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join([*self.problems, *map(str, self.reports)])


def fit(request: FitRequest) -> Iterator[Progress | Fitted]:
    """Fit one mixture, or one for each label.

    Raises
    ------
    ValueError
        If there is no pixel, fewer colors than kernels, or a value is out of range. A label that
        cannot be fitted is left out, and told by `Fitted.problems`; an error if all cannot.
    """
    if not 1 <= request.n_kernels <= MAX_KERNELS:
        raise ValueError(f"{request.n_kernels} kernels; ask for 1 to {MAX_KERNELS}.")
    palettes: dict[str, Palette] = {}
    for step in _palettes(request):
        if isinstance(step, Progress):
            yield step
        else:
            palettes = step
    kernels, reports, problems = [], [], []
    numbers = {label: number for number, label in enumerate(palettes)}
    results: dict[str, EMStep] = {}
    for label, em_step in _steps(request, palettes):
        if isinstance(em_step, ValueError):
            reason = str(em_step)
            problems.append(reason[:1].upper() + reason[1:])
            results.pop(label, None)
            continue
        part = (numbers[label] + _part_done(request, em_step)) / len(palettes)
        results[label] = em_step
        yield Progress(_doing(em_step, label), part)
    for label, last in results.items():
        palette = palettes[label]
        result = report_of(palette, last, request.covariance_type, request.device)
        is_fewer = len(palette) < request.n_kernels and not request.by_bic
        reports.append(MixtureReport(label, result, request.n_kernels if is_fewer else None))
        kernels += [replace(kernel, cls=label or request.cls) for kernel in last.kernels]
    if not kernels:
        raise ValueError(problems[0])
    yield Fitted(request, KernelSet(kernels, "fit"), tuple(reports), tuple(problems))


def _palettes(request: FitRequest) -> Iterator[Progress | dict[str, Palette]]:
    """The palette of each mixture's pixels."""
    whole = request.index.palette
    if request.selection is None:
        yield {"": whole}
        return
    found: dict[int, Samples] = {}
    for step in collect_samples(request.selection, request.index):
        if isinstance(step, dict):
            found = step
        else:
            yield Progress("reading the labels", step)
    if not found:
        raise ValueError(
            "the labels mark no pixel that counts; paint on opaque, finite pixels of the image."
        )
    yield {
        str(group) if request.per_label else "": replace(
            whole, colors=samples.colors, counts=samples.counts
        )
        for group, samples in found.items()
    }


def _steps(
    request: FitRequest, palettes: dict[str, Palette]
) -> Iterator[tuple[str, EMStep | ValueError]]:
    return iterate_fits(
        palettes,
        "bic" if request.by_bic else request.n_kernels,
        covariance_type=request.covariance_type,
        reg_covar=request.reg_covar,
        random_state=request.seed,
        candidates=range(1, request.n_kernels + 1),
        device=request.device,
    )


def _part_done(request: FitRequest, step: EMStep) -> float:
    within = step.iteration / MAX_ITERATIONS
    if not request.by_bic:
        return within
    return (len(step.kernels) - 1 + within) / request.n_kernels


def _doing(step: EMStep, label: str) -> str:
    of_label = f" to label {label}" if label else ""
    n = len(step.kernels)
    return f"fitting {n} kernel{'' if n == 1 else 's'}{of_label}, iteration {step.iteration}"


def index_of(session: Session) -> PixelIndex:
    """The index of the session's image.

    Raises
    ------
    ValueError
        If there is no image, or it is still being counted.
    """
    if session.source is None:
        raise ValueError("there is no image to fit to; open one first.")
    if session.index is None or session.index.is_preview:
        raise ValueError("the image's colors are still being counted; fit when that is done.")
    return session.index


def apply_fit(session: Session, fitted: Fitted, into: Destination) -> None:
    """Show the kernels of a fit: one step of undo.

    Parameters
    ----------
    into
        "new": as a set of their own, beside those that are there. "set": added to the chosen set,
        weighted with the part of the image that each mixture was fitted to, as picked ones are.

    Raises
    ------
    ValueError
        If the chosen set has other channels, or would have too many kernels.
    """
    chosen = session.kernels
    if into == "set" and chosen:
        n_pixels = fitted.request.index.palette.n_pixels
        results = [report.result for report in fitted.reports]
        shares = [r.n_pixels / n_pixels for r in results for _ in range(r.n_kernels)]
        weighted = [
            replace(kernel, weight=kernel.weight * share)
            for kernel, share in zip(fitted.kernels, shares, strict=True)
        ]
        session.edit(kernel_edits.append(chosen, weighted))
        return
    sets = dict(session.state.kernel_sets)
    name, number = "fit", 1
    while name in sets:
        number += 1
        name = f"fit {number}"
    kernels = kernel_edits.append(replace(fitted.kernels, kernels=(), name=name), fitted.kernels)
    session.set(kernel_sets={**sets, name: kernels}, kernel_set=name, show="kernels")
