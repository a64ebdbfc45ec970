"""The store of the state: changes are checked, announced, and can be undone.

Knows neither images nor computations: what the image at hand allows is asked of `StateRules`, and
whoever computes is told of each change.
"""

from collections.abc import Callable, Hashable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from psygnal import Signal

from napari_colorkde.app.forwarded_names import current_names
from napari_colorkde.app.settings.state_values import Bandwidth
from napari_colorkde.app.settings.view_settings import ViewSettings
from napari_colorkde.app.state import OLD_FIELDS, State
from napari_colorkde.app.undo import MERGED_FIELDS, UndoStack
from napari_colorkde.core.checks.arguments import kind_of
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.io.kernels.kernel_files import read_kernels, save_kernels


class StateRules(Protocol):
    """What the image at hand allows a state to be."""

    def check(self, state: State, given: frozenset[str]) -> None:
        """Raise a ValueError where the image does not allow the fields that were given."""

    def bandwidth_in(self, space: str, state: State) -> Bandwidth:
        """Return the bandwidth of a state in units of another space."""

    def adapted(self, state: State, current: State) -> State:
        """Return an earlier state such that it fits the image."""


class NoRules:
    """Without an image, every state is allowed."""

    def check(self, state: State, given: frozenset[str]) -> None:
        """Allow it."""

    def bandwidth_in(self, space: str, state: State) -> Bandwidth:
        """Return the bandwidth as it is."""
        return state.bandwidth

    def adapted(self, state: State, current: State) -> State:
        """Return the state as it is."""
        return state


def _nothing(state: State, before: State) -> None:
    pass


