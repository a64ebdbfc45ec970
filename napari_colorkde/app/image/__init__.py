"""The current image: its layer, its channels, its counted colors, each pixel's color.

Of the other packages of `app` it imports `app.background` and `app.forwarded_names` alone.
Files are read in `io.images`, palettes are made in `core.palette`.
"""
