"""The open image: its source, its counted colors, and the states it allows."""

from collections.abc import Mapping
from dataclasses import replace

from napari_colorkde.app.density.color_coordinates import (
    conversion_error,
    converted_bandwidth,
    with_rgb_space,
)
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.counting_steps import CountedImage
from napari_colorkde.app.image.pixels.pixel_index import PixelIndex
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.app.settings.state_values import Bandwidth
from napari_colorkde.app.state import State
from napari_colorkde.core.palette.palette import Palette


class OpenImage:
    """An image, or none, and the rules that it sets: the `StateRules` of a session's store.

    Attributes
    ----------
    source
        None without an image.
    counted
        Its colors, None before they are counted.
    """

    def __init__(self) -> None:
        self.source: ImageSource | None = None
        self.counted: CountedImage | None = None

    @property
    def palette(self) -> Palette | None:
        """The image's colors; those of a sample while a large image is being counted."""
        return None if self.counted is None else self.counted.palette

    @property
    def index(self) -> PixelIndex | None:
        """Which color each pixel has."""
        return None if self.counted is None else self.counted.index

    def channels(self, state: State) -> Channels | None:
        """Return the channels that a state means, None without an image."""
        if self.source is None:
            return None
        return state.channels or self.source.choices[0]

    def has_channels(self, state: State) -> bool:
        """Whether the image has the channels of a state; it has if there is none."""
        return self.source is None or state.channels in (None, *self.source.choices)

    def replace_source(self, source: ImageSource, names: Mapping[str, str], state: State) -> State:
        """Put in the same image with other layers beside it, and other names.

        Parameters
        ----------
        names
            New names of layers by those they had; those that are gone are missing.

        Returns
        -------
        State
            The state with the channels under their new names.
        """
        self.source = source
        channels = state.channels
        if channels is not None and channels.axis is None:
            given = {old: names.get(old, old) for old in (*channels.layers, *channels.names)}
            named = tuple(given[name] for name in channels.names)
            layers = tuple(given[name] for name in channels.layers)
            channels = replace(channels, names=named, layers=layers)
        return state if channels == state.channels else state.replace(channels=channels)

    def check(self, state: State, given: frozenset[str]) -> None:
        """Refuse channels, a space and voxels that the image does not have.

        Raises
        ------
        ValueError
            If it does not have those that were given.
        """
        if "channels" in given and self.source is not None and not self.has_channels(state):
            label = "" if state.channels is None else state.channels.label
            raise ValueError(
                f"channels={label!r} does not fit {self.source.name!r}; use one of "
                f"{[c.label for c in self.source.choices]}."
            )
        if "space" in given and (reason := self.conversion_error(state)):
            raise ValueError(f"space={state.space!r}: {reason}")
        if "voxels" in given and state.voxels.show and (reason := self.voxel_obstacle(state)):
            raise ValueError(reason)

    def bandwidth_in(self, space: str, state: State) -> Bandwidth:
        """Return the bandwidth of a state in units of another space."""
        if self.palette is None or self.conversion_error(replace(state, space=space)):
            return state.bandwidth
        return converted_bandwidth(state.bandwidth, self.palette, state.space, space)

    def adapted(self, state: State, current: State) -> State:
        """Return an earlier state such that it fits the image."""
        if not self.has_channels(state):
            # Those of an image that was looked at before.
            state = state.replace(channels=current.channels)
        return with_rgb_space(state) if self.conversion_error(state) else state

    def conversion_error(self, state: State, palette: Palette | None = None) -> str:
        """Say why the image cannot be seen in a state's space; "" if it can."""
        channels = self.channels(state)
        if self.source is None or channels is None or state.space == "rgb":
            return ""
        return conversion_error(self.source, channels, palette or self.palette)

    def voxel_obstacle(self, state: State) -> str:
        """Say why no voxels can be seen in true color; "" if they can, and without an image."""
        channels = self.channels(state)
        if state.show != "kernels":
            return (
                "True color in 3-D shows voxels of kernels, but the overlay shows the image's own "
                "colors; pick kernels or choose a kernel set first."
            )
        if self.source is None or channels is None:
            return ""
        shape = self.source.shape(channels)
        if len(shape) >= 3:
            return ""
        size = " × ".join(map(str, shape))
        return (
            f"True color in 3-D needs a stack, and {self.source.name!r} has no z axis ({size} "
            "pixels); open an image with the axes z, y, x and, last, its colors, or one layer with "
            "the axes z, y, x for each channel."
        )

    def space_obstacle(self, state: State) -> str:
        """Say why the image has no other color space than its own channels; "" if it has."""
        if self.source is None:
            return "No image."
        return self.conversion_error(replace(state, space="lab"))
