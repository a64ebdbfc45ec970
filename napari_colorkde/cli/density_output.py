"""What `density` writes: densities, posteriors, ratios or classes, with their provenance."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from napari_colorkde.cli.console import TimedStep, print_status, timed_step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_colorkde.core.mixture.kernels import KernelSet


@dataclass(slots=True)
class Result:
    """A file to be written, with how to get it again.

    Attributes
    ----------
    path
        Where; the suffix names the format.
    origin
        What went in, by name.
    command
        The command line.
    log
        Whether values are logarithms.
    colormap
        For a picture.
    color_bar
        Whether a picture has a bar with numbers at its right.
    sources
        The files that went in.
    jobs
        How many processes make the blocks of a slide.
    """

    path: Path
    origin: dict[str, object]
    command: str
    log: bool
    colormap: str
    color_bar: bool = False
    sources: tuple[Path, ...] = ()
    jobs: int = 1

    def write(self, values: "NDArray[Any]", limits: tuple[float, float] | None = None) -> None:
        """Write densities, or other floats, one per pixel."""
        from napari_colorkde.io.densities import write_density
        from napari_colorkde.io.provenance import provenance

        with self._writing() as work:
            write_density(
                self.path,
                values,
                log=self.log,
                description=provenance(self.command, **self.origin),
                colormap=self.colormap,
                contrast_limits=limits,
                color_bar=self.color_bar,
                sources=self.sources,
                progress=_since_the_start(work),
                jobs=self.jobs,
            )

    def write_classified(
        self,
        values: "NDArray[Any]",
        show: str,
        kernel_sets: "dict[str, KernelSet]",
        numbers: dict[str, int] | Literal["names"] | None = None,
    ) -> None:
        """Write what `classify` has found; classes may have numbers of their own."""
        from napari_colorkde.core.classification.classes import class_names, numbers_of_classes
        from napari_colorkde.core.palette.image_tiles import is_dask

        names = class_names(kernel_sets)
        if show == "class":
            own_numbers = numbers_of_classes(names, numbers)
            if own_numbers is not None:
                values, names = _in_least_bytes(values, names, own_numbers[1:].tolist())
            self._write_classes(values, names)
            return
        cls = self.origin.get("cls", names[0])
        self.origin["values"] = f"posterior of {cls!r}"
        limits: tuple[float, float] | None = (0.0, 1.0)
        if show == "ratio":
            against = self.origin.get("against", next(name for name in names if name != cls))
            self.origin["values"] = f"log-likelihood ratio of {cls!r} and {against!r}, nats"
            # Colors show the sign: the middle of the colormap is a ratio of 1.
            limits = None if is_dask(values) else symmetric_limits(values)
        self.write(values, limits)

    def _write_classes(self, labels: "NDArray[Any]", names: tuple[str, ...]) -> None:
        import numpy as np

        from napari_colorkde.core.palette.image_tiles import is_dask
        from napari_colorkde.io.class_maps import write_class_map
        from napari_colorkde.io.provenance import provenance

        with self._writing() as work:
            description = provenance(self.command, **self.origin)
            write_class_map(
                self.path,
                labels,
                names,
                description=description,
                sources=self.sources,
                progress=_since_the_start(work),
                jobs=self.jobs,
            )
            if is_dask(labels):
                return
            counts = np.bincount(labels.ravel(), minlength=len(names) + 1)
            shares = zip(("none", *names), counts / labels.size, strict=True)
            work.outcome = ", ".join(
                f"{i} {name} {share:.1%}" for i, (name, share) in enumerate(shares) if name
            )

    @contextmanager
    def _writing(self) -> Iterator[TimedStep]:
        """Write; if that is stopped, say what is kept."""
        from napari_colorkde.io.formats.resumable import unfinished_of

        try:
            with timed_step(f"Writing {self.path}") as work:
                yield work
        except BaseException:
            if unfinished_of(self.path) is not None:
                print_status(f"What {self.path} has is kept; the same command goes on from there.")
            raise


def _in_least_bytes(
    values: "NDArray[Any]", names: tuple[str, ...], numbers: list[int]
) -> "tuple[NDArray[Any], tuple[str, ...]]":
    """Return numbers of classes in as few bytes as hold them, and the name of each from 1 on."""
    import numpy as np

    most = max(numbers)
    if most > np.iinfo(np.uint16).max:
        raise ValueError(f"--numbers go up to {most}; files of classes hold numbers to 65535.")
    by_number = dict(zip(numbers, names, strict=True))
    if len(by_number) < len(names):
        raise ValueError("--numbers gives two classes the same number; give each its own.")
    return values.astype(np.min_scalar_type(most)), tuple(
        by_number.get(number, "") for number in range(1, most + 1)
    )


def _since_the_start(work: TimedStep) -> Callable[[float], None]:
    """Return what shows how far a step is, and says how much was there before."""
    is_first = True

    def progress(fraction: float) -> None:
        nonlocal is_first
        if is_first and fraction > 0:
            print_status(f"{fraction:.0%} of it was written before.")
        is_first = False
        work.progress(fraction)

    return progress


def symmetric_limits(values: "NDArray[Any]") -> tuple[float, float]:
    """Contrast limits about 0 that 99 % of the finite values lie within."""
    import numpy as np

    sizes = np.abs(values[np.isfinite(values)])
    reach = float(np.quantile(sizes, 0.99)) if sizes.size else 0.0
    return (-reach, reach) if reach > 0 else (-1.0, 1.0)
