"""Sums of one Gaussian over all colors of a palette, by the fastest accurate method.

May import `core.palette`; `kernel_sums` chooses between `lattice_sums` and `spread_sums`.
Normalization and bandwidths are the business of `core.kde`.
"""
