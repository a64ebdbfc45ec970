"""The view of the color space without OpenGL: a message, and flat images.

The three walls of a cube; of two channels the plane, of one the area under the curve.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QImage, QPainter
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_colorkde.app.density.request import Estimate
from napari_colorkde.app.session import Session
from napari_colorkde.connections import Connections
from napari_colorkde.scene.annotations.marginals import Wall
from napari_colorkde.scene.axes import SceneAxes
from napari_colorkde.scene.density.transfer import CumulativeMass, TransferFunction
from napari_colorkde.scene.geometry.box_colors import ColorOf
from napari_colorkde.scene.theme import get_theme
from napari_colorkde.ui.colorspace.base_view import BaseColorSpaceView, known_theme

SIDE = 90
GAP = 8
CAPTION = 18
AREA_STEPS = 128
RIM = 2
SHEET = 0.15
"""Thickness of planes, as of the walls of a cube."""


class MarginalPlanes(QWidget):
    """A sentence, and under it pictures: a flat density, or the marginals of three channels.

    Parameters
    ----------
    reason
        Why there is nothing better; a sentence.
    theme
        "dark" or "light".
    """

    def __init__(self, reason: str, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        sentence = QLabel(reason)
        sentence.setWordWrap(True)
        sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.planes = _Planes(theme)
        lines = QVBoxLayout(self)
        lines.addWidget(sentence)
        lines.addWidget(self.planes, 1)

    def show_volume(
        self,
        values: NDArray[np.float32],
        axes: Sequence[ArrayLike],
        names: Sequence[str],
        color_of: ColorOf | None = None,
    ) -> None:
        """Show the planes of a density."""
        pictures = []
        space = SceneAxes.from_axes(axes, names, color_of)
        if values.ndim == 1:
            pictures.append((_area(values, space), f"{names[0]} →"))
        elif values.ndim == 2:
            pictures.append((_plane(values, space), f"{names[0]} → {names[1]} ↑"))
        else:
            for channel in (2, 1, 0):
                across, up = (names[c] for c in range(3) if c != channel)
                pictures.append(
                    (Wall.of(values, channel, space).picture("log"), f"{across} → {up} ↑")
                )
        self.planes.show_pictures(pictures)

    def clear(self) -> None:
        """Show no pictures."""
        self.planes.show_pictures([])

    def set_theme(self, theme: str) -> None:
        """Follow napari's theme."""
        self.planes.set_theme(theme)


class _Planes(QWidget):
    """Pictures side by side, as large as there is room."""

    def __init__(self, theme: str) -> None:
        super().__init__()
        self.pictures: list[tuple[QImage, str]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Marginal densities of the colors")
        self.set_theme(theme)

    def sizeHint(self) -> QSize:
        """Ask for three small squares."""
        return QSize(3 * SIDE + 2 * GAP, SIDE + CAPTION)

    def show_pictures(self, pictures: Sequence[tuple[NDArray[np.float32], str]]) -> None:
        """Show pictures (x, y, 4) in 0..1, y upwards, and what is written under them."""
        self.pictures = [(_image(picture), caption) for picture, caption in pictures]
        self.update()

    def set_theme(self, theme: str) -> None:
        """Follow napari's theme."""
        look = get_theme(theme)
        self._background = QColor.fromRgbF(*look.background)
        self._text = QColor.fromRgbF(*look.text)
        self.update()

    def paintEvent(self, event: object) -> None:
        """Paint them."""
        n = len(self.pictures)
        if not n:
            return
        # A frame is drawn half outside of its square.
        side = min((self.width() - 1 - (n - 1) * GAP) / n, self.height() - 1 - CAPTION)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        left = (self.width() - n * side - (n - 1) * GAP) / 2
        for image, caption in self.pictures:
            square = QRectF(left, 0.5, side, side)
            painter.fillRect(square, self._background)
            painter.drawImage(square, image)
            painter.setPen(self._text)
            painter.drawRect(square)
            below = QRectF(left, side, side, CAPTION)
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, caption)
            left += side + GAP
        painter.end()


def _area(values: NDArray[np.float32], space: SceneAxes) -> NDArray[np.float32]:
    """Paint the area under a curve: (B, AREA_STEPS, 4), each value in its color."""
    colors = np.repeat(_colors(values, space)[:, np.newaxis], AREA_STEPS, axis=1)
    peak = float(values.max()) or 1.0
    depth = AREA_STEPS * values[:, np.newaxis] / peak - np.arange(AREA_STEPS)
    # A rim, where the gray is that of the background.
    colors[depth < RIM] = 0.5
    # The part of each small square that lies below.
    alpha = np.clip(depth, 0, 1)
    return np.concatenate([colors, alpha[..., np.newaxis]], axis=-1).astype(np.float32)


def _plane(values: NDArray[np.float32], space: SceneAxes) -> NDArray[np.float32]:
    """Paint a density of two channels: (Ba, Bb, 4)."""
    transfer = TransferFunction.from_curve(CumulativeMass.from_values(values), scale="log")
    alpha = transfer.opacity(values, SHEET)
    colors = _colors(values, space)
    return np.concatenate([colors, alpha[..., np.newaxis]], axis=-1).astype(np.float32)


def _colors(values: NDArray[np.float32], space: SceneAxes) -> NDArray[np.float64]:
    """Return the color of each point of a grid: (..., 3)."""
    box = space.box
    axes = [np.linspace(box.low[c], box.high[c], n) for c, n in enumerate(values.shape)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    return space.color_of(grid.reshape(-1, values.ndim)).reshape(*values.shape, 3)


def _image(picture: NDArray[np.float32]) -> QImage:
    rows = np.ascontiguousarray(np.round(255 * picture.swapaxes(0, 1)[::-1]), dtype=np.uint8)
    height, width = rows.shape[:2]
    data = rows.tobytes()
    # Copied while the bytes are there: Qt does not keep them.
    return QImage(data, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()


class MarginalPlanesView(BaseColorSpaceView):
    """Shows the marginals of the estimate.

    Parameters
    ----------
    session
        Whose estimate is shown.
    reason
        Why there is nothing better; a sentence.
    theme
        "dark" or "light".
    """

    def __init__(
        self, session: Session, reason: str, theme: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(session, parent)
        self.planes = MarginalPlanes(reason, known_theme(theme))
        self._lines.addWidget(self.planes, 1)
        self._connections = Connections()
        self._connections.add(session.estimate_changed, self._on_estimate)
        self._connections.add(session.source_changed, self._on_source)
        if session.estimate is not None:
            self._on_estimate(session.estimate)

    def set_theme(self, theme: str) -> None:
        """Follow napari's theme."""
        self.planes.set_theme(known_theme(theme))

    def close_view(self) -> None:
        """Let go of the session. May be called twice."""
        self._connections.close()

    def _on_estimate(self, estimate: Estimate) -> None:
        volume, coordinates = estimate.volume, estimate.coordinates
        colors = self.color_of(estimate.palette, coordinates)
        self.planes.show_volume(volume.values, volume.axes, self.channel_names(), colors)

    def _on_source(self, source: object) -> None:
        self.planes.clear()
