"""The viewer of the density volume: its layers, its axes, and the window.

May import `ui.window`; what is shown comes from the session.
"""
