"""The options of a fit: the pixels, the kernels, where they go."""

from typing import Literal

from magicgui.widgets import CheckBox, ComboBox, LineEdit, SpinBox
from qtpy.QtWidgets import QWidget

from napari_colorkde.app.image.source import is_labels
from napari_colorkde.app.kernels.fitting import MAX_KERNELS, FitRequest, index_of
from napari_colorkde.app.layers.metadata import METADATA_KEY
from napari_colorkde.app.selection.from_layers import labels_selection
from napari_colorkde.app.selection.selections import LabelMode, Selection
from napari_colorkde.core.mixture.em.steps import default_reg_covar
from napari_colorkde.core.palette.ranges import QUANTIZATION
from napari_colorkde.ui.kernels.pick_tool import PickTool
from napari_colorkde.ui.widgets.forms import form

PIXELS = (
    ("whole image", "image"),
    ("pixels of the selected label", "selected"),
    ("all labeled pixels", "together"),
    ("one mixture and class per label", "each"),
)
COVARIANCES = (
    ("full", "full"),
    ("diagonal", "diag"),
    ("spherical", "spherical"),
    ("tied: the same for all kernels", "tied"),
)
RESULTS = (("a new set", "new"), ("added to the current set", "set"))
NO_LAYER = ""


class FitForm(QWidget):
    """The settings of a fit.

    Parameters
    ----------
    tool
        Whose session is fitted to, on whose viewer.
    """

    def __init__(self, tool: PickTool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tool, self._session = tool, tool.session
        self._make_pixels()
        self._make_kernels()
        form(
            [
                ("pixels", [self.pixels]),
                ("labels", [self.labels]),
                ("kernels", [self.n_kernels, self.by_bic]),
                ("covariance", [self.covariance]),
                ("added σ²", [self.reg_covar]),
                ("class", [self.cls]),
                ("seed", [self.seed]),
                ("result", [self.into]),
            ],
            self,
        )
        self.pixels.changed.connect(self._sync)
        self._sync()

    def reset_choices(self) -> None:
        """Follow the layer list."""
        self.labels.reset_choices()

    def reset_variance(self) -> None:
        """Offer the variance of the image's rounding."""
        self.reg_covar.value = self._rounding()

    def request(self) -> FitRequest:
        """Return what is asked for.

        Raises
        ------
        ValueError
            If there is nothing to fit to, or a value cannot be.
        """
        which = self.pixels.value
        return FitRequest(
            index_of(self._session),
            self._selection(which),
            which == "each",
            int(self.n_kernels.value),
            bool(self.by_bic.value),
            self.covariance.value,
            self._variance(),
            " ".join(self.cls.value.split()),
            int(self.seed.value),
            self._session.device,
        )

    def _make_pixels(self) -> None:
        self.pixels = ComboBox(choices=PIXELS, tooltip="The pixels to fit to.")
        self.labels = ComboBox(
            choices=self._layers, tooltip="The Labels layer that marks the pixels."
        )
        self.into = ComboBox(
            choices=RESULTS, tooltip="Where the kernels go. Undo removes them again."
        )

    def _make_kernels(self) -> None:
        self.n_kernels = SpinBox(
            value=3,
            min=1,
            max=MAX_KERNELS,
            tooltip="Number of kernels of each mixture, or the largest number to try.",
        )
        self.by_bic = CheckBox(
            text="choose by BIC, at most this many",
            tooltip="Fit 1, 2, … kernels and keep the number with the lowest Bayesian information "
            "criterion. Because neighboring pixels are not independent, it tends to choose too "
            "many.",
        )
        self.covariance = ComboBox(
            choices=COVARIANCES, tooltip="Shape of the kernels; full ones can have any orientation."
        )
        self.reg_covar = LineEdit(
            value=self._rounding(),
            tooltip="Added to every variance, in squared image units. The default is the variance "
            "of rounding: 1/12 of a squared level.",
        )
        self.cls = LineEdit(
            value=self._tool.picker.cls,
            tooltip="Class of the new kernels. With one class per label, labels are the classes.",
        )
        self.seed = SpinBox(
            value=0, min=0, max=99999, tooltip="Seed of the random start (k-means++)."
        )

    def _sync(self) -> None:
        self.labels.enabled = self.pixels.value != "image"
        self.cls.enabled = self.pixels.value != "each"

    def _selection(self, which: LabelMode | Literal["image"]) -> Selection | None:
        source, channels = self._session.source, self._session.channels
        if which == "image" or source is None or channels is None:
            return None
        if self.labels.value == NO_LAYER or self.labels.value is None:
            raise ValueError("there is no Labels layer; add one and paint on it first.")
        try:
            layer = self._tool.viewer.layers[self.labels.value]
        except KeyError:
            raise ValueError(
                f"the layer {self.labels.value!r} no longer exists; choose another one."
            ) from None
        return labels_selection(layer, source, channels, self._tool.view(), which)

    def _rounding(self) -> str:
        palette = self._session.palette
        return f"{QUANTIZATION if palette is None else default_reg_covar(palette):.4g}"

    def _variance(self) -> float | None:
        given = self.reg_covar.value.strip()
        if given == self._rounding():
            return None  # all of its digits
        try:
            variance = float(given)
        except ValueError:
            raise ValueError(
                f"the added variance is {given!r}; give a number such as 0.0833."
            ) from None
        if not variance >= 0:
            raise ValueError(f"the added variance is {given}; give 0 or more.")
        return variance

    def _layers(self, widget: object) -> list[tuple[str, str]]:
        layers = [
            layer.name
            for layer in reversed(list(self._tool.viewer.layers))
            if is_labels(layer) and METADATA_KEY not in layer.metadata
        ]
        return [(name, name) for name in layers] or [("no Labels layer", NO_LAYER)]
