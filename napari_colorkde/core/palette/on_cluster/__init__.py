"""Counting on the workers of a cluster: the client at hand, and palettes merged as a tree.

May import all of `palette`; `palette.count_image` asks for it when dask computes with a cluster.
"""
