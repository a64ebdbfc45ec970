"""Which numbers of an image are the coordinates of its colors."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import AliasChoices, Field, StrictInt

from napari_colorkde.app.forwarded_names import renamed
from napari_colorkde.io.kernels.kernel_json import ONLY_KNOWN

MANY_CHANNELS = 6
"""Of more channels only the first and the last are named in words."""


@dataclass(frozen=True, slots=True)
class Channels:
    """Which numbers of an image are the coordinates of its colors.

    Attributes
    ----------
    names
        One name per color channel, such as ``("red", "green", "blue")``.
    axis
        Axis of the layer's data that holds the channels; None if it has none.
    entries
        Positions on that axis, one per color channel; empty without an axis.
    layers
        Names of further layers, each giving one more color channel.
    """

    __pydantic_config__ = ONLY_KNOWN

    names: Annotated[tuple[str, ...], Field(min_length=1)]
    axis: StrictInt | None = None
    indices: Annotated[
        tuple[StrictInt, ...],
        Field(validation_alias=AliasChoices("indices", "entries"), serialization_alias="entries"),
    ] = ()
    layers: tuple[str, ...] = ()

    entries = renamed("entries", "indices")

    @property
    def label(self) -> str:
        """Return the choice in words."""
        if len(self) > MANY_CHANNELS:
            return f"{len(self)} channels, {self.names[0]} to {self.names[-1]}"
        owner = f"axis {self.axis}: "
        if all(name.startswith(owner) for name in self.names):
            numbers = ", ".join(name.removeprefix(owner) for name in self.names)
            return f"channel{'s' if len(self) > 1 else ''} {numbers} of axis {self.axis}"
        return ", ".join(self.names)

    def __len__(self) -> int:
        return len(self.names)
