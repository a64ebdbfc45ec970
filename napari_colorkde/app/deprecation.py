"""Old names of what scripts reach through ``widget.session``: they work, and warn.

A name that becomes a better one is listed where it was; the meaning of its values stays.
"""

import warnings
from collections.abc import Mapping
from typing import Any


def warn_renamed(old: str, new: str) -> None:
    """Warn whoever called the caller that a name has a new one."""
    warnings.warn(f"{old} is now called {new}.", DeprecationWarning, stacklevel=3)


def renamed(old: str, new: str) -> property:
    """Return a property that gives the attribute `new` under its old name."""

    def read(instance: Any) -> Any:
        warn_renamed(old, new)
        return getattr(instance, new)

    return property(read, doc=f"Old name of `{new}`.")


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
            warnings.warn(f"{name} is now called {new}.", DeprecationWarning, stacklevel=4)
        if new in current:
            raise TypeError(f"{new} was given twice, also as {name}; give it once.")
        current[new] = value
    return current
