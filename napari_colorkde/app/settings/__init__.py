"""Settings as values: what is asked of classes, and how the color space is viewed.

Frozen, with one way to JSON and back. The session owns them; nothing here knows it.
"""
