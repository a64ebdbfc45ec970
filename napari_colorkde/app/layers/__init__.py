"""The layers that the program makes: density overlays and masks, painted lazily.

May import the other rooms of `app`; napari's layers are made here and nowhere else.
What is shown on the canvas of the color space is drawn in `scene`.
"""
