"""Figures of the color space for publications: the dialog, the painting, the formats.

May import `ui.window`; the parts of a figure come from `scene.figure`.
"""
