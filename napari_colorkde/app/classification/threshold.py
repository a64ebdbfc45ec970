"""The threshold of what is shown, and the mask of the pixels that reach it."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.density.class_question import RATIO_SPAN
from napari_colorkde.app.density.compute import Densities
from napari_colorkde.app.layers.mask_layer import MaskLayer
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.session import Session
from napari_colorkde.app.state import State
from napari_colorkde.core.classification.bayes import log_density_level

DENSE_PART = 0.95
"""The first threshold of a density leaves this part of the pixels above it."""

MASK_NAME = "mask"


def threshold_in(densities: Densities | None, state: State) -> float | None:
    """The threshold of these values as the state has it; None where they have none.

    A map of classes has none, nor have values that the state does not ask for any more.
    """
    if densities is None:
        return None
    question = densities.request.question
    asked = None if question is None else question.judgement.asked
    if asked != state.judged or (question is not None and question.show == "class"):
        return None
    if question is not None:
        return replace(question, judgement=state.judgement).threshold
    if state.judgement.threshold is not None:
        return state.judgement.threshold
    return log_density_level(densities.values, densities.request.palette.counts, DENSE_PART)


def threshold_range(densities: Densities) -> tuple[float, float]:
    """Ends of a slider that suit values: where the pixels have them."""
    question = densities.request.question
    if question is None or question.show != "ratio":
        return densities.limits
    finite = densities.values[np.isfinite(densities.values)]
    middle = question.best_threshold
    low = max(float(finite.min(initial=middle)), middle - 4 * RATIO_SPAN)
    high = min(float(finite.max(initial=middle)), middle + 4 * RATIO_SPAN)
    return (low, high) if high > low else (middle - 1, middle + 1)


def chosen_colors(densities: Densities, threshold: float) -> NDArray[np.bool_]:
    """Which palette entries reach a threshold, ``(U,)``; those without a value do not."""
    return np.asarray(densities.values >= densities.values.dtype.type(threshold))


class LiveMask:
    """Marks the pixels that reach the threshold, while the session's judgement asks for it.

    Parameters
    ----------
    viewer
        A napari viewer, its model, or a proxy of one.
    session, overlay
        What is followed, and where it is painted.
    """

    def __init__(self, viewer: Any, session: Session, overlay: Overlay) -> None:
        self._session, self._overlay = session, overlay
        self._moving = False
        self.layer = MaskLayer(viewer, overlay, MASK_NAME)
        self.layer.removed.connect(self._on_removed)
        session.source_changed.connect(self._on_source)
        session.state_changed.connect(self._on_state)
        session.densities_changed.connect(self._on_densities)

    @property
    def moving(self) -> bool:
        """Whether the threshold is being moved: the mask is filled then, else outlined."""
        return self._moving

    @moving.setter
    def moving(self, moving: bool) -> None:
        if moving != self._moving:
            self._moving = moving
            self.update()

    def update(self) -> None:
        """Show the mask as the session has it."""
        session = self._session
        densities, state = session.densities, session.state
        if not state.judgement.masked or session.source is None:
            self.layer.hide()
            return
        threshold = threshold_in(densities, state)
        if densities is not None and threshold is not None:
            chosen = chosen_colors(densities, threshold)
            self.layer.show(chosen, outlined=not self._moving)
        elif state.judged is not None and state.judged.show == "class":
            self.layer.hide()

    def close(self) -> None:
        """Take the mask away and let go of the session."""
        self._session.source_changed.disconnect(self._on_source)
        self._session.state_changed.disconnect(self._on_state)
        self._session.densities_changed.disconnect(self._on_densities)
        self.layer.close()

    def _on_source(self, source: object) -> None:
        # Other pixels of the same image keep the layer: it is painted anew.
        if source is None or self.layer.image is not self._overlay.image:
            self.layer.hide()

    def _on_removed(self) -> None:
        self._session.judge(masked=False)

    def _on_state(self, state: State, before: State) -> None:
        if state.judgement != before.judgement:
            self.update()

    def _on_densities(self, densities: Densities) -> None:
        self.update()
