"""What the view is put together from: parts that can be dropped and made again at any time."""

from __future__ import annotations

from typing import Any

from .rulers import Project
from .space import Space
from .theme import Theme


class Part:
    """A group of nodes and the arrays they are made from.

    The OpenGL context may go away under a view and be replaced by another (Qt does so when a dock
    is floated). A part therefore keeps its arrays, and its nodes are nothing but their picture.
    """

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.space: Space | None = None

    def place(self, space: Space | None) -> None:
        """Belong to another space from now on, or to none; what was built is built anew."""
        self.space = space

    @property
    def is_built(self) -> bool:
        """Whether there are nodes now."""
        return bool(self.nodes)

    def build(self, scene: Any, overlay: Any) -> None:
        """Make the nodes.

        Parameters
        ----------
        scene : vispy node
            Parent of what turns with the camera; scene coordinates.
        overlay : vispy node
            Parent of what stays on the screen; logical pixels.
        """

    def release(self) -> None:
        """Drop the nodes."""
        for node in self.nodes:
            node.parent = None
        self.nodes = []

    def follow(self, project: Project) -> None:
        """Adapt to the camera, given as `project`: scene points to homogeneous pixels."""

    def set_fine(self, fine: bool) -> None:
        """Draw finely, or fast."""

    def set_theme(self, theme: Theme) -> None:
        """Take over colours that are not the image's."""
