"""The search for a bandwidth in the window: of the image or of a data set, drawn as it is computed.

May import `app.density` and below; the other features do not know it. Shown by `ui.likelihood`.
"""
