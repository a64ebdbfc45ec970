"""The top of the dock: which image is analyzed, and which of its channels are its colors."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from magicgui.widgets import ComboBox, PushButton
from psygnal import Signal
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_colorkde.app.background.error_sentences import user_message
from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.file_as_layer import OpenedImage, open_image_file, zarr_folder
from napari_colorkde.app.image.layer_files import remember_file
from napari_colorkde.app.image.placement import Placement
from napari_colorkde.app.image.source import ImageSource, unwrap_proxy
from napari_colorkde.app.layers.layer_watch import image_layers
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.layers.painted_layer import remove_orphans
from napari_colorkde.app.session import Session
from napari_colorkde.app.state import State
from napari_colorkde.connections import Connections
from napari_colorkde.io.formats.addresses import path_or_address
from napari_colorkde.io.readers.image_formats import file_filter
from napari_colorkde.ui.report_errors import report_errors, sentence
from napari_colorkde.ui.widgets.forms import form, set_row_visible

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Image

Made = TypeVar("Made")

NO_IMAGE = ""

EACH = "each"
FRAMES = {"together": "all", "one by one": EACH}
FRAMES_ROW = 2


class ImageChooser(QWidget):
    """Chooses an image layer, or opens a file as one, and its color channels.

    Parameters
    ----------
    viewer
        Whose layers are offered.
    session, overlay
        Who look at the one that is chosen.
    """

    failed = Signal(str, description="Why a request was refused; a sentence.")
    converted = Signal(object, description="A layer that was opened in sRGB.")

    def __init__(
        self, viewer: "Viewer", session: Session, overlay: Overlay, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer, self._session, self._overlay = viewer, session, overlay
        self.image = ComboBox(
            name="image",
            choices=self._image_choices,
            tooltip="The image layer whose colors are analyzed.",
        )
        self.open_button = PushButton(
            name="open",
            text="Open image…",
            tooltip="Open an image or a slide as a new layer. Drop the folder of an OME-Zarr here, "
            "or choose the zarr.json in it.",
        )
        self.recount_button = PushButton(
            name="recount",
            text="Count again",
            tooltip="Count the image's colors again after its pixels have changed.",
        )
        self.channels = ComboBox(
            name="channels",
            choices=self._channel_choices,
            tooltip="Which channels of the image make up its colors.",
        )
        self.frames = ComboBox(
            name="frames",
            choices=list(FRAMES.items()),
            tooltip="For a stack: one density for all frames together, so that they can be "
            "compared; or one for each frame, and the frame on screen is analyzed.",
        )
        self._form = form(
            [
                ("image", [self.image, self.open_button]),
                ("colors", [self.channels, self.recount_button]),
                ("frames", [self.frames]),
            ],
            self,
        )
        self.image.changed.connect(self._on_image)
        self.open_button.changed.connect(self.ask_open)
        self.channels.changed.connect(self._on_channels)
        self.frames.changed.connect(self._on_frames)
        self.recount_button.changed.connect(self._on_recount)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._after_removal)
        self._connections = Connections()
        self._connections.add(session.source_changed, self._on_source)
        self._connections.add(session.choices_changed, self._on_source)
        self._connections.add(session.state_changed, self._on_state)
        self._connections.add(overlay.image_removed, self._on_removed)

    def close_session(self) -> None:
        """Let go of the session."""
        self._later.stop()
        self._connections.close()

    def reset_choices(self) -> None:
        """Follow the layer list."""
        with self.image.changed.blocked():
            self.image.reset_choices()
            self.image.value = self._chosen or NO_IMAGE

    # --- what the user does

    def open_image(self, path: str | Path) -> None:
        """Read an image file in the background and look at it as a layer; say so if that fails."""
        file = zarr_folder(path_or_address(path))

        def show(image: OpenedImage) -> None:
            self._add_image(image, file, file.stem)

        self._run("open", "reading the image", lambda: open_image_file(file), show)

    def open_in_srgb(self, path: str | Path) -> None:
        """Open an image file again, its color profile converted to sRGB, over its layer."""
        at_hand = self._overlay.image

        def show(image: OpenedImage) -> None:
            layer = self._add_image(image, Path(path), f"{Path(path).stem} sRGB")
            if at_hand is not None and at_hand.ndim == layer.ndim:
                Placement.of(at_hand).apply(layer)
            self.converted.emit(layer)

        def convert() -> OpenedImage:
            return open_image_file(path, icc="convert")

        self._run("open", "converting the image", convert, show)

    def _run(
        self,
        lane: str,
        what: str,
        make: Callable[[], Made],
        show: Callable[[Made], None],
    ) -> None:
        """Make an image in the background, then show it."""

        def work() -> Iterator[Progress | Made]:
            yield Progress(what)
            yield make()

        def deliver(image: Made) -> None:
            report_errors(lambda: show(image), self.failed.emit)

        self._session.run(lane, work, deliver, self._on_end, keep=True)

    def _on_end(self, problem: str | None) -> None:
        if problem is not None:
            self.failed.emit(sentence(problem))

    def _add_image(self, image: OpenedImage, path: Path, name: str) -> "Image":
        layer = self._viewer.add_image(image.data, name=name, **image.arguments)
        remember_file(layer, path)
        self.look_at(layer)
        return layer

    def look_at(self, layer: "Image") -> None:
        """Look at an image layer; say so if that cannot be."""
        try:
            self._overlay.attach(layer)
        except (ValueError, TypeError) as error:
            self.failed.emit(user_message(error))
        self.reset_choices()

    def choose_first(self) -> None:
        """Look at the selected image layer, or at the topmost."""
        images = image_layers(self._viewer)
        active = unwrap_proxy(self._viewer.layers.selection.active)
        if images:
            self.look_at(active if active in images else images[-1])

    def _after_removal(self) -> None:
        remove_orphans(self._viewer)
        if self._overlay.image is None:
            self.choose_first()

    def _on_image(self, layer: "Image | str") -> None:
        if layer != NO_IMAGE and layer is not self._overlay.image:
            self.look_at(layer)
            self._bring_up(layer)

    def _on_removed(self) -> None:
        # Not within napari's own removing.
        self._later.start()

    def _bring_up(self, layer: "Image") -> None:
        """Show an image above the others; its density and masks are put above it."""
        layers = self._viewer.layers
        layer.visible = True
        layers.move(layers.index(layer), len(layers))

    def ask_open(self) -> None:
        """Ask for an image file and open it."""
        path, _ = QFileDialog.getOpenFileName(self, "Open an image", "", file_filter())
        if path:
            self.open_image(path)

    def _on_recount(self) -> None:
        self._session.recount()

    def _on_channels(self, channels: Channels | None) -> None:
        if channels is not None and channels != self._session.channels:
            self._session.channels = channels

    def _on_frames(self, frames: str) -> None:
        self._overlay.per_frame = frames == EACH

    # --- what the session says

    def _on_source(self, source: ImageSource | None) -> None:
        self._follow_channels()

    def _on_state(self, state: State, before: State) -> None:
        if state.channels != before.channels:
            self._follow_channels()

    def _follow_channels(self) -> None:
        with self.channels.changed.blocked():
            self.channels.reset_choices()
            if self._session.channels is not None:
                self.channels.value = self._session.channels
        self.channels.enabled = self._session.source is not None
        self.recount_button.enabled = self._session.source is not None
        source, channels = self._session.source, self._session.channels
        is_stack = source is not None and channels is not None and len(source.shape(channels)) > 2
        set_row_visible(self._form, FRAMES_ROW, is_stack)

    # --- choices

    @property
    def _chosen(self) -> "Image | None":
        # While an image is being removed, others hear of it before the overlay lets go of it.
        image = self._overlay.image
        return image if image in self._viewer.layers else None

    def _image_choices(self, widget: object) -> list[tuple[str, "Image | str"]]:
        none = [("choose an image layer", NO_IMAGE)] if self._chosen is None else []
        return none + [(layer.name, layer) for layer in reversed(image_layers(self._viewer))]

    def _channel_choices(self, widget: object) -> list[tuple[str, Channels]]:
        source = self._session.source
        return [] if source is None else [(c.label, c) for c in source.choices]
