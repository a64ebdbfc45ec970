"""The application without Qt: the session, cancellable jobs, and the glue to napari's layers.

Below it are `io` and `core`; `ui` puts it on the screen. `scene` is its neighbor, unknown to it.
The state is kept, and its undo steps are taken, in `state_store`.
"""
