"""Colors as rows of an array: packed into words, sorted, made distinct.

May import `palette.map_blocks` and `palette.integer_levels`; it knows no palettes.
"""
