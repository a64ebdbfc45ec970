"""Work in the background: its lanes, where it runs, and what is said of it.

Imports nothing of the other rooms of `app`, and knows neither images nor Qt.
The thread in which it runs in a window is in `ui.window.worker_thread`.
"""
