"""The tab in which the density is chosen: channels, color space, bandwidth, overlay, export.

May import `ui.widgets`; the numbers come from the session.
"""
