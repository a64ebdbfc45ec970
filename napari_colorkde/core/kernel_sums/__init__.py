"""Sums of one Gaussian over all colors of a palette, by the fastest way that keeps the promise.

May import `core.palette`; `kernel_sums` chooses among the other modules.
Normalization and bandwidths are the business of `core.kde`.
"""
