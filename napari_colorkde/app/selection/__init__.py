"""Selections of pixels: clicks, rectangles, polygons, labels, regions of the color space.

May import `app.image` and `app.density`.
What becomes of the pixels is decided in `app.kernels`.
"""
