"""The density at the pixels of images, and the likelihood of images under it."""

from typing import Any, Literal, cast, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.channels import beyond_rgb
from napari_colorkde.core.checks.options import flag
from napari_colorkde.core.colorspaces import palette_in_space
from napari_colorkde.core.image import Pixels
from napari_colorkde.core.kde.volumes.on_grid import GriddedDensity
from napari_colorkde.core.kernel_sums.steps import Steps, sum_in_steps
from napari_colorkde.core.number_text import counted
from napari_colorkde.core.palette.count_image import palette_of
from napari_colorkde.core.palette.image_tiles import is_dask
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.ranges import refuse_other_kind


class PixelDensity(GriddedDensity):
    """What a density is at pixels; `ColorKDE` has it."""

    _counted: str | None
    """Name of the dask array whose palette it has."""

    @overload
    def density(
        self,
        image: "Palette | ArrayLike | None" = ...,
        log: Literal[False] = ...,
        *,
        mask: ArrayLike | None = ...,
        channel_axis: int | None = ...,
    ) -> NDArray[np.float32]: ...

    @overload
    def density(
        self,
        image: "Palette | ArrayLike | None" = ...,
        *,
        log: Literal[True],
        mask: ArrayLike | None = ...,
        channel_axis: int | None = ...,
    ) -> NDArray[np.float64]: ...

    @overload
    def density(
        self,
        image: "Palette | ArrayLike | None" = ...,
        log: bool = ...,
        *,
        mask: ArrayLike | None = ...,
        channel_axis: int | None = ...,
    ) -> NDArray[Any]: ...

    def density(
        self,
        image: "Palette | ArrayLike | None" = None,
        log: bool = False,
        *,
        mask: ArrayLike | None = None,
        channel_axis: int | None = -1,
    ) -> NDArray[Any]:
        """The density, or its log, at every pixel of an image.

        Parameters
        ----------
        image
            Any image with the palette's channels; or a `Palette`, for its colors, ``(U,)``. None:
            the colors of the KDE's own palette.
        log
            Natural logarithm, to any depth of the tails.
        mask, channel_axis
            See `Palette.from_image`.

        Returns
        -------
        ndarray
            Shape of the image without channels; float32, float64 with `log`; NaN at pixels that
            are masked, transparent or not finite. Of a dask image a dask array, equal to the last
            bit: the image is read once to count its colors, unless the KDE was made of it, and
            painted block by block when the result is computed.
        """
        log = flag(log, "log")
        if image is None or isinstance(image, Palette):
            palette = self.palette if image is None else image
            self._check_channels(palette)
            return self._at(palette, log)
        is_own = is_dask(image) and mask is None and channel_axis == -1
        if is_own and dask_name(image) == self._counted:
            palette = self.palette
        else:
            palette = self._palette_of(image, mask, channel_axis)
        self._check_channels(palette)
        return palette.paint_lazily(self._at(palette, log), np.nan, image, mask, channel_axis)

    def density_in_steps(self, log: bool = False) -> Steps[NDArray[Any]]:
        """The density, or its log, at the KDE's own colors, ``(U,)``, as `density` gives it.

        Yields
        ------
        The part that is done, from 0 to 1: colors off the lattice and kernels of varying width may
        take long, and can be left alone between. Others go in one.
        """
        sums = yield from sum_in_steps(self._sums, self.points.colors, log=log)
        return sums - self._log_scale if log else self._scaled(sums)

    def log_likelihood(
        self,
        image: "Palette | ArrayLike",
        *,
        mask: ArrayLike | None = None,
        channel_axis: int | None = -1,
    ) -> float:
        """Mean log-density of an image's pixels under this KDE, in nats per pixel."""
        palette = self._palette_of(image, mask, channel_axis)
        self._check_channels(palette)
        logs = self._at(palette, log=True)
        return float(palette.counts @ logs / palette.total_weight)

    def _palette_of(
        self, image: "Palette | ArrayLike", mask: ArrayLike | None, channel_axis: int | None
    ) -> Palette:
        """Count an image's colors, if it has the channels of the KDE."""

        def refuse(pixels: Pixels) -> None:
            shape = np.shape(cast("ArrayLike", image))
            self._check_number_of_channels(pixels.n_channels, shape)

        return palette_of(
            image,
            mask,
            channel_axis,
            n_channels=beyond_rgb(self.palette.n_channels),
            refuse=refuse,
        )

    def _at(self, palette: Palette, log: bool) -> NDArray[Any]:
        if palette is self.palette:
            colors = self.points.colors
        elif self.color_space is None:
            colors = palette.colors
        else:
            colors = palette_in_space(palette, self.color_space).colors
        if log:
            return self._sums.log_at(colors) - self._log_scale
        return self._scaled(self._sums.at(colors))

    def _check_channels(self, palette: Palette) -> None:
        self._check_number_of_channels(palette.n_channels, ())
        if palette is not self.palette:
            refuse_other_kind(palette, self.palette)

    def _check_number_of_channels(self, n_channels: int, shape: tuple[int, ...]) -> None:
        n = self.palette.n_channels
        if n_channels != n:
            is_points = len(shape) == 2 and shape[1] == n
            advice = "call evaluate(colors) for colors, (n, C)" if is_points else ""
            raise ValueError(
                f"image has {counted(n_channels, 'color channel')}, but the KDE has {n}; "
                f"{advice or 'give an image of the same kind'}."
            )


def dask_name(image: "Palette | ArrayLike") -> str | None:
    """Return the name of a dask array, which no other array has; None of anything else."""
    return str(getattr(image, "name", "")) if is_dask(image) else None
