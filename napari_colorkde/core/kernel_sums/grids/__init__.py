"""Sums, and their logarithms, at the points of a regular grid, by way of a mesh.

May import its neighbors in `kernel_sums` that spread colors; `kernel_sums.spread_sums` asks for
them.
"""
