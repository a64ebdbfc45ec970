from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.app.classification.test_evaluation import Judged
from tests.app.layers.test_overlay import RGB


@pytest.fixture
def judged() -> Iterator[Judged]:
    judged = Judged()
    judged.show()
    yield judged
    judged.close()


def test_the_mask_is_filled_while_the_threshold_moves_and_outlined_at_rest(
    judged: Judged,
) -> None:
    judged.mask.dragging = True
    judged.session.set_classification("threshold", threshold=0.4, show_mask=True)
    layer = judged.mask.layer.layer
    assert layer is not None
    np.testing.assert_array_equal(layer.data, judged.values >= np.float32(0.4))
    judged.mask.dragging = False
    assert set(np.unique(layer.data)) == {0, 2, 3}
    judged.session.set_classification(show_mask=False)
    assert not judged.mask.layer.shown


def test_the_mask_follows_edits_of_the_kernels(judged: Judged) -> None:
    judged.mask.dragging = True
    judged.session.set_classification(show_mask=True)
    judged.session.edit(judged.session.kernels[:1])  # type: ignore[index]
    layer = judged.mask.layer.layer
    assert layer is not None
    np.testing.assert_array_equal(layer.data, judged.values >= 0.5)


def test_a_mask_deleted_by_hand_stays_away(judged: Judged) -> None:
    judged.session.set_classification(show_mask=True)
    judged.viewer.layers.remove("photo mask")
    assert not judged.session.state.classification.show_mask
    judged.session.edit(judged.session.kernels[:1])  # type: ignore[index]
    assert "photo mask" not in judged.names
    judged.session.undo()
    judged.session.undo()
    assert judged.session.state.classification.show_mask
    assert judged.mask.layer.shown


def test_the_mask_goes_where_its_image_is_looked_at_no_more(judged: Judged) -> None:
    judged.session.set_classification(show_mask=True)
    unusable = judged.viewer.add_labels(np.ones((20, 30), int))
    with pytest.raises(TypeError, match="choose an image layer"):
        judged.overlay.attach(unusable)
    assert "photo mask" not in judged.names
    assert judged.session.state.classification.show_mask
    judged.overlay.attach(judged.viewer.layers["photo"])
    assert "photo mask" in judged.names
    layer = judged.mask.layer.layer
    judged.viewer.layers["photo"].data = RGB[::-1]
    assert judged.mask.layer.layer is layer


def test_a_map_of_classes_has_no_mask(judged: Judged) -> None:
    judged.session.set_classification(show_mask=True)
    judged.session.set_classification(show="class")
    assert not judged.mask.layer.shown
