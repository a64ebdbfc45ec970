"""A figure painted with Qt: onto an image, or into a vector file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QMarginsF, QPointF, QRectF, QSize, QSizeF, Qt
from qtpy.QtGui import (
    QColor,
    QFont,
    QImage,
    QPageSize,
    QPaintDevice,
    QPainter,
    QPdfWriter,
    QPen,
)

from napari_colorkde.io.writers.atomic import atomic_path
from napari_colorkde.io.writers.targets import check_target
from napari_colorkde.scene.annotations.frame import EdgeLines
from napari_colorkde.scene.figure import CM_PER_INCH, PIXELS_PER_INCH, Figure, FigureText
from napari_colorkde.scene.theme import Rgb

TITLE_HEIGHT = 24.0
"""Logical pixels over a figure that has a title."""

TITLE_POINTS = 10.0
LINE_WIDTH, TICK_WIDTH = 1.5, 1.0
POINTS_PER_INCH = 72.0


def paint_figure(painter: QPainter, figure: Figure, title: str = "") -> None:
    """Paint a figure, in its logical pixels, under its title.

    Parameters
    ----------
    painter
        On what it is painted.
    figure
        What is painted.
    title
        Empty: none, and no room for one.
    """
    width, height = figure.size
    top = TITLE_HEIGHT if title else 0.0
    painter.setRenderHints(
        QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
    )
    if figure.background is not None:
        painter.fillRect(QRectF(0, 0, width, height + top), _color(figure.background))
    if title:
        middle = np.array([width / 2, TITLE_HEIGHT / 2])
        color = next((t.color for t in figure.texts), figure.tick_color)
        _paint_text(painter, FigureText(title, middle, TITLE_POINTS, color))
    painter.translate(0.0, top)
    _paint_edges(painter, figure.behind)
    painter.drawImage(QRectF(0, 0, width, height), qimage(figure.cloud))
    _paint_edges(painter, figure.before)
    painter.setPen(QPen(_color(figure.tick_color), TICK_WIDTH))
    for start, end in figure.ticks:
        painter.drawLine(QPointF(*start), QPointF(*end))
    if figure.legend is not None:
        bar = np.round(255 * figure.legend.rgba).astype(np.uint8)
        painter.drawImage(QRectF(*figure.legend.place), qimage(bar))
    for text in figure.texts:
        _paint_text(painter, text)


def write_figure(path: str | Path, figure: Figure, dpi: float, title: str = "") -> None:
    """Write a figure, whole or not at all.

    Parameters
    ----------
    path
        Its suffix names the format, one of `FORMATS`.
    figure, title
        See `paint_figure`.
    dpi
        Of pictures; files of vectors have the cloud in that resolution.

    Raises
    ------
    ValueError, OSError
        If there is no such format, or the file cannot be written to.
    """
    target = check_target(path, tuple(FORMATS))
    _, write = FORMATS[target.suffix.lower()]
    with atomic_path(target) as scratch:
        write(scratch, figure, dpi, title)


def qimage(rgba: NDArray[np.uint8]) -> QImage:
    """Return a picture (height, width, 4) with straight alpha as Qt has it."""
    rows = np.ascontiguousarray(rgba)
    height, width = rows.shape[:2]
    # Copied while the bytes are there: Qt does not keep them.
    return QImage(rows.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()


def _full_size(figure: Figure, title: str) -> tuple[float, float]:
    width, height = figure.size
    return width, height + (TITLE_HEIGHT if title else 0.0)


def _picture(figure: Figure, dpi: float, title: str) -> QImage:
    width, height = _full_size(figure, title)
    factor = dpi / PIXELS_PER_INCH
    image = QImage(round(width * factor), round(height * factor), QImage.Format.Format_RGBA8888)
    image.fill(Qt.GlobalColor.transparent)
    per_meter = round(dpi / CM_PER_INCH * 100)
    image.setDotsPerMeterX(per_meter)
    image.setDotsPerMeterY(per_meter)
    _paint_on(image, figure, title, factor)
    return image


def _paint_on(device: QPaintDevice, figure: Figure, title: str, factor: float) -> None:
    painter = QPainter(device)
    painter.scale(factor, factor)
    paint_figure(painter, figure, title)
    painter.end()


def _write_png(path: Path, figure: Figure, dpi: float, title: str) -> None:
    if not _picture(figure, dpi, title).save(str(path), "PNG"):
        raise OSError(f"{str(path)!r} cannot be written.")


def _write_tiff(path: Path, figure: Figure, dpi: float, title: str) -> None:
    import tifffile

    image = _picture(figure, dpi, title)
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    rows = np.frombuffer(bits, np.uint8).reshape(image.height(), image.width(), 4)
    tifffile.imwrite(
        path,
        rows,
        photometric="rgb",
        extrasamples=["unassalpha"],
        resolution=(dpi, dpi),
        resolutionunit="INCH",
        compression="zlib",
    )


def _write_svg(path: Path, figure: Figure, dpi: float, title: str) -> None:
    from qtpy.QtSvg import QSvgGenerator

    width, height = _full_size(figure, title)
    generator = QSvgGenerator()
    generator.setFileName(str(path))
    generator.setResolution(round(PIXELS_PER_INCH))
    generator.setSize(QSize(round(width), round(height)))
    generator.setViewBox(QRectF(0, 0, width, height))
    generator.setTitle(title or "Color space")
    _paint_on(generator, figure, title, 1.0)


def _write_pdf(path: Path, figure: Figure, dpi: float, title: str) -> None:
    width, height = _full_size(figure, title)
    writer = QPdfWriter(str(path))
    writer.setResolution(round(max(dpi, POINTS_PER_INCH)))
    inches = QSizeF(width / PIXELS_PER_INCH, height / PIXELS_PER_INCH)
    writer.setPageSize(QPageSize(inches, QPageSize.Unit.Inch))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    writer.setTitle(title or "Color space")
    _paint_on(writer, figure, title, writer.resolution() / PIXELS_PER_INCH)


Write = Callable[[Path, Figure, float, str], None]
FORMATS: dict[str, tuple[str, Write]] = {
    ".png": ("Picture", _write_png),
    ".tif": ("Picture", _write_tiff),
    ".svg": ("Vectors", _write_svg),
    ".pdf": ("Vectors", _write_pdf),
}
"""What each suffix is, and who writes it."""


def _paint_edges(painter: QPainter, edges: EdgeLines | None) -> None:
    if edges is None:
        return
    for (start, end), color in zip(edges.ends, edges.colors, strict=True):
        pen = QPen(_color(color, edges.alpha), LINE_WIDTH)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawLine(QPointF(*start), QPointF(*end))


def _paint_text(painter: QPainter, text: FigureText) -> None:
    font = QFont("sans-serif")
    font.setStyleHint(QFont.StyleHint.SansSerif)
    font.setPixelSize(max(round(text.points * PIXELS_PER_INCH / POINTS_PER_INCH), 1))
    painter.setFont(font)
    painter.setPen(_color(text.color))
    x, y = text.middle
    # Wider than any text: it is centered there.
    box = QRectF(x - 500, y - 50, 1000, 100)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text.text)


def _color(rgb: Rgb | NDArray[np.float64], alpha: float = 1.0) -> QColor:
    red, green, blue = (float(np.clip(part, 0, 1)) for part in rgb)
    return QColor.fromRgbF(red, green, blue, alpha)
