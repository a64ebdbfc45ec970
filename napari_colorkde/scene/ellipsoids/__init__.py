"""Kernels as ellipsoids in the color space, and the mouse that moves and stretches them.

May import `scene.geometry` and the modules at the root below the canvas.
Which ellipsoids there are, and their colors, is decided in `ui.colorspace`.
"""
