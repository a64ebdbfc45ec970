"""The image at hand: its layer, its channels, the counting of its colors, each pixel's color.

Of the other rooms of `app` it imports `app.background` and `app.aliases` alone.
Files are read in `io.images`, palettes are made in `core.palette`.
"""
