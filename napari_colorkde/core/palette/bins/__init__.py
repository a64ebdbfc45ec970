"""Bins of colors, where there are too many to keep: how wide they are, and what they keep.

May import `palette.sorted_rows`; it knows no palettes.
"""
