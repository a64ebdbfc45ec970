"""The row "Pick" of the kernels: by mouse, from labels, from shapes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QShortcut,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_colorkde.app.image.source import is_points, unwrap_proxy
from napari_colorkde.app.kernels.picked_kernels import NamingRule, PickMode
from napari_colorkde.app.kernels.picking import Picker
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.selection.from_layers import (
    labels_selection,
    pixel_positions,
    points_selection,
    shapes_selection,
    view_of,
)
from napari_colorkde.app.selection.polygons import rectangle
from napari_colorkde.app.selection.selections import LabelMode, Selection, SlicePlane, disk
from napari_colorkde.app.session import Session
from napari_colorkde.app.state import State
from napari_colorkde.connections import Connections
from napari_colorkde.ui.kernels.kernel_table_view import KernelTableView
from napari_colorkde.ui.kernels.layer_dimmer import LayerDimmer
from napari_colorkde.ui.kernels.pick_layer_menu import PickLayerMenu
from napari_colorkde.ui.kernels.pick_modifiers import HELP_TEXT, mode_of_keyboard
from napari_colorkde.ui.kernels.pick_mouse import PickMouse
from napari_colorkde.ui.report_errors import report_errors, sentence
from napari_colorkde.ui.widgets.forms import MIN_FIELD_WIDTH

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Labels, Points, Shapes

SHORTCUT = "Ctrl+Shift+K"


class PickTool(QWidget):
    """Button, class of new kernels, and the menu of layers to pick from.

    Parameters
    ----------
    viewer
        On whose canvas pixels are picked.
    session, overlay
        Whose kernels change, and which layer is looked at.
    table
        Says which kernel is selected; selects those that were picked.
    """

    failed = Signal(str, description="Why a request was refused; a sentence.")

    def __init__(
        self,
        viewer: "Viewer",
        session: Session,
        overlay: Overlay,
        table: KernelTableView,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.viewer: Viewer = unwrap_proxy(viewer)
        self.session, self._overlay, self._table = session, overlay, table
        self.picker = Picker(session, table.chosen)
        self.mouse = PickMouse(self.viewer, self, lambda: overlay.image)
        self._dimmer = LayerDimmer()
        self._make_pick_button()
        self._make_class_box()
        self._make_layers_menu()
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.hide()
        self._row = QHBoxLayout()
        self._lay_out()
        self._shortcut = QShortcut(QKeySequence(SHORTCUT), self)
        self._connect()
        self._sync(session.state)

    def _make_pick_button(self) -> None:
        self.pick_button = QToolButton()
        self.pick_button.setText("Pick")
        self.pick_button.setCheckable(True)
        # napari's themes do not tell a checked button.
        self.pick_button.setStyleSheet("QToolButton:checked { background: palette(highlight); }")
        self.pick_button.setToolTip(f"Make kernels from pixels ({SHORTCUT}). {HELP_TEXT}.")

    def _make_class_box(self) -> None:
        self.cls = QComboBox()
        self.cls.setEditable(True)
        self.cls.setAccessibleName("Class of new kernels")
        self.cls.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.cls.setToolTip(
            "Class of the kernels picked next: type a name, or select a kernel of that class."
        )
        self.cls.lineEdit().setPlaceholderText("class of new kernels")
        self.cls.setMinimumWidth(MIN_FIELD_WIDTH)
        self.cls.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def _make_layers_menu(self) -> None:
        self.layers_button = QToolButton()
        self.layers_button.setText("From layer ▾")
        self.layers_button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.layers_button.setToolTip(
            "Make kernels from the pixels that a Labels, Shapes or Points layer marks. Hold Ctrl "
            "to add them to the selected kernel, Alt to subtract them."
        )
        self.layers_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = PickLayerMenu(self.viewer, self)
        self.layers_button.setMenu(self.menu)

    def add_button(self, button: QWidget) -> None:
        """Put another way to kernels at the end of the row."""
        self._row.addWidget(button)

    def close_session(self) -> None:
        """Let go of the session and of the viewer."""
        self.mouse.stop()
        self._dimmer.stop()
        self.picker.close()
        self._connections.close()

    def set_message(self, text: str) -> None:
        """Show a line under the row; "" takes it away."""
        self.message.setText(text)
        self.message.setVisible(bool(text))

    # --- what the user does

    def _on_toggled(self, on: bool) -> None:
        if on and self._overlay.image is None:
            self.pick_button.setChecked(False)
            self.failed.emit("There is no image to pick from; open one first.")
        elif on:
            self.mouse.start()
            self._dimmer.start(self._overlay.layer)
            self.set_message(HELP_TEXT)
        else:
            self.mouse.stop()
            self._dimmer.stop()
            self.set_message("")

    def _on_mouse(self, world: list[NDArray[np.float64]], how: PickMode) -> None:
        def select(view: SlicePlane) -> Selection:
            channels = self.session.channels
            if channels is None:
                raise ValueError("there is no image to pick from; open one first.")
            places = pixel_positions(self._overlay.image, channels, world)
            return disk(view, places[0]) if len(places) == 1 else rectangle(view, places)

        self._pick(select, how)

    def _on_layer(
        self, layer: "Labels | Shapes | Points", which: LabelMode | bool, titles: NamingRule
    ) -> None:
        how = mode_of_keyboard(QApplication.keyboardModifiers())
        self.pick_layer(layer, which, how, titles)

    def pick_layer(
        self,
        layer: "Labels | Shapes | Points",
        which: LabelMode | bool,
        how: PickMode = "new",
        titles: NamingRule = "",
    ) -> None:
        """Pick the pixels that a layer marks.

        Parameters
        ----------
        which
            Of labels, which of them; of shapes and points, whether they are taken together.
        """

        def select(view: SlicePlane) -> Selection:
            source, channels = self.session.source, self.session.channels
            if source is None or channels is None:
                raise ValueError("there is no image to pick from; open one first.")
            if isinstance(which, bool):
                image = self._overlay.image
                if is_points(layer):
                    return points_selection(layer, image, channels, view, together=which)
                return shapes_selection(layer, image, channels, view, together=which)
            return labels_selection(layer, source, channels, view, which)

        self._pick(select, how, titles)

    def _pick(
        self, select: Callable[[SlicePlane], Selection], how: PickMode, titles: NamingRule = ""
    ) -> None:
        report_errors(lambda: self.picker.pick(select(self.view()), how, titles), self.failed.emit)

    def view(self) -> SlicePlane:
        """The plane of the image that is on the screen.

        Raises
        ------
        ValueError
            If there is none.
        """
        image, source, channels = self._overlay.image, self.session.source, self.session.channels
        if image is None or source is None or channels is None:
            raise ValueError("there is no image to pick from; open one first.")
        return view_of(image, source, channels, self.viewer.dims)

    # --- what came of it

    def _on_picked(self, text: str, positions: list[int]) -> None:
        self._table.choose(positions)
        self.set_message(text)

    def _on_failed(self, text: str) -> None:
        self.failed.emit(sentence(text))

    def _on_missed(self, name: str) -> None:
        image = self._overlay.image
        chosen = "" if image is None else f" {image.name!r}"
        self.failed.emit(
            f"This is {name!r}; pick in the image{chosen}, or choose {name!r} as the image."
        )

    def _on_stopped(self) -> None:
        self.pick_button.setChecked(False)

    def _on_source(self, source: object) -> None:
        if source is None:
            self.pick_button.setChecked(False)

    def _on_state(self, state: State, before: State) -> None:
        if state.kernels != before.kernels:
            self._sync(state)
            self.set_message(HELP_TEXT if self.mouse.is_on else "")

    def _sync(self, state: State) -> None:
        typed = self.cls.currentText()
        known = [] if state.kernels is None else [c for c in state.kernels.classes if c]
        self.cls.blockSignals(True)
        self.cls.clear()
        self.cls.addItems(known)
        self.cls.setEditText(typed)
        self.cls.blockSignals(False)

    def _on_selection(self, *args: object) -> None:
        kernels = self.session.kernels
        chosen = self._table.chosen()
        if kernels and chosen and max(chosen) < len(kernels):
            classes = {kernels[row].cls for row in chosen}
            if len(classes) == 1:
                self.cls.setEditText(classes.pop())

    def _on_class(self, text: str) -> None:
        self.picker.cls = " ".join(text.split())

    # --- within

    def _lay_out(self) -> None:
        self._row.setSpacing(3)
        self._row.addWidget(self.pick_button)
        self._row.addWidget(self.cls, 1)
        self._row.addWidget(self.layers_button)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(3)
        lines.addLayout(self._row)
        lines.addWidget(self.message)

    def _connect(self) -> None:
        self._shortcut.activated.connect(self.pick_button.toggle)
        self.pick_button.toggled.connect(self._on_toggled)
        self.mouse.picked.connect(self._on_mouse)
        self.mouse.stopped.connect(self._on_stopped)
        self.mouse.missed.connect(self._on_missed)
        self.menu.chosen.connect(self._on_layer)
        self.cls.editTextChanged.connect(self._on_class)
        self.picker.picked.connect(self._on_picked)
        self.picker.failed.connect(self._on_failed)
        self._connections = Connections()
        self._connections.add(self._table.selectionModel().selectionChanged, self._on_selection)
        self._connections.add(self.session.state_changed, self._on_state)
        self._connections.add(self.session.source_changed, self._on_source)
