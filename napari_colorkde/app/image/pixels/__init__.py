"""Each pixel's color as its number in the palette: looked up, kept for the screen, counted.

Of `app.image` it imports `source` and `channels`. What is painted with it is in `app.layers`.
"""
