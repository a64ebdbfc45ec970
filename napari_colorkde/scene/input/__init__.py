"""Mouse and keyboard input on the canvas: events, and regions being drawn.

May import `scene.element` and what is below it. Dragging ellipsoids is in `scene.ellipsoids`.
"""
