"""Elements of the view: parts that can be dropped and recreated at any time."""

from __future__ import annotations

from vispy.scene import Node
from vispy.scene.visuals import Text
from vispy.visuals.text.text import FontManager

from napari_colorkde.scene.axes import SceneAxes
from napari_colorkde.scene.geometry.projection import Project
from napari_colorkde.scene.theme import Theme


class ScreenSpace:
    """What stays on the screen.

    Attributes
    ----------
    node : vispy node
        Parent of nodes in logical pixels.
    text_scale : float
        Of all texts.
    fonts : FontManager
        The glyphs of all texts of one OpenGL context: making them is a good part of what opening
        the view costs.
    """

    def __init__(self, node: Node, text_scale: float = 1.0) -> None:
        self.node = node
        self.text_scale = text_scale
        self.fonts = FontManager()

    def text(self, points: float) -> Text:
        """Make a node for texts of this size, times the scale of all texts."""
        points *= self.text_scale
        return Text(font_size=points, font_manager=self.fonts, parent=self.node)


class Element:
    """A group of nodes and the arrays they are made from.

    The OpenGL context may go away under a view and be replaced by another (Qt does so when a dock
    is floated). An element therefore keeps its arrays, and its nodes are nothing but their picture.

    Subclasses implement `make` and `fill`, say with `is_needed` whether there is anything to draw,
    and call `refresh` when their arrays have changed.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.space: SceneAxes | None = None
        self._parent: tuple[Node, ScreenSpace] | None = None

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to draw; until then no nodes are made."""
        return True

    def make(self, scene: Node, overlay: ScreenSpace) -> None:
        """Make the nodes.

        Parameters
        ----------
        scene : vispy node
            Parent of what turns with the camera; scene coordinates.
        overlay : ScreenSpace
            For what stays on the screen.
        """

    def fill(self) -> None:
        """Give the nodes what they show."""

    def refresh(self) -> None:
        """Make the nodes if they are needed by now, and fill them."""
        if self._parent is not None and not self.nodes and self.is_needed:
            self.make(*self._parent)
        for node in self.nodes:
            node.visible = self.is_needed
        # What is not needed may be of a space with other channels.
        if self.nodes and self.is_needed:
            self.fill()

    def place(self, space: SceneAxes | None) -> None:
        """Belong to another space from now on, or to none."""
        self.space = space
        self.refresh()

    def build(self, scene: Node, overlay: ScreenSpace) -> None:
        """Stand in a view from now on."""
        self._parent = (scene, overlay)
        self.refresh()

    def release(self) -> None:
        """Drop the nodes and leave the view."""
        self._parent = None
        for node in self.nodes:
            node.parent = None
        self.nodes = []

    def follow(self, project: Project) -> None:
        """Adapt to the camera, given as `project`: scene points to homogeneous pixels."""

    def set_quality(self, fine: bool) -> None:
        """Draw finely, or fast."""

    def set_theme(self, theme: Theme) -> None:
        """Take over colors that are not the image's."""
