"""The tab in which the density is chosen: channels, color space, bandwidth, overlay, export.

May import `ui.widgets` and `ui.window`; the numbers come from the session.
"""
