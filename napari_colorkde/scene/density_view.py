"""The view of a density: what it is, how it is shown, and the frame around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.scene.annotations.frame import CubeFrame, FlatFrame, frame_of
from napari_colorkde.scene.axes import SceneAxes
from napari_colorkde.scene.density.content import Content, VolumeContent
from napari_colorkde.scene.density.curve import CurveContent
from napari_colorkde.scene.density.kinds import make_content
from napari_colorkde.scene.density.points import Points
from napari_colorkde.scene.density.transfer import (
    CumulativeMass,
    TransferFunction,
    TransferSettings,
)
from napari_colorkde.scene.density.volume import MODES as VOLUME_MODES
from napari_colorkde.scene.geometry.box_colors import ColorOf
from napari_colorkde.scene.theme import Theme
from napari_colorkde.scene.turntable import TurntableCanvas

MODES = (*VOLUME_MODES, "points")


class DensityView(TurntableCanvas):
    """Shows a density of one, two or three channels: a curve, a plane, or a cloud in true color.

    Parameters
    ----------
    theme : str or Theme
        "dark", "light", or a theme of one's own.

    Attributes
    ----------
    values : array of float32 or None
        The density, or difference, that is shown.
    space : SceneAxes or None
        Where its colors lie.
    signed : bool
        Whether it is a difference.
    compared : (str, str)
        Of which two images.
    content, frame : Element or None
        What is drawn of it, and around it.
    """

    def __init__(self, theme: str | Theme = "dark") -> None:
        super().__init__(theme)
        self.values: NDArray[np.float32] | None = None
        self.space: SceneAxes | None = None
        self.signed, self.compared = False, ("", "")
        self._curve = CumulativeMass(np.empty(0), np.empty(0), 0.0)
        self._look = TransferSettings()
        self._mode = "cloud"
        self._shell_fractions: tuple[float, ...] = (0.5, 0.9, 0.99)
        self._counts: tuple[NDArray[Any], NDArray[Any]] | None = None
        self.content: Content | Points | None = None
        self.frame: CubeFrame | FlatFrame | None = None

    def set_volume(
        self,
        values: NDArray[np.floating],
        axes: Sequence[ArrayLike],
        channel_names: Sequence[str],
        *,
        color_of: ColorOf | None = None,
        up: int = 0,
        signed: bool = False,
        compared: tuple[str, str] = ("the first image", "the second image"),
        reset_camera: bool = False,
    ) -> None:
        """Show a density.

        May be called many times a second: while shape, axes, names and colors stay, only the
        values are uploaded.

        Parameters
        ----------
        values : (B,), (B, B) or (B, B, B) array of float
            Density at the grid points, axis 0 = first channel. Kept, not copied.
        axes : sequence of arrays
            The coordinates of the grid points, evenly spaced, one array per channel.
        channel_names : sequence of str
            One name per channel.
        color_of : callable or None
            Maps colors (N, C) to sRGB (N, 3) in 0..1. None: three channels are red, green and
            blue; two are magenta and green; one is gray.
        up : int
            The channel that points up, of three.
        signed : bool
            The values are differences of two densities: more in the first image is orange, more in
            the second is blue.
        compared : (str, str)
            Names of the two images that a difference is of.
        reset_camera : bool
            Go back to the first view.

        Raises
        ------
        ValueError
            If shapes do not agree.
        """
        values = np.ascontiguousarray(values, dtype=np.float32)
        space = SceneAxes.from_axes(axes, channel_names, color_of, up)
        lengths = tuple(len(np.asarray(axis)) for axis in axes)
        if values.shape != lengths:
            raise ValueError(
                f"axes must be as long as the values' axes, {values.shape}, not {lengths}."
            )
        if min(lengths) < 2:
            raise ValueError(f"values must have at least 2 points per axis, not {values.shape}.")
        before = self.space
        same = (
            self.values is not None
            and values.shape == self.values.shape
            and (space, signed) == (before, self.signed)
        )
        self.values, self.space, self.signed = values, space, signed
        self.compared = compared
        self._curve = CumulativeMass.from_values(np.abs(values) if signed else values)
        if not same:
            self._remake()
        elif isinstance(self.content, Content):
            self.content.set_values(values, self._transfer())
            self._update_shells()
        if before is None or before.n_channels != space.n_channels or reset_camera:
            self.camera.fit(space.box.size)
            self.reset_camera()
        self._density_changed()
        self.draw_fast()

    def clear(self) -> None:
        """Show nothing."""
        self._drop()
        self.values = self.space = None
        self._density_changed()
        self._canvas.update()

    @property
    def exposure(self) -> float:
        """The factor on the cloud's optical depth."""
        return self._look.exposure

    @property
    def scale(self) -> str:
        """How densities are shown: "linear", "log" or "equalized"."""
        return self._look.scale

    @property
    def density_floor(self) -> float:
        """The fraction of the pixels, those of the sparsest colors, that is left out."""
        return self._look.density_floor

    def set_exposure(self, exposure: float) -> None:
        """Multiply the cloud's optical depth; 1 looks well on photographs."""
        self._set_look(replace(self._look, exposure=float(exposure)))

    def set_scale(self, scale: str) -> None:
        """Show densities "linear", "log" or "equalized" (each by its rank)."""
        self._set_look(replace(self._look, scale=scale))

    def set_density_floor(self, fraction: float) -> None:
        """Leave out the sparsest colors: `fraction` is theirs of the pixels, 0 to 1."""
        self._set_look(replace(self._look, density_floor=float(fraction)))

    @property
    def mode(self) -> str:
        """How three channels are shown: one of `MODES`."""
        return self._mode

    def set_mode(self, mode: str) -> None:
        """Choose how colors are shown.

        "cloud", "maximum" and "shells" show the density of three channels (that of fewer looks the
        same in all); "points" shows the counts given to `set_counts` instead, those of one channel
        as a histogram below the curve.
        """
        if mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}.")
        if mode != self._mode:
            self._mode = mode
            self._remake()
            self._density_changed()
            self._canvas.update()

    @property
    def shells(self) -> tuple[float, ...]:
        """The fractions of the pixels within the surfaces of mode "shells"."""
        return self._shell_fractions

    def set_shells(self, fractions: Sequence[float]) -> None:
        """Choose the surfaces of mode "shells" by the fractions of the pixels within them.

        Parameters
        ----------
        fractions : sequence of float
            One to three numbers between 0 and 1: (0.5, 0.9) shows the surfaces that hold the
            densest 50 % and 90 %.
        """
        fractions = tuple(sorted(float(fraction) for fraction in fractions))
        if not 1 <= len(fractions) <= 3 or not all(0 < fraction < 1 for fraction in fractions):
            raise ValueError(
                f"fractions must be one to three numbers between 0 and 1, not {fractions}."
            )
        self._shell_fractions = fractions
        self._update_shells()
        self._density_changed()
        self.draw_fast()

    def set_counts(self, colors: ArrayLike, counts: ArrayLike) -> None:
        """Give the colors (U, C) and numbers of pixels (U,) that mode "points" shows."""
        colors, counts = np.asarray(colors), np.asarray(counts)
        if colors.ndim != 2 or counts.shape != colors.shape[:1]:
            raise ValueError(
                f"colors and counts must have shapes (U, C) and (U,), "
                f"not {colors.shape} and {counts.shape}."
            )
        self._counts = (colors, counts)
        self._show_counts(self.content)
        self._canvas.update()

    def look_along(self, channel: int) -> None:
        """Look along the axis of a channel, so that the others span the picture."""
        if self.space is None:
            return
        order = self.space.box.order
        if channel not in order or channel < 0:
            raise ValueError(
                f"channel must be one of the {self.space.n_channels} channels, not {channel!r}."
            )
        self.camera.look_along(order.index(channel))
        self.draw_fast()

    # --- within

    def _transfer(self) -> TransferFunction:
        return self._look.fitted(self._curve)

    def _set_look(self, look: TransferSettings) -> None:
        transfer = look.fitted(self._curve)  # refuses before anything changes
        self._look = look
        if isinstance(self.content, Content):
            self.content.set_transfer(transfer)
        self._density_changed()
        self.draw_fast()

    def _shell_levels(self) -> tuple[float, ...]:
        return tuple(self._curve.level_holding(fraction) for fraction in self._shell_fractions)

    def _update_shells(self) -> None:
        if isinstance(self.content, VolumeContent):
            self.content.set_shells(self._shell_levels())

    def _density_changed(self) -> None:
        """Let subclasses follow the density, its look or its space."""

    def _show_counts(self, content: Content | Points | None) -> None:
        if self._counts is None or self._mode != "points":
            return
        if isinstance(content, Points):
            content.show(*self._counts)
        elif isinstance(content, CurveContent) and self._counts[0].shape[1] == 1:
            content.set_counts(*self._counts)

    def _drop(self) -> None:
        for element in (self.content, self.frame):
            if element is not None:
                self.remove(element)
        self.content = self.frame = None

    def _remake(self) -> None:
        """Make content and frame for the present arrays."""
        self._drop()
        if self.values is not None and self.space is not None:
            self.content = make_content(
                self.values,
                self.space,
                self._transfer(),
                mode=self._mode,
                signed=self.signed,
                shells=self._shell_levels(),
            )
            self._show_counts(self.content)
            self.frame = frame_of(self.space)
            self.add(self.content)
            self.add(self.frame)
