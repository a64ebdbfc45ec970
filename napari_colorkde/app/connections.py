"""Signals that an object listens to, let go of together."""

from napari_colorkde.connections import Connections, SignalLike

__all__ = ["Connections", "SignalLike"]
