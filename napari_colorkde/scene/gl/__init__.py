"""OpenGL under the canvas: the life of its context, and drawing into a picture of any size.

Knows vispy and nothing of what is drawn.
"""
