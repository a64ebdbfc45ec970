"""Settings as values: for classification, and for the view of the color space.

Frozen, with one way to JSON and back. The session owns them; nothing here knows it.
"""
