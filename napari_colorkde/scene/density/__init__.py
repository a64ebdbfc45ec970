"""The density as it is drawn: volume, plane, curve and dots, and their transfer function.

May import `scene.geometry`, `scene.shaders` and the modules at the root below the canvas.
Axes, ticks and legends are in `scene.annotations`.
"""
