"""The view of the color space: canvas, toolbar, menu, and its links to the image and the kernels.

May import `ui.widgets` and `ui.window`; what is drawn is in `scene`.
"""
