"""How a data set is split and scaled, and which sigmas are tried on it."""

from magicgui.widgets import CheckBox, FloatSpinBox, LineEdit, SpinBox
from qtpy.QtWidgets import QWidget

from napari_colorkde.ui.widgets.forms import Beside, form

SIGMAS = "0.05, 0.08, 0.1, 0.2, 0.5, 1, 1.5, 2"


class VectorSettings(QWidget):
    """Fields that do nothing by themselves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sigmas_text = LineEdit(
            name="sigmas", value=SIGMAS, tooltip="Sigmas to try, in units of the scaled numbers."
        )
        self.scale = FloatSpinBox(
            name="scale",
            value=1.0,
            min=1e-9,
            max=1e9,
            tooltip="All numbers are divided by this: 256 for 8-bit images.",
        )
        tooltip = "Number of vectors; 0 takes all of them."
        self.train, self.valid, self.test = (
            SpinBox(name=name, value=0, min=0, max=10**9, tooltip=tooltip)
            for name in ("train", "valid", "test")
        )
        self.shuffle = CheckBox(
            text="shuffle", tooltip="Shuffle the training vectors first, by NumPy's RandomState."
        )
        self.seed = SpinBox(
            name="seed", value=0, min=0, max=2**31 - 1, tooltip="Seed for the shuffling."
        )
        parts = ("train", self.train), ("valid", self.valid), ("test", self.test)
        form(
            [
                ("sigmas", [self.sigmas_text]),
                ("train", [Beside(*parts)]),
                (
                    "divide by",
                    [Beside(("divide by", self.scale), ("seed", self.seed)), self.shuffle],
                ),
            ],
            self,
        )

    @property
    def sigmas(self) -> tuple[float, ...]:
        """The sigmas.

        Raises
        ------
        ValueError
            If the text is not one of numbers.
        """
        text = self.sigmas_text.value
        try:
            return tuple(float(word) for word in text.replace(",", " ").split())
        except ValueError:
            raise ValueError(f"sigmas {text!r}: give numbers separated by commas.") from None

    @property
    def protocol(self) -> dict[str, object]:
        """The arguments of `io.datasets.split`."""
        return {
            "train": self.train.value or None,
            "valid": self.valid.value or None,
            "test": self.test.value or None,
            "shuffle": self.shuffle.value,
            "seed": self.seed.value if self.shuffle.value else None,
            "scale": None if self.scale.value == 1 else self.scale.value,
        }
