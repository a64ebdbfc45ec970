"""Background work: its lanes, its executors, and how it is reported.

Imports nothing of the other packages of `app`, and knows neither images nor Qt.
The thread in which it runs in a window is in `ui.window.background_thread`.
"""
