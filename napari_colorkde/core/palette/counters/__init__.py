"""Counting distinct colors: 8-bit ones in a table, others in sorts, on a budget.

May import its neighbors in `palette` that sort and bin rows; it knows no palettes.
"""
