"""Colors as rows of an array: packed into words, sorted, made distinct.

May import `palette.map_blocks` and `palette.levels`; it knows no palettes.
"""
