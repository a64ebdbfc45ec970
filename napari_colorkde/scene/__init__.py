"""The color-space view on a vispy canvas. All vispy code lives here; it knows arrays only.

`ui` puts it in a dock. `app` is its neighbor, unknown to it.
"""
