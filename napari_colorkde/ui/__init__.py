"""Qt and magicgui widgets. All Qt code lives here; it puts `app` and `scene` together."""
