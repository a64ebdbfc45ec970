"""Bins of colors, if there are too many to keep: their widths and contents.

May import `palette.sorted_rows`; it knows no palettes.
"""
