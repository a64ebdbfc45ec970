"""Pages of widgets: columns that may shrink, in scroll areas, on tabs."""

from collections.abc import Iterable, Mapping

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import (
    QFrame,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)


class ShrinkingColumn(QVBoxLayout):
    """A column in a scroll area that does not scroll before what is in it has its least height.

    Qt scrolls what is lower than it would like to be, and where pages in it scroll by themselves
    there are then two scroll bars side by side.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_asking = False

    def heightForWidth(self, width: int) -> int:
        """Return the least height, in pixels."""
        if self._is_asking:  # by Qt's own minimumHeightForWidth
            return int(super().heightForWidth(width))
        self._is_asking = True
        try:
            return int(self.minimumHeightForWidth(width))
        finally:
            self._is_asking = False


def column_with_tabs(
    top: Iterable[QWidget], tabs: Mapping[str, QWidget]
) -> tuple[QWidget, QTabWidget]:
    """Put widgets above tabs, which take the height that is left; return the column and the tabs.

    Parameters
    ----------
    top
        What stays whatever the tab.
    tabs
        Pages by their titles.
    """
    column, pages = QWidget(), QTabWidget()
    lines = ShrinkingColumn(column)
    lines.setContentsMargins(6, 4, 6, 4)
    lines.setSpacing(6)
    for widget in top:
        lines.addWidget(widget)
    for title, page in tabs.items():
        pages.addTab(page, title)
    lines.addWidget(pages, 1)
    return column, pages


def put_above(parent: QWidget, page: QWidget, line: QWidget) -> None:
    """Fill a widget with a page, and have a line that stays in sight below it."""
    lines = QVBoxLayout(parent)
    lines.setContentsMargins(0, 0, 0, 0)
    lines.setSpacing(0)
    lines.addWidget(page, 1)
    line.layout().setContentsMargins(6, 0, 6, 4)
    lines.addWidget(line)


def in_scroll_area(page: QWidget) -> QScrollArea:
    """A page that scrolls by itself, so that it does not make the others taller."""
    scroll = ScrollingPage()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(page)
    return scroll


def pin_to_top(widget: QWidget) -> QWidget:
    """A page on which a widget keeps its height."""
    page = QWidget()
    lines = QVBoxLayout(page)
    lines.setContentsMargins(0, 6, 0, 0)
    lines.addWidget(widget)
    lines.addStretch(1)
    return page


MAX_LINES = 24
"""Lines of text that a page asks for at most, before it scrolls."""


STYLED_BAR = 2
"""Pixels that a scroll bar has in napari's style sheet beyond what it asks for."""


class ScrollingPage(QScrollArea):
    """Scrolls up and down, and is never narrower than what is in it, whatever the font."""

    def sizeHint(self) -> QSize:
        """Ask for the height of what is in it now; Qt's own remembers what it was at first."""
        hint: QSize = super().sizeHint()
        page = self.widget()
        if page is not None:
            hint.setHeight(min(page.sizeHint().height(), MAX_LINES * self.fontMetrics().height()))
        return hint

    def minimumSizeHint(self) -> QSize:
        """Ask for the width of what is in it, beside a scroll bar."""
        hint: QSize = super().minimumSizeHint()
        page = self.widget()
        if page is not None:
            bar = self.verticalScrollBar().sizeHint().width() + STYLED_BAR
            hint.setWidth(max(hint.width(), page.minimumSizeHint().width() + bar))
        return hint

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Follow what is in it."""
        is_held_back = bool(super().eventFilter(watched, event))
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return is_held_back
