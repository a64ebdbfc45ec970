"""Millions of colors in a palette's order: swept over a mesh in one piece, and volumes read off.

Machine code, for where numba is installed; the rest of `kernel_sums` does the same without.
Sweeps arrays, and knows no palette.
"""