class StateStore:
    """A state that is changed by its methods, and its history.

    Parameters
    ----------
    rules
        What the image at hand allows; by default everything.
    on_change
        Called with the state now and before, when all listeners have heard of a change.

    Attributes
    ----------
    state
        What is chosen now.
    """

    view_changed = Signal(ViewSettings, description="How the color space is looked at.")
    state_changed = Signal(State, State, description="The state now, and before.")

    def __init__(
        self,
        rules: StateRules | None = None,
        on_change: Callable[[State, State], None] = _nothing,
    ) -> None:
        self.state = State()
        self._rules = NoRules() if rules is None else rules
        self._on_change = on_change
        self._view = ViewSettings()
        self._history = UndoStack()

    def set(self, **fields: Any) -> None:
        """Change several fields of the state at once, with one computation.

        Parameters
        ----------
        fields
            Of the `State`, or ``kernels``: a set that takes the place of all that are open, and is
            shown. Where ``space`` is given without ``bandwidth``, sigmas are converted: they stay
            the same fractions of the channels' ranges.

        Raises
        ------
        ValueError, TypeError
            If a field cannot have that value, or there is no such field; nothing is changed then.
        """
        fields = current_names(fields, OLD_FIELDS)
        if "kernels" in fields:
            fields = _only_set(fields.pop("kernels")) | fields
        before, after = self.state, self.state.replace(**fields)
        if after.space != before.space and "bandwidth" not in fields:
            fields["bandwidth"] = self._rules.bandwidth_in(after.space, before)
            after = before.replace(**fields)
        if after == before:
            return
        self._rules.check(after, frozenset(fields))
        changed = {name for name in fields if getattr(after, name) != getattr(before, name)}
        self._step(after, frozenset(fields) if changed <= MERGED_FIELDS else None)

    def set_classification(self, merge_key: Hashable = None, **fields: Any) -> None:
        """Change what is asked of the kernels' classes; to ask for more than a density shows them.

        Parameters
        ----------
        merge_key
            As for `edit`.
        fields
            Of the `ClassificationSettings`.

        Raises
        ------
        ValueError, TypeError
            If a value cannot be, or there are no kernels; nothing is changed then.
        """
        before = self.state
        classification = before.classification.replace(**fields)
        show = before.show if fields.get("show", "density") == "density" else "kernels"
        after = before.replace(classification=classification, show=show)
        if after.value_scale != before.value_scale and "threshold" not in fields:
            after = after.replace(classification=replace(classification, threshold=None))
        self._step(after, merge_key)

    def set_voxels(self, merge_key: Hashable = None, **fields: Any) -> None:
        """Change which voxels of a stack are seen in true color.

        Parameters
        ----------
        merge_key
            As for `edit`.
        fields
            Of the `VoxelSettings`.

        Raises
        ------
        ValueError, TypeError
            If a value cannot be, the image is no stack, or no kernels are shown; nothing is changed
            then.
        """
        after = self.state.replace(voxels=self.state.voxels.replace(**fields))
        self._rules.check(after, frozenset({"voxels"}))
        self._step(after, merge_key)

    def edit(self, kernels: KernelSet, merge_key: Hashable = None) -> None:
        """Put an edited set in the place of the one that is chosen, and show it.

        Parameters
        ----------
        kernels
            The set; an empty one removes the set. Without a chosen set it becomes the first.
        merge_key
            Edits of the same key in quick succession, such as the steps of a drag, are one step
            of undo.

        Raises
        ------
        ValueError
            If it cannot be; nothing is changed then.
        """
        before = self.state
        sets = dict(before.kernel_sets)
        name = before.kernel_set or kernels.name or "kernels"
        if kernels:
            sets[name] = kernels
            after = before.replace(kernel_sets=sets, kernel_set=name, show="kernels")
        else:
            sets.pop(name, None)
            show = "kernels" if sets else "kde"
            after = before.replace(kernel_sets=sets, kernel_set=None, show=show)
        self._step(after, merge_key)

    def put(self, state: State) -> None:
        """Make a state the present one: no step of undo, and nothing is asked for."""
        before, self.state = self.state, state
        if state != before:
            self.state_changed.emit(state, before)

    def retreat(self, state: State) -> None:
        """Go back to a state whose results are there; `redo` brings the present one again."""
        self._history.retreat(self.state, state)
        self.put(state)

    def undo(self) -> None:
        """Go back to the state before the last change; nothing happens where there is none."""
        self._revert(self._history.undo(self.state))

    def redo(self) -> None:
        """Do again what was undone last; nothing happens where there is none."""
        self._revert(self._history.redo(self.state))

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier state."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether a state was taken back."""
        return self._history.can_redo

    @property
    def view(self) -> ViewSettings:
        """How the color space is looked at; not undone."""
        return self._view

    @view.setter
    def view(self, view: ViewSettings) -> None:
        if view != self._view:
            self._view = view
            self.view_changed.emit(view)

    def set_view(self, **fields: Any) -> None:
        """Change some fields of `view`.

        Raises
        ------
        ValueError, TypeError
            If a field cannot have that value, or there is no such field; nothing is changed then.
        """
        self.view = replace(self.view, **fields)

    def load_kernels(self, path: str | Path, name: str | None = None) -> list[str]:
        """Open a kernel file and show one of its sets, by default the first.

        Sets that were opened before stay, unless the file has one of the same name.

        Returns
        -------
        list of str
            What looks wrong in the file, in sentences; numbers are never changed.

        Raises
        ------
        ValueError, OSError
            If the file cannot be read or holds no valid kernels.
        """
        sets, findings = read_kernels(path)
        chosen = next(iter(sets)) if name is None else name
        self.set(
            kernel_sets={**dict(self.state.kernel_sets), **sets}, kernel_set=chosen, show="kernels"
        )
        return findings

    def save_kernels(self, path: str | Path) -> None:
        """Write all kernel sets to a file.

        Raises
        ------
        ValueError, OSError
            If there are none, the file cannot be written, or a table has no room for them.
        """
        if not self.state.kernel_sets:
            raise ValueError("there are no kernels to save yet; add or open some first.")
        save_kernels(path, dict(self.state.kernel_sets))

    # --- within

    def _step(self, state: State, merge_key: Hashable) -> None:
        if state != self.state:
            self._history.record(self.state, merge_key)
            self._apply(state)

    def _revert(self, state: State | None) -> None:
        if state is not None:
            self._apply(self._rules.adapted(state, self.state))

    def _apply(self, state: State) -> None:
        before, self.state = self.state, state
        self.state_changed.emit(state, before)
        self._on_change(state, before)


def _only_set(kernels: KernelSet) -> dict[str, object]:
    """Return the fields of a state that shows a kernel set, and has no other."""
    if not isinstance(kernels, KernelSet):
        raise TypeError(
            f'kernels is {kind_of(kernels)}; give a KernelSet, or show="kde" to see the '
            "density of the image's own colors."
        )
    name = kernels.name or "kernels"
    return {"kernel_sets": {name: kernels}, "kernel_set": name, "show": "kernels"}
