"""Sums far from all colors: from the colors themselves, gathered in a tree, in float64.

May import `kernel_sums.points_in_bricks`, `choose_loops` and `steps`; `numba_tree` is machine code.
"""
