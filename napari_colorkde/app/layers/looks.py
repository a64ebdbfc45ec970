"""Looks: an image graded with a lookup table, as a new layer next to the original."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from psygnal import Signal

from napari_colorkde.app.background.error_sentences import user_message
from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.image.placement import Placement
from napari_colorkde.app.image.source import source_of, unwrap_proxy
from napari_colorkde.app.layers.layer_watch import image_layers
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.session import Session
from napari_colorkde.app.settings.saved_look import SavedLook
from napari_colorkde.io.formats.color_space.cube_reader import Look, read_look

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Image, Layer

NEEDS_RGB = "Looks apply to red, green and blue; choose an RGB image first."


@dataclass(frozen=True, eq=False)
class GradedLayer:
    """An image layer that a look made of another one.

    Attributes
    ----------
    layer
        The graded image.
    name
        Of the look: its file, and its title where it has another one.
    saved
        Its file, as a session keeps it.
    """

    layer: "Image" = field(repr=False)
    name: str
    saved: SavedLook


@dataclass(frozen=True, eq=False)
class _Made:
    """How a layer was made: the name and the file of the look, and the image before it."""

    name: str
    saved: SavedLook
    original: "ref[Image]"

    def as_graded(self, layer: "Image") -> GradedLayer:
        return GradedLayer(layer, self.name, self.saved)


class Looks:
    """Grades the image at hand by looks, and goes back to the image as it was.

    Parameters
    ----------
    viewer
        A napari viewer or a proxy of one, to which graded images are added.
    session, overlay
        The image at hand.
    """

    failed = Signal(str, description="Why a look cannot be applied; a sentence.")
    changed = Signal(object, description="The layer that is looked at now.")

    def __init__(self, viewer: "Viewer", session: Session, overlay: Overlay) -> None:
        self._viewer = unwrap_proxy(viewer)
        self._session, self._overlay = session, overlay
        self._made: WeakKeyDictionary[Image, _Made] = WeakKeyDictionary()

    @property
    def original(self) -> "Image | None":
        """The image at hand as it was before a look; None where it is gone, or there is none."""
        image = self._overlay.image
        if image is None or image not in self._made:
            return image
        before = self._made[image].original()
        return before if before in image_layers(self._viewer) else None

    @property
    def current(self) -> GradedLayer | None:
        """The graded layer that is looked at; None: the image is as it was."""
        image = self._overlay.image
        if image is None or image not in self._made:
            return None
        return self._made[image].as_graded(image)

    def graded(self) -> list[GradedLayer]:
        """Return the layers that were made of the image at hand, from bottom to top."""
        image, original = self._overlay.image, self.original
        if image is None:
            return []
        return [
            self._made[layer].as_graded(layer)
            for layer in image_layers(self._viewer)
            if layer in self._made
            and (
                layer is image
                or (original is not None and self._made[layer].original() is original)
            )
        ]

    def apply(self, path: str | Path) -> None:
        """Grade the image at hand by a lookup table in the background, as a new layer.

        What is graded is the image as it was before any look. The color space then shows the
        difference from it. Says so if that fails.
        """
        path, original = Path(path), self.original
        if original is None or not original.rgb:
            self.failed.emit(NEEDS_RGB)
            return
        levels = list(original.data) if original.multiscale else [original.data]

        def graded_image() -> Iterator[Progress | tuple[_Made, list[object]]]:
            yield Progress(f"reading the look {path.name}")
            look = read_look(path)
            made = _Made(_name(look, path), SavedLook.of(path), ref(original))
            yield Progress("grading the image")
            yield made, [_graded(look, unwrap_proxy(level)) for level in levels]

        def deliver(result: tuple[_Made, list[object]]) -> None:
            self._add(original, path, *result)

        self._session.run("open", graded_image, deliver, self._on_end, keep=True)

    def apply_again(self, saved: SavedLook) -> None:
        """Grade the image at hand by the look of an earlier session, if its file is as it was."""
        if self.original is None:
            self.failed.emit(
                f"The session has the look {saved.name}; open an image, then choose it in View ▸ "
                "Look ▸ Open look…"
            )
        elif obstacle := saved.obstacle():
            self.failed.emit(obstacle)
        elif self.current is None or self.current.saved != saved:
            self.apply(saved.file)

    def show(self, layer: "Layer | None") -> None:
        """Look at a graded layer; None: at the image as it was, whose graded layers are hidden."""
        original, graded = self.original, [each.layer for each in self.graded()]
        shown = original if layer is None else layer
        if original is None or shown is None:
            self.failed.emit("The original image is no longer in the layer list; open it again.")
            return
        for each in (original, *graded):
            each.visible = each is shown or (each is original and layer is not None)
        self._look_at(shown)
        if layer is not None:
            self._show_difference(original)

    def _add(self, original: "Image", path: Path, made: "_Made", levels: list[object]) -> None:
        if original not in image_layers(self._viewer):
            self.failed.emit(
                f"{original.name!r} was removed while it was being graded with {path.name}."
            )
            return
        data = levels if original.multiscale else levels[0]
        for other, its in self._made.items():
            if its.original() is original:
                other.visible = False
        layer = self._viewer.add_image(
            data,
            name=f"{original.name} {path.stem}",
            rgb=True,
            multiscale=bool(original.multiscale),
            **Placement.of(original).as_arguments(),
        )
        self._made[layer] = made
        self._look_at(layer)
        self._show_difference(original)
        self._session.say(
            f"Graded by {made.name}: orange where colors have come, blue where they have gone. "
            "View ▸ Look ▸ none goes back."
        )

    def _look_at(self, layer: "Image") -> None:
        if layer is not self._overlay.image:
            self._say_errors(lambda: self._overlay.attach(layer))
        self.changed.emit(layer)

    def _show_difference(self, original: "Image") -> None:
        others = image_layers(self._viewer)
        self._say_errors(lambda: self._session.subtract(source_of(original, others)))

    def _say_errors(self, do: Callable[[], object]) -> None:
        try:
            do()
        except (ValueError, TypeError) as error:
            self.failed.emit(user_message(error))

    def _on_end(self, problem: str | None) -> None:
        if problem is not None:
            self.failed.emit(problem[:1].upper() + problem[1:])


def _name(look: Look, path: Path) -> str:
    """Return what a look is called: its file's name, with its title where that says more."""
    title = " ".join(look.title.split())
    return path.name if title in ("", path.stem, path.name) else f"{path.name} ({title[:40]})"


def _graded(look: Look, array: Any) -> Any:
    """Grade an array in memory at once; others block by block, as they are drawn and counted."""
    if isinstance(array, np.ndarray) and not isinstance(array, np.memmap):
        return look.apply(array)
    import dask.array as da

    look.apply(np.zeros((1, array.shape[-1]), array.dtype))  # refused now, not while it is drawn
    blocks = array if isinstance(array, da.Array) else da.from_array(array)
    blocks = blocks.rechunk({blocks.ndim - 1: -1})
    return blocks.map_blocks(look.apply, dtype=blocks.dtype, meta=np.empty((0,) * 3, blocks.dtype))
