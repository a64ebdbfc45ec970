"""The image at hand: its layer, its channels, the counting of its colors, each pixel's color.

The lowest room of `app`; imports nothing of the other rooms.
Files are read in `io.images`, palettes are made in `core.palette`.
"""
