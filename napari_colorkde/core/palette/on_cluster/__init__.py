"""Counting on the workers of a cluster: the current client, and palettes merged in a tree.

May import all of `palette`; `palette.count_image` asks for it when dask computes with a cluster.
"""
