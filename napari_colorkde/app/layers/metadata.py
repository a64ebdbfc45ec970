"""What a layer of this program records about itself in its metadata, for its writer.

`painted_layer` and `overlay` put it on their layers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

METADATA_KEY = "napari-colorkde"
"""Key in a layer's metadata that tells a density or a mask from an image."""

VERSION = 1
"""Of the entry's form; 0.1.0 wrote none. Fields that are added, and may be missing, keep it."""


@dataclass(frozen=True, slots=True)
class OverlayMetadata:
    """What a layer shows, and how to get it again.

    Attributes
    ----------
    image
        Name of the image that it belongs to.
    mask
        Whether it marks pixels; else it holds values.
    voxels
        Whether it holds red, green, blue and opacity; else values.
    channel_axis
        The axis along which the values are repeated, as the image has channels there; None without.
    log
        Whether the values are logarithms of a density.
    classes
        Names of the classes that the values number from 1; None where they are no classes.
    origin
        How to get the values again; None before they are exact.
    """

    image: str
    mask: bool = False
    channel_axis: int | None = None
    log: bool = False
    classes: tuple[str, ...] | None = None
    origin: Mapping[str, object] | None = None
    voxels: bool = False

    def to_json(self) -> dict[str, object]:
        """Return the entry of a layer's metadata: what 0.1.0 wrote, and the version."""
        entry: dict[str, object] = {"version": VERSION, "image": self.image}
        if self.mask:
            return {**entry, "mask": True}
        entry["channel_axis"] = self.channel_axis
        if self.voxels:
            return {**entry, "voxels": True}
        if self.origin is not None:
            entry |= {"log": self.log, "classes": self.classes, "origin": dict(self.origin)}
        return entry

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> "OverlayMetadata":
        """Read the entry of a layer's metadata, of this version or an earlier one.

        Raises
        ------
        ValueError
            If it is of a later version, whose fields may mean something else.
        """
        if (version := entry.get("version", VERSION)) != VERSION:
            raise ValueError(
                f"the layer's {METADATA_KEY!r} metadata has the version {version!r}; this program "
                f"reads version {VERSION}."
            )
        axis, classes = entry.get("channel_axis"), entry.get("classes")
        return cls(
            str(entry.get("image", "")),
            bool(entry.get("mask", False)),
            None if axis is None else int(axis),
            bool(entry.get("log", False)),
            tuple(classes) if classes else None,
            entry.get("origin"),
            bool(entry.get("voxels", False)),
        )

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> "OverlayMetadata | None":
        """Read it from a layer's metadata; None where the layer is not of this program."""
        entry = metadata.get(METADATA_KEY)
        return None if entry is None else cls.from_json(entry)
