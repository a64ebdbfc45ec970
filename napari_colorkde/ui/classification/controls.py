"""The controls of the tab "Classify": their names, tool tips and visibility."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from magicgui.widgets import CheckBox, ComboBox, FloatSpinBox, PushButton
from qtpy.QtWidgets import QWidget

from napari_colorkde.app.settings.class_settings import OVERLAY_VALUES
from napari_colorkde.ui.widgets.flow_layout import FlowLayout
from napari_colorkde.ui.widgets.forms import form, set_row_visible
from napari_colorkde.ui.widgets.number_slider import NumberSlider

Choices = Callable[[object], list[str]]

FIRST_MASS = 99.0


class ClassificationControls(QWidget):
    """A grid of controls that do nothing by themselves.

    Parameters
    ----------
    classes, others
        Give the names of all classes, and of those that the chosen one can be compared with.
    """

    def __init__(self, classes: Choices, others: Choices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._make_controls(classes, others)
        self._form = form(
            [
                ("show", [self.show_what, self.skin_button]),
                ("class", [self.cls]),
                ("versus", [self.against]),
                ("prior", [self.prior]),
                ("no class", [self.none_of_these]),
                ("", [self.mass]),
                ("threshold", [self.threshold]),
            ],
            self,
        )
        # Beside a label, these would be wider than the dock where fonts are large.
        buttons = [w.native for w in (self.masked, self.best_button, self.labels_button)]
        line = FlowLayout(buttons, is_filled=True)
        self._form.addLayout(line, self._form.rowCount(), 0, 1, 2)

    def show_rows(self, show: str) -> None:
        """Show what matters for one of `OVERLAY_VALUES`."""
        rows = {
            1: show in ("posterior", "ratio", "class"),
            2: show == "ratio",
            3: show in ("posterior", "ratio", "class"),
            4: show == "class",
            5: show == "class",
            6: show != "class",
        }
        for row, visible in rows.items():
            set_row_visible(self._form, row, visible)
        self.masked.native.setVisible(show != "class")
        self.best_button.native.setVisible(show != "class")

    @contextmanager
    def signals_blocked(self) -> Iterator[None]:
        """Within this context the controls are set without telling."""
        controls = (self.show_what, self.cls, self.against, self.mass, self.none_of_these)
        with ExitStack() as stack:
            for widget in (*controls, self.masked):
                stack.enter_context(widget.changed.blocked())
            yield

    def _make_controls(self, classes: Choices, others: Choices) -> None:
        self.show_what = ComboBox(
            name="show_what",
            choices=[(title, show) for show, title in OVERLAY_VALUES.items()],
            tooltip="What the overlay shows: the density, the probability of a class given the "
            "color, how much more likely the color is in one class than in another (the "
            "logarithm of the ratio, in nats), or the most likely class.",
        )
        self.skin_button = PushButton(
            name="skin",
            text="Skin",
            tooltip="Open the skin and non-skin kernels of Jones and Rehg and show the "
            "probability of skin.",
        )
        self.cls = ComboBox(
            name="cls",
            choices=classes,
            tooltip="The class to look for. Set classes in the kernel table; a kernel without one "
            "takes the name of its set.",
        )
        self.against = ComboBox(
            name="against",
            choices=others,
            tooltip="The class that the ratio compares against.",
        )
        self.prior = NumberSlider(
            0.0,
            1.0,
            minimum=0.0,
            maximum=1.0,
            decimals=3,
            tooltip="How probable the class is before the color is known. The other classes share "
            "the rest.",
        )
        self.mass = FloatSpinBox(
            name="mass",
            min=0.01,
            max=100,
            step=0.5,
            value=FIRST_MASS,
            tooltip="Give a class only to pixels in the densest region of color space that holds "
            "this percentage of the pixels.",
        )
        self.mass.native.setSuffix(" % of pixels")
        self.none_of_these = CheckBox(
            name="none_of_these",
            text="outside the densest",
            tooltip="Leave pixels unclassified if their color fits none of the classes.",
        )
        self.threshold = NumberSlider(
            0.0,
            1.0,
            minimum=-1e9,
            maximum=1e9,
            decimals=3,
            tooltip="Pixels at or above this value are selected. Moving it marks them on the "
            "image.",
        )
        self.masked = CheckBox(
            name="masked", text="mark", tooltip="Mark the selected pixels on the image."
        )
        self.best_button = PushButton(
            name="best",
            text="Best",
            tooltip="Use the threshold with the fewest expected errors for these priors or, if a "
            "ground truth is chosen, the one that agrees with it best.",
        )
        self.labels_button = PushButton(
            name="make_labels",
            text="Make Labels",
            tooltip="Make a Labels layer from the selected pixels, or from the classes.",
        )
