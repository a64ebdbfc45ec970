"""From a selection of pixels to kernels: a frozen request, and a generator that can be stopped."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.image.pixels.pixel_index import PixelIndex
from napari_colorkde.app.kernels import edits as kernel_edits
from napari_colorkde.app.selection.samples import Samples, gaussian_of, pseudo_samples_of
from napari_colorkde.app.selection.selections import Selection, collect_samples
from napari_colorkde.core.mixture.kernels import Kernel
from napari_colorkde.core.number_text import counted, grouped

PickMode = Literal["new", "add", "subtract"]
"""New kernels, or pixels added to or taken away from the samples of the one that is selected."""

NamingRule = Literal["", "label", "shape", "point"]
"""What the numbers of groups are: labels become classes, shapes and points are names."""


@dataclass(frozen=True, slots=True, eq=False)
class PickRequest:
    """A selection, and what is to come of it.

    Attributes
    ----------
    kernel, samples
        The one that is refitted, and of what it was made; None where there is none.
    row
        Its position in the set.
    """

    index: PixelIndex = field(repr=False)
    selection: Selection
    how: PickMode = "new"
    cls: str = ""
    titles: NamingRule = ""
    row: int = -1
    kernel: Kernel | None = None
    samples: Samples | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """Kernels, and the samples of which each was made."""

    request: PickRequest
    kernels: tuple[Kernel, ...]
    samples: tuple[Samples, ...]
    n_pixels: int


def pick(request: PickRequest) -> Iterator[Progress | Picked]:
    """Read a selection and make its kernels.

    Raises
    ------
    ValueError
        If the selection holds no pixels that count, or nothing can be taken away.
    """
    palette = request.index.palette
    found: dict[int, Samples] = {}
    for step in collect_samples(request.selection, request.index):
        if isinstance(step, dict):
            found = step
        else:
            yield Progress("picking colors", step)
    if not found:
        raise ValueError(
            "the selection has no pixel that counts; mark opaque, finite pixels of the image."
        )
    n_pixels = sum(samples.n_pixels for samples in found.values())
    if request.how == "new":
        made = []
        for group, samples in found.items():
            cls = str(group) if request.titles == "label" else request.cls
            name = f"{request.titles} {group}" if request.titles in ("shape", "point") else ""
            made.append(gaussian_of(samples, palette, cls=cls, name=name))
        yield Picked(request, tuple(made), tuple(found.values()), n_pixels)
        return
    picked = next(iter(found.values()))
    for samples in list(found.values())[1:]:
        picked = picked.add(samples)
    after = _changed(request, picked)
    yield Picked(request, (_refitted(request, after),), (after,), n_pixels)


def _changed(request: PickRequest, picked: Samples) -> Samples:
    before = request.samples
    if request.how == "add":
        if before is None and request.kernel is not None:
            start = pseudo_samples_of(request.kernel, request.index.palette)
            return replace(picked, start=start)
        return picked if before is None else before.add(picked)
    what = _title(request.kernel, request.row)
    if before is None:
        raise ValueError(
            f"{what} was not picked and has no samples to subtract from; only pixels that were "
            "added with Ctrl can be subtracted."
        )
    after = before.subtract(picked)
    if after.n_pixels == before.n_pixels:
        raise ValueError(
            f"none of these colors is among the samples of {what}; nothing was subtracted."
        )
    if not after.n_total:
        raise ValueError(f"that would leave {what} without samples; delete it instead.")
    return after


def _refitted(request: PickRequest, samples: Samples) -> Kernel:
    palette, before = request.index.palette, request.kernel
    fitted = gaussian_of(samples, palette)
    if before is None:
        return fitted
    # A weight that was typed or normalized is the user's.
    own = samples.start is not None or (
        request.samples is not None and before.weight != request.samples.n_pixels / palette.n_pixels
    )
    return kernel_edits.replace_kernel(
        before,
        mean=fitted.mean,
        covariance=fitted.covariance,
        weight=before.weight if own else fitted.weight,
    )


def describe(picked: Picked) -> str:
    """What was done, in a sentence or two."""
    request, samples = picked.request, picked.samples[0]
    pixels = counted(picked.n_pixels, "pixel")
    if request.kernel is None:
        colors = counted(sum(map(len, picked.samples)), "color")
        n = len(picked.kernels)
        what = "New kernel" if n == 1 else f"{n} new kernels"
        if classes := list(dict.fromkeys(k.cls for k in picked.kernels if k.cls)):
            what += f" ({'class' if len(classes) == 1 else 'classes'} {', '.join(classes[:5])})"
        text = f"{what}: {pixels}, {colors}."
    elif request.samples is None:
        title = _title(request.kernel, request.row)
        weighed = grouped(samples.n_total - samples.n_pixels)
        text = (
            f"K{title[1:]} was not picked, so by its weight it counts as {weighed} of the image's "
            f"pixels; {pixels} were added to them."
        )
    else:
        title = _title(request.kernel, request.row)
        change = abs(samples.n_pixels - request.samples.n_pixels)
        done = "added" if request.how == "add" else "subtracted"
        rest = "in all" if request.how == "add" else "left"
        text = (
            f"K{title[1:]}: {counted(change, 'pixel')} {done}, {grouped(samples.n_total)} {rest}."
        )
    if any(len(s) == 1 and s.start is None for s in picked.samples):
        text += " All have one color, so it is only as wide as rounding: add others with Ctrl."
    return text


def _title(kernel: Kernel | None, row: int) -> str:
    return f"kernel {row + 1}" + (f" ({kernel.name})" if kernel is not None and kernel.name else "")
