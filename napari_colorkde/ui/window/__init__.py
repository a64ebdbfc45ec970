"""Integration with the window: docking, OpenGL contexts, threads, status line, autosave.

May import `ui.widgets`; knows no panel.
"""
