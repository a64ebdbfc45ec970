"""Densities on regular grids of colors: what they hold, how they are made, those of an image.

May import the modules of `core.kde` that sum kernels.
"""
