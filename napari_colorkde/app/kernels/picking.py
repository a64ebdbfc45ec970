"""Picking: selections of pixels become kernels of the session, one undo step each.

Picks are done one after the other, in the background: each begins with the kernels that the one
before has made.
"""

from collections import deque
from collections.abc import Callable
from functools import partial

from psygnal import Signal

from napari_colorkde.app.background.error_sentences import user_message
from napari_colorkde.app.density.density_steps import check_channels
from napari_colorkde.app.kernels import edits as kernel_edits
from napari_colorkde.app.kernels.picked_kernels import (
    NamingRule,
    Picked,
    PickMode,
    PickRequest,
    describe,
    pick,
)
from napari_colorkde.app.selection.samples import Samples, SampleStore, gaussian_of
from napari_colorkde.app.selection.selections import Selection
from napari_colorkde.app.session import Session
from napari_colorkde.connections import Connections
from napari_colorkde.core.mixture.kernels import KernelSet


class Picker:
    """Turns selections into kernels of a session.

    Parameters
    ----------
    session
        Whose image is picked from, and whose kernels change.
    chosen
        Gives the positions of the selected kernels in the set.

    Attributes
    ----------
    cls
        Class of new kernels.
    store
        The samples of kernels that were picked.
    """

    picked = Signal(str, list, description="What was done, and the positions of its kernels.")
    failed = Signal(str, description="A sentence.")

    def __init__(self, session: Session, chosen: Callable[[], list[int]]) -> None:
        self._session, self._chosen = session, chosen
        self.cls = ""
        self.store = SampleStore()
        self._waiting: deque[tuple[Selection, PickMode, NamingRule, str]] = deque()
        self._connections = Connections()
        self._connections.add(session.idle, self._next)
        self._connections.add(session.source_changed, self._forget)

    def close(self) -> None:
        """Let go of the session."""
        self._waiting.clear()
        self._connections.close()

    def pick(self, selection: Selection, how: PickMode = "new", titles: NamingRule = "") -> None:
        """Make or refit kernels of a selection, in the background.

        Parameters
        ----------
        selection
            Pixels of the session's image.
        how
            "add" without a selected kernel makes a new one.
        titles
            What several new kernels are called after.
        """
        self._waiting.append((selection, how, titles, self.cls))
        self._next()

    def add(self, samples: Samples) -> None:
        """Make a kernel of samples that are at hand, now.

        Raises
        ------
        ValueError
            If there are none, or kernels at hand have other channels; nothing is changed then.
        """
        palette, kernels = self._session.palette, self._session.kernels or KernelSet([])
        if palette is None:
            raise ValueError("there is no image to pick from; open one first.")
        if kernels:
            check_channels(kernels, palette.n_channels)
        kernel = gaussian_of(samples, palette, cls=self.cls)
        self._session.edit(kernel_edits.append(kernels, [kernel]))
        self.store.keep(kernel, samples)

    def _forget(self, source: object) -> None:
        self._waiting.clear()

    def _next(self) -> None:
        if self._session.busy_in("pick"):
            return
        while self._waiting:
            try:
                request = self._request(*self._waiting.popleft())
            except ValueError as error:
                self.failed.emit(user_message(error))
                continue
            self._session.run("pick", partial(pick, request), self._apply, self._on_end, keep=True)
            return

    def _on_end(self, problem: str | None) -> None:
        if problem is not None:
            self.failed.emit(problem)
        self._next()

    def _request(
        self, selection: Selection, how: PickMode, titles: NamingRule, cls: str
    ) -> PickRequest:
        index, kernels = self._session.index, self._session.kernels
        if index is None or index.is_preview:
            waiting = self._session.source is not None
            raise ValueError(
                "the image's colors are still being counted; pick again when that is done."
                if waiting
                else "there is no image to pick from; open one first."
            )
        if kernels:
            check_channels(kernels, index.palette.n_channels)
        rows = self._chosen() if kernels else []
        if how == "add" and not rows:
            how = "new"
        if how == "new" or kernels is None:
            return PickRequest(index, selection, "new", cls, titles)
        if len(rows) != 1:
            what = "add to" if how == "add" else "subtract from"
            raise ValueError(f"select a single kernel in the table to {what}.")
        kernel = kernels[rows[0]]
        return PickRequest(
            index, selection, how, cls, titles, rows[0], kernel, self.store.of(kernel)
        )

    def _apply(self, picked: Picked) -> None:
        request = picked.request
        kernels = self._session.kernels or KernelSet([])
        try:
            if request.kernel is None:
                positions = list(range(len(kernels), len(kernels) + len(picked.kernels)))
                after = kernel_edits.append(kernels, picked.kernels)
            else:
                positions = [request.row]
                if kernels[request.row : request.row + 1].kernels != (request.kernel,):
                    raise ValueError("the kernel has changed in the meantime; pick again.")
                after = kernel_edits.with_kernel(kernels, request.row, picked.kernels[0])
            self._session.edit(after)
        except ValueError as error:
            self.failed.emit(user_message(error))
            return
        for kernel, samples in zip(picked.kernels, picked.samples, strict=True):
            self.store.keep(kernel, samples)
        self.picked.emit(describe(picked), positions)
