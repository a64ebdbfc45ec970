"""What is chosen, and how that changes: checked, announced, undone.

A base of the session that knows neither images nor computations.
"""

from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_colorkde.app.deprecation import current_names, renamed, warn_renamed
from napari_colorkde.app.state import OLD_FIELDS, Bandwidth, Channels, DisplayMode, State
from napari_colorkde.app.undo import MERGED_FIELDS, UndoStack
from napari_colorkde.app.view_settings import ViewSettings
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.io.kernel_files import read_kernels, save_kernels


class StateStore:
    """A state that is changed by attributes and methods, and its history.

    Attributes
    ----------
    state
        What is chosen now.
    """

    view_changed = Signal(ViewSettings, description="How the color space is looked at.")
    state_changed = Signal(State, State, description="The state now, and before.")
    message = Signal(str, description="A sentence; nothing failed.")

    def __init__(self) -> None:
        self.state = State()
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
            fields["bandwidth"] = self._bandwidth_in(after.space)
            after = before.replace(**fields)
        if after == before:
            return
        self._check_channels(fields.get("channels"))
        if "space" in fields:
            self._check_space(after)
        changed = {name for name in fields if getattr(after, name) != getattr(before, name)}
        self._history.record(before, frozenset(fields) if changed <= MERGED_FIELDS else None)
        self._apply(after)

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
        if after != before:
            self._history.record(before, merge_key)
            self._apply(after)

    def edit(
        self, kernels: KernelSet, merge_key: Hashable = None, *, gesture: Hashable = None
    ) -> None:
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
        if gesture is not None:
            warn_renamed("gesture", "merge_key")
            merge_key = gesture
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
        if after != before:
            self._history.record(before, merge_key)
            self._apply(after)

    def judge(self, gesture: Hashable = None, **fields: Any) -> None:
        """Old name of `set_classification`."""
        warn_renamed("judge", "set_classification")
        self.set_classification(gesture, **fields)

    noticed = renamed("noticed", "message")

    def say(self, text: str) -> None:
        """Announce a sentence to the user by `message`; nothing failed."""
        self.message.emit(text)

    def undo(self) -> None:
        """Go back to the state before the last change; nothing happens where there is none."""
        self._revert(self._history.undo(self.state))

    def redo(self) -> None:
        """Do again what was undone last; nothing happens where there is none."""
        self._revert(self._history.redo(self.state))

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

    @property
    def look(self) -> ViewSettings:
        """Old name of `view`."""
        warn_renamed("look", "view")
        return self.view

    @look.setter
    def look(self, look: ViewSettings) -> None:
        warn_renamed("look", "view")
        self.view = look

    look_changed = renamed("look_changed", "view_changed")

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier state."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether a state was taken back."""
        return self._history.can_redo

    @property
    def show(self) -> DisplayMode:
        """What is shown: "kde" or "kernels"."""
        return self.state.show

    @show.setter
    def show(self, show: DisplayMode) -> None:
        self.set(show=show)

    @property
    def space(self) -> str:
        """The color space of the density. Sigmas stay the same fractions of the ranges."""
        return self.state.space

    @space.setter
    def space(self, space: str) -> None:
        self.set(space=space)

    @property
    def bandwidth(self) -> Bandwidth:
        """None, the name of a rule, or sigmas in units of the space. Set one number for all."""
        return self.state.bandwidth

    @bandwidth.setter
    def bandwidth(self, bandwidth: Any) -> None:
        self.set(bandwidth=bandwidth)

    @property
    def log(self) -> bool:
        """Whether natural logarithms are shown."""
        return self.state.log

    @log.setter
    def log(self, log: bool) -> None:
        self.set(log=log)

    @property
    def colormap(self) -> str:
        """Name of the overlay's colormap."""
        return self.state.colormap

    @colormap.setter
    def colormap(self, colormap: str) -> None:
        self.set(colormap=colormap)

    @property
    def kernels(self) -> KernelSet | None:
        """The kernel set that is chosen. Setting one closes all others and shows it."""
        return self.state.kernels

    @kernels.setter
    def kernels(self, kernels: KernelSet) -> None:
        self.set(kernels=kernels)

    def load_kernels(self, path: str | Path, name: str | None = None) -> None:
        """Open a kernel file and show one of its sets, by default the first.

        Sets that were opened before stay, unless the file has one of the same name. What looks
        wrong in the file is announced by `message`; numbers are never changed.

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
        if findings:
            self.say(" ".join(f"{each[:1].upper()}{each[1:]}" for each in findings))

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

    def _check_channels(self, channels: Channels | None) -> None:
        """Raise a ValueError where the image at hand does not have these channels."""

    def _check_space(self, state: State) -> None:
        """Raise a ValueError where the image at hand cannot be seen in the state's space."""

    def _bandwidth_in(self, space: str) -> Bandwidth:
        """Return the bandwidth in units of another space."""
        return self.bandwidth

    def _adapted_to_image(self, state: State) -> State:
        """Return an earlier state such that it fits the image at hand."""
        return state

    def _apply(self, state: State) -> None:
        """Make a state the present one."""
        self._set_state(state)

    def _revert(self, state: State | None) -> None:
        if state is not None:
            self._apply(self._adapted_to_image(state))

    def _set_state(self, state: State) -> None:
        before, self.state = self.state, state
        self.state_changed.emit(state, before)


def _only_set(kernels: KernelSet) -> dict[str, Any]:
    """Return the fields of a state that shows a kernel set, and has no other."""
    name = kernels.name or "kernels"
    return {"kernel_sets": {name: kernels}, "kernel_set": name, "show": "kernels"}
