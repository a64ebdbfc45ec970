"""Kernel density estimates of colors and vectors, their bandwidths, their comparison.

Log-likelihoods of images are in `pixel_density`. May import `core.kernel_sums` and `core.palette`.
Mixtures of given kernels are in `core.mixture`.
"""
