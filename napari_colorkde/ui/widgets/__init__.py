"""Widgets that any Qt program could have: forms, a flow layout, sliders.

The lowest layer of `ui`; imports nothing of the project but the folder of `app.session_file`.
"""
