"""The distinct colors of an image with their counts, and the lattice they lie on.

Above `core.image`, `core.device` and `core.checks`, and below all else in `core`.
What is summed over a palette is in `core.kernel_sums` and `core.mixture`.
"""
