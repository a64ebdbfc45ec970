from __future__ import annotations

from napari.components import ViewerModel
from psygnal import Signal

from napari_colorkde.connections import Connections


class Emitter:
    changed = Signal(int)


def test_signals_and_events_are_let_go_of_together() -> None:
    emitter, viewer, heard = Emitter(), ViewerModel(), []
    before = len(viewer.dims.events.ndisplay.callbacks)
    connections = Connections()
    connections.add(emitter.changed, heard.append)

    def on_event(event: object) -> None:
        heard.append("event")

    connections.add(viewer.dims.events.ndisplay, on_event)
    emitter.changed.emit(1)
    viewer.dims.events.ndisplay()
    assert heard == [1, "event"]
    connections.close()
    emitter.changed.emit(2)
    viewer.dims.events.ndisplay()
    assert heard == [1, "event"]
    assert len(viewer.dims.events.ndisplay.callbacks) == before
    assert len(emitter.changed) == 0


def test_more_can_be_added_after_closing() -> None:
    emitter, heard, connections = Emitter(), [], Connections()
    connections.close()
    connections.add(emitter.changed, heard.append)
    emitter.changed.emit(3)
    assert heard == [3]
