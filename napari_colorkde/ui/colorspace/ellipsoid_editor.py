"""The kernels in the color space: ellipsoids that follow the table, and edits by dragging them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer

from napari_colorkde.app.density.color_coordinates import PaletteCoordinates
from napari_colorkde.app.density.request import ColorValues, Estimate
from napari_colorkde.app.kernels import edits as kernel_edits
from napari_colorkde.app.kernels.in_color_space import convert_kernels, kernel_from_ellipsoid
from napari_colorkde.app.session import Session
from napari_colorkde.app.settings.view_settings import ViewSettings
from napari_colorkde.app.state import State
from napari_colorkde.connections import Connections
from napari_colorkde.core.checks.channels import MAX_GRID_CHANNELS
from napari_colorkde.core.mixture.kernels import Kernel
from napari_colorkde.scene.canvas import ColorSpaceCanvas
from napari_colorkde.ui.colorspace.ellipsoid_colors import ellipsoid_colors
from napari_colorkde.ui.kernels.kernel_table_view import KernelTableView

BUSY_DELAY_MS = 150
"""Ellipsoids wait so long for the overlay of the same edit: drawing them first, in software, would
take the cores from what computes it."""


@dataclass(frozen=True, eq=False)
class _Stretch:
    """A kernel whose ellipsoid is being stretched in another space.

    Attributes
    ----------
    kernel
        Its number.
    mean, own
        Its mean and covariance before, image units.
    center, shape
        Mean and covariance of the ellipsoid as it is held, in units of the space.
    """

    kernel: int
    mean: NDArray[np.float64]
    own: NDArray[np.float64]
    center: NDArray[np.float64]
    shape: NDArray[np.float64]


class KernelEllipsoids(QObject):
    """Ties a canvas to the session's kernels and to the selection of the table.

    Parameters
    ----------
    canvas
        Shows the ellipsoids.
    session, table
        Whose kernels, and which of them is selected.

    Notes
    -----
    Kernels are given in image units. In another color space each is shown as the Gaussian of its
    converted samples, and what is dragged there is carried back: linearly, over the extent of the
    kernel. While an axis is dragged the ellipsoid follows the mouse; what has become of it in that
    space is shown when it is let go.
    """

    def __init__(self, canvas: ColorSpaceCanvas, session: Session, table: KernelTableView) -> None:
        super().__init__(table)
        self._canvas, self._session, self._table = canvas, session, table
        self.shown: list[int] = []
        self._followed = session.view
        estimate = session.estimate
        self._space: PaletteCoordinates | None = None if estimate is None else estimate.coordinates
        self._stretch: _Stretch | None = None
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(BUSY_DELAY_MS)
        self._patience.timeout.connect(self.update)
        self._connections = Connections()
        for signal, callback in (
            (canvas.ellipsoid_clicked, self._on_clicked),
            (canvas.ellipsoid_moved, self._on_moved),
            (canvas.ellipsoid_reshaped, self._on_reshaped),
            (canvas.ellipsoid_released, self._on_released),
            (session.state_changed, self._on_state),
            (session.densities_changed, self._on_densities),
            (session.estimate_changed, self._on_estimate),
            (session.view_changed, self._on_view),
            (table.selectionModel().selectionChanged, self.update),
        ):
            self._connections.add(signal, callback)
        self.update()

    def close(self) -> None:
        """Let go of all of them."""
        self._patience.stop()
        self._connections.close()
        self.deleteLater()

    def update(self, *args: object) -> None:
        """Show the visible kernels, or none while the image's own colors are shown."""
        self._patience.stop()
        kernels = self._session.kernels if self._session.show == "kernels" else None
        members = () if kernels is None else kernels.kernels
        self.shown = [k for k, kernel in enumerate(members) if kernel.visible]
        chosen = self._table.chosen()
        selected = None
        if len(chosen) == 1 and chosen[0] in self.shown:
            selected = self.shown.index(chosen[0])
        if kernels is None or not self.shown or self._is_unseen(kernels.n_channels):
            self._canvas.set_ellipsoids(np.empty((0, 3)), np.empty((0, 3, 3)))
            return
        means, covariances = kernels.means[self.shown], kernels.covariances[self.shown]
        if self._is_converted(kernels.n_channels) and self._space is not None:
            means, covariances = convert_kernels(means, covariances, self._space)
            if self._stretch is not None and self._stretch.kernel in self.shown:
                held = self.shown.index(self._stretch.kernel)
                means[held], covariances[held] = self._stretch.center, self._stretch.shape
        self._canvas.set_ellipsoids(
            means,
            covariances,
            ellipsoid_colors(self._session, self.shown),
            radius_sigma=self._session.view.radius,
            selected=selected,
        )

    def _is_converted(self, n_channels: int) -> bool:
        if self._space is None:
            return False
        if self._space.projection is not None:
            return n_channels == self._space.projection.n_channels
        return self._space.space is not None and n_channels == 3

    def _is_unseen(self, n_channels: int) -> bool:
        """Whether kernels have more channels than the space that is shown knows of."""
        return n_channels > MAX_GRID_CHANNELS and not self._is_converted(n_channels)

    def _on_estimate(self, estimate: Estimate) -> None:
        if self._space is not estimate.coordinates:
            self._space, self._stretch = estimate.coordinates, None
            self.update()

    def _on_state(self, state: State, before: State) -> None:
        same = (state.kernels, state.show) == (before.kernels, before.show)
        if self._session.view.by_class:
            # Colors count the classes of the other sets, too.
            sets = state.kernel_set, state.kernel_sets
            same = same and sets == (before.kernel_set, before.kernel_sets)
        if same:
            return
        if self._session.palette is None:
            self.update()
        elif not self._patience.isActive():
            self._patience.start()

    def _on_view(self, view: ViewSettings) -> None:
        before, self._followed = self._followed, view
        if (view.radius, view.by_class) != (before.radius, before.by_class):
            self.update()

    def _on_densities(self, densities: ColorValues) -> None:
        if self._patience.isActive():
            self.update()

    def _on_clicked(self, ellipsoid: int | None) -> None:
        if ellipsoid is None:
            self._table.clearSelection()
        else:
            self._table.choose([self.shown[ellipsoid]])

    def _on_moved(self, ellipsoid: int, mean: NDArray[np.float64]) -> None:
        kernels = self._session.kernels
        if kernels is not None and self._is_converted(kernels.n_channels) and self._space:
            # The mean of the converted samples is not the converted mean: carry the step over.
            k = self.shown[ellipsoid]
            old = kernels.means[[k]]
            if self._space.projection is not None:
                moved = self._space.projection.moved(old[0], mean)
                self._drag(ellipsoid, "move", mean=np.round(moved, 3))
                return
            before, _ = convert_kernels(old, kernels.covariances[[k]], self._space)
            step = self._space.to_colors(mean[np.newaxis]) - self._space.to_colors(before)
            mean = (old + step)[0]
        self._drag(ellipsoid, "move", mean=np.round(mean, 3))

    def _on_reshaped(self, ellipsoid: int, covariance: NDArray[np.float64]) -> None:
        k = self.shown[ellipsoid]
        kernels = self._session.kernels
        if kernels is not None and self._is_converted(kernels.n_channels) and self._space:
            before = self._stretch
            if before is None or before.kernel != k:
                mean, own = kernels.means[k], kernels.covariances[k]
                (center,), _ = convert_kernels(mean[np.newaxis], own[np.newaxis], self._space)
                before = _Stretch(k, mean, own, center, covariance)
            self._stretch = replace(before, shape=covariance)
            # From the start of the drag: out and back, it is the kernel it was.
            covariance = kernel_from_ellipsoid(before.mean, before.own, covariance, self._space)
        if kernels is not None and kernels[k].covariance.ndim == 1:
            # Its axes are the channels: stretched along one, it stays without correlations.
            covariance = np.diagonal(covariance).copy()
        self._drag(ellipsoid, "reshape", covariance=covariance)

    def _on_released(self, ellipsoid: int) -> None:
        if self._stretch is not None:
            self._stretch = None
            self.update()

    def _drag(self, ellipsoid: int, what: str, **fields: NDArray[np.float64]) -> None:
        kernels = self._session.kernels
        if kernels is None:
            return
        k = self.shown[ellipsoid]
        try:
            kernel: Kernel = kernel_edits.replace_kernel(kernels[k], **fields)
        except ValueError:
            return  # flattened to nothing for a moment: the drag goes on from the last shape
        self._session.edit(kernel_edits.with_kernel(kernels, k, kernel), merge_key=(what, k))
