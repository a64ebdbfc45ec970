"""Qt and magicgui widgets: the dock, a folder for each of its tabs, and the other windows.

All Qt code lives here. It puts `app` and `scene` together and is imported by neither; `dock` knows
all panels and none of them knows it, and `widgets` is below them all.
"""
