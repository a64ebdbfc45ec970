"""Pictures of the color space for papers: what is asked, how they are painted, the formats.

May import `ui.window`; the parts of a figure come from `scene.figure`.
"""
