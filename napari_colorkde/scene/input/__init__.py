"""What mouse and keyboard do on the canvas: events as they are read, regions that are drawn.

May import `scene.element` and what is below it. Dragging ellipsoids is in `scene.ellipsoids`.
"""
