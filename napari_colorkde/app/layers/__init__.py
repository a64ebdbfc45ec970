"""The layers that the program makes: density overlays and masks, painted lazily.

May import the other packages of `app`; napari's layers are made here and nowhere else.
`mask_drawing` draws masks; `shown_threshold` and others decide when. The color space is in `scene`.
"""
