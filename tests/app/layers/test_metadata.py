from __future__ import annotations

import pytest

from napari_colorkde.app.layers.metadata import METADATA_KEY, OverlayMetadata

DENSITY = OverlayMetadata("photo", channel_axis=2, log=True, origin={"bandwidth": (4.0,)})
CLASSES = OverlayMetadata("photo", classes=("a", "b"), origin={})


@pytest.mark.parametrize(
    "metadata", [DENSITY, CLASSES, OverlayMetadata("photo"), OverlayMetadata("photo", mask=True)]
)
def test_an_entry_reads_back_as_it_was(metadata: OverlayMetadata) -> None:
    assert OverlayMetadata.from_json(metadata.to_json()) == metadata
    assert OverlayMetadata.of({METADATA_KEY: metadata.to_json(), "other": 1}) == metadata


def test_an_entry_has_a_version_and_those_of_others_are_refused() -> None:
    entry = OverlayMetadata("photo", mask=True).to_json()
    assert entry == {"version": 1, "image": "photo", "mask": True}
    with pytest.raises(ValueError, match="has the version 2; this program reads version 1"):
        OverlayMetadata.from_json({**entry, "version": 2})


def test_other_layers_have_none() -> None:
    assert OverlayMetadata.of({"other": 1}) is None


def test_entries_of_0_1_0_are_read() -> None:
    mask = OverlayMetadata.from_json({"image": "photo", "mask": True})
    assert mask == OverlayMetadata("photo", mask=True)
    preview = OverlayMetadata.from_json({"image": "photo", "channel_axis": None})
    assert preview == OverlayMetadata("photo")
    classes = {"image": "p", "channel_axis": None, "log": False, "classes": ["x"], "origin": {}}
    assert OverlayMetadata.from_json(classes).classes == ("x",)
