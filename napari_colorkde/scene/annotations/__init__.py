"""What surrounds the density: frame, ticks, walls, legend, gamut, cut plane, marker.

May import `scene.geometry` and the modules at the root of `scene` that are below the canvas.
The density itself is in `scene.density`.
"""
