"""What `density` writes: densities, posteriors, ratios or classes, with how to get them again."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_colorkde.cli.console import timed_step

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
    """

    path: Path
    origin: dict[str, object]
    command: str
    log: bool
    colormap: str
    color_bar: bool = False

    def write(self, values: "NDArray[Any]", limits: tuple[float, float] | None = None) -> None:
        """Write densities, or other floats, one per pixel."""
        from napari_colorkde.io.densities import write_density
        from napari_colorkde.io.provenance import provenance

        with timed_step(f"Writing {self.path}"):
            write_density(
                self.path,
                values,
                log=self.log,
                description=provenance(self.command, **self.origin),
                colormap=self.colormap,
                contrast_limits=limits,
                color_bar=self.color_bar,
            )

    def write_classified(
        self, values: "NDArray[Any]", show: str, kernel_sets: "dict[str, KernelSet]"
    ) -> None:
        """Write what `judge` has found."""
        from napari_colorkde.core.classification.classes import class_names

        names = class_names(kernel_sets)
        if show == "class":
            self._write_classes(values, names)
            return
        cls = self.origin.get("cls", names[0])
        self.origin["values"] = f"posterior of {cls!r}"
        limits = (0.0, 1.0)
        if show == "ratio":
            against = self.origin.get("against", next(name for name in names if name != cls))
            self.origin["values"] = f"log-likelihood ratio of {cls!r} and {against!r}, nats"
            # Colors show the sign: the middle of the colormap is a ratio of 1.
            limits = symmetric_limits(values)
        self.write(values, limits)

    def _write_classes(self, labels: "NDArray[Any]", names: tuple[str, ...]) -> None:
        import numpy as np

        from napari_colorkde.io.class_maps import write_class_map
        from napari_colorkde.io.provenance import provenance

        with timed_step(f"Writing {self.path}") as work:
            description = provenance(self.command, **self.origin)
            write_class_map(self.path, labels, names, description=description)
            counts = np.bincount(labels.ravel(), minlength=len(names) + 1)
            shares = zip(("none", *names), counts / labels.size, strict=True)
            work.outcome = ", ".join(
                f"{i} {name} {share:.1%}" for i, (name, share) in enumerate(shares)
            )


def symmetric_limits(values: "NDArray[Any]") -> tuple[float, float]:
    """Contrast limits about 0 that 99 % of the finite values lie within."""
    import numpy as np

    sizes = np.abs(values[np.isfinite(values)])
    reach = float(np.quantile(sizes, 0.99)) if sizes.size else 0.0
    return (-reach, reach) if reach > 0 else (-1.0, 1.0)
