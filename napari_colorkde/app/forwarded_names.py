"""Attributes that forward to others: to those of an object's parts, and from old names.

Old names of what scripts reach through ``widget.session`` work, and warn. A name that becomes a
better one is listed where it was; the meaning of its values stays.
"""

import sys
import warnings
from collections.abc import Callable, Hashable, Mapping
from operator import attrgetter
from typing import Any, Generic, Protocol, Self, TypeVar, overload

PASSED_OVER = ("napari_colorkde.", "dataclasses")
"""Modules that are not to blame for an old name: those of this program, `dataclasses.replace`."""

Value = TypeVar("Value")
Given = TypeVar("Given")


class PartOf(Generic[Value]):
    """An attribute of one of an object's parts as the object's own; it cannot be assigned.

    Parameters
    ----------
    path
        Where it is found from the object: ``"part.attribute"``.
    doc
        Its documentation.
    """

    def __init__(self, path: str, doc: str) -> None:
        self._read = attrgetter(path)
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...

    def __get__(self, instance: object | None, owner: type) -> Self | Value:
        if instance is None:
            return self
        value: Value = self._read(instance)
        return value

    def __set__(self, instance: object, value: Value) -> None:
        raise AttributeError(f"{self._name} is a result and cannot be set.")


class SettablePart(PartOf[Value]):
    """An attribute of one of an object's parts as the object's own, to be assigned as well."""

    def __init__(self, path: str, doc: str) -> None:
        super().__init__(path, doc)
        part, _, self._attribute = path.rpartition(".")
        self._part = attrgetter(part)

    def __set__(self, instance: object, value: Value) -> None:
        setattr(self._part(instance), self._attribute, value)


class Settable(Protocol):
    """An object with a state whose fields are set by name."""

    @property
    def state(self) -> object:
        """The state."""

    def set(self, **fields: Any) -> None:
        """Change fields of it."""


class StateField(PartOf[Value], Generic[Value, Given]):
    """A field of an object's state as an attribute of the object: to assign it is to `set` it."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        super().__init__(f"state.{name}", self.__doc__ or "")
        super().__set_name__(owner, name)

    def __set__(self, instance: Settable, value: Given) -> None:  # type: ignore[override]
        # More is accepted than what is read: one number for sigmas, the name of a rule.
        instance.set(**{self._name: value})


def warn_renamed(old: str, new: str) -> None:
    """Warn that a name has a new one, and point at the first caller outside of this program."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and _is_passed_over(frame.f_globals.get("__name__", "")):
        level, frame = level + 1, frame.f_back
    warnings.warn(f"{old} is now called {new}.", DeprecationWarning, stacklevel=level)


def renamed(old: str, new: str) -> property:
    """Return a property that gives, and sets, the attribute `new` under its old name."""

    def read(instance: object) -> Any:
        warn_renamed(old, new)
        return getattr(instance, new)

    def write(instance: object, value: object) -> None:
        warn_renamed(old, new)
        setattr(instance, new, value)

    return property(read, write, doc=f"Old name of `{new}`.")


class Classifying(Protocol):
    """An object that is asked of classes."""

    @property
    def set_classification(self) -> Callable[..., None]:
        """Change what is asked of the classes."""


class OldSessionNames:
    """What attributes of a session were called in 0.1.0."""

    settled = renamed("settled", "idle")
    noticed = renamed("noticed", "message")
    look = renamed("look", "view")
    look_changed = renamed("look_changed", "view_changed")

    def judge(self: Classifying, gesture: Hashable = None, **fields: object) -> None:
        """Old name of `set_classification`."""
        warn_renamed("judge", "set_classification")
        self.set_classification(gesture, **fields)


def current_names(fields: Mapping[str, Any], renames: Mapping[str, str]) -> dict[str, Any]:
    """Return keyword arguments under the names of today.

    Parameters
    ----------
    renames
        New names by old ones.

    Raises
    ------
    TypeError
        If an argument is given under both names.
    """
    current: dict[str, Any] = {}
    for name, value in fields.items():
        new = renames.get(name, name)
        if new != name:
            warn_renamed(name, new)
        if new in current:
            old = next(old for old, now in renames.items() if now == new and old in fields)
            raise TypeError(f"{new} was given twice, also as {old}; give it once.")
        current[new] = value
    return current


def _is_passed_over(module: str) -> bool:
    return module.startswith(PASSED_OVER[0]) or module in PASSED_OVER
