"""Which image is analyzed: its layer, channels and frames; and how a first one is opened.

Knows no other panel. What an image is, and how a file becomes a layer, is in `app.image`.
"""
