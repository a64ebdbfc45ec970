"""A row of widgets that wraps onto the next line if it is too narrow."""

from collections.abc import Sequence

from qtpy.QtCore import QRect, QSize, Qt
from qtpy.QtWidgets import QLayout, QLayoutItem, QWidget


class FlowLayout(QLayout):
    """Lays widgets out like words; no wider than the widest of them.

    Parameters
    ----------
    widgets
        From left to right.
    is_filled
        Whether the widgets of a line share the room that it leaves.
    parent
        Gets the layout.
    """

    def __init__(
        self,
        widgets: Sequence[QWidget],
        *,
        spacing: int = 4,
        is_filled: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._is_filled = is_filled
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(spacing)
        for widget in widgets:
            self.addWidget(widget)

    def addItem(self, item: QLayoutItem | None) -> None:
        """Put an item at the end."""
        if item is not None:
            self._items.append(item)

    def count(self) -> int:
        """How many items there are."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        """An item, None beyond the last."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        """Take an item out."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        """Never ask for more than is needed."""
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        """The narrower, the more lines."""
        return True

    def heightForWidth(self, width: int) -> int:
        """The height of the lines at a width."""
        lines = self._lines(width)
        gaps = self.spacing() * max(len(lines) - 1, 0)
        return sum(_height(line) for line in lines) + int(gaps)

    def sizeHint(self) -> QSize:
        """All in one line."""
        shown = self._shown()
        gaps = self.spacing() * max(len(shown) - 1, 0)
        return QSize(sum(i.sizeHint().width() for i in shown) + gaps, _height(shown))

    def minimumSize(self) -> QSize:
        """As wide as the widest."""
        shown = self._shown()
        return QSize(max((i.sizeHint().width() for i in shown), default=0), _height(shown))

    def setGeometry(self, rect: QRect) -> None:
        """Place the widgets."""
        super().setGeometry(rect)
        top = rect.top()
        for line in self._lines(rect.width()):
            widths = [item.sizeHint().width() for item in line]
            room = rect.width() - sum(widths) - self.spacing() * (len(line) - 1)
            more = max(room, 0) // len(line) if self._is_filled else 0
            left = rect.left()
            for item, width in zip(line, widths, strict=True):
                item.setGeometry(QRect(left, top, width + more, _height(line)))
                left += width + more + self.spacing()
            top += _height(line) + self.spacing()

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _lines(self, width: int) -> list[list[QLayoutItem]]:
        lines: list[list[QLayoutItem]] = []
        right = 0
        for item in self._shown():
            needed = item.sizeHint().width()
            if not lines or right + self.spacing() + needed > width:
                lines.append([])
                right = -self.spacing()
            lines[-1].append(item)
            right += self.spacing() + needed
        return lines


def _height(line: Sequence[QLayoutItem]) -> int:
    return max((item.sizeHint().height() for item in line), default=0)
