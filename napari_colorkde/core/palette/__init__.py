"""The distinct colors of an image with their counts, and the lattice they lie on.

The lowest room of `core` above `image`, `device` and `colorspaces`.
What is summed over a palette is in `core.kernel_sums` and `core.mixture`.
"""
