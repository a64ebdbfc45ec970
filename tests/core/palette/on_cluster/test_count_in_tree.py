"""Palettes of blocks, merged as a tree, are the palette of the whole image."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event, Lock
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
from numpy.typing import NDArray

from napari_colorkde.core.palette.count_image import count_image
from napari_colorkde.core.palette.on_cluster.count_in_tree import (
    CountOptions,
    count_on_cluster,
    counting_tree,
    palette_of_part,
)
from napari_colorkde.core.palette.palette import Palette

RNG = np.random.default_rng(0)
MASK = RNG.integers(0, 3, (40, 50))
MASK[:10, :10] = 0


def counted(
    image: Any,
    mask: Any = None,
    channel_axis: int | None = -1,
    max_colors: int = 1 << 24,
    **rest: Any,
) -> Palette:
    _, root = counting_tree(image, mask, CountOptions(channel_axis, max_colors, **rest))
    return palette_of_part(root.compute(scheduler="synchronous"))


def image_of(kind: str) -> NDArray[Any]:
    values = RNG.normal(120, 30, (40, 50, 3)).clip(0, 255)
    if kind == "floats":
        values[5, 7] = np.nan
    return values.astype({"bytes": "u1", "words": "u2", "floats": "f4"}[kind])


@pytest.mark.parametrize("kind", ["bytes", "words", "floats"])
@pytest.mark.parametrize("chunks", [(10, 10, 3), (7, 50, 1), (40, 50, 3)])
@pytest.mark.parametrize("masked", ["no", "NumPy", "dask"])
def test_a_tree_is_the_image(kind: str, chunks: Any, masked: str) -> None:
    image = image_of(kind)
    mask = None if masked == "no" else MASK
    lazy_mask = da.from_array(MASK, (9, 11)) if masked == "dask" else mask
    assert counted(da.from_array(image, chunks), lazy_mask) == Palette.from_image(image, mask)


@pytest.mark.parametrize("max_colors", [50, 400, 1500])
def test_a_tree_keeps_the_budget(max_colors: int) -> None:
    image = image_of("words") * np.uint16(7)
    found = counted(da.from_array(image, (10, 10, 3)), None, -1, max_colors)
    assert found == Palette.from_image(image, max_colors=max_colors)
    assert len(found) <= max_colors


def test_stacks_and_axes_of_channels() -> None:
    image = np.moveaxis(image_of("bytes").reshape(4, 10, 50, 3), -1, 1)
    lazy = da.from_array(image, (1, 1, 10, 20))
    assert counted(lazy, channel_axis=1) == Palette.from_image(image, channel_axis=1)
    gray = image[:, 0]
    found = counted(da.from_array(gray, (1, 10, 20)), channel_axis=None)
    assert found == Palette.from_image(gray, channel_axis=None)


def test_images_of_which_nothing_counts_are_refused_as_ever() -> None:
    image, none = image_of("bytes"), np.zeros((40, 50))
    with pytest.raises(ValueError, match="no pixel counts") as whole:
        count_image(image, none)
    with pytest.raises(ValueError, match="no pixel counts") as tree:
        counted(da.from_array(image, (10, 10, 3)), none)
    assert str(tree.value) == str(whole.value)


def refuse(pixels: Any) -> None:
    raise ValueError(f"{pixels.shape} is refused")


def test_blocks_are_refused_where_they_are() -> None:
    lazy = da.from_array(image_of("bytes"), (20, 25, 3))
    with pytest.raises(ValueError, match=r"\(20, 25\) is refused"):
        counted(lazy, refuse=refuse)
    with pytest.raises(ValueError, match="mask has shape"):
        counted(lazy, MASK[1:])


def test_no_pixel_leaves_its_block() -> None:
    """What is passed on between pieces of work are palettes."""
    leaves, root = counting_tree(
        da.from_array(image_of("bytes") // 64, (10, 10, 3)), None, CountOptions(-1, 1 << 24)
    )
    assert len(leaves) == 20
    parts = dask.compute(*leaves, scheduler="synchronous")
    assert max(len(part.palette) for part in parts) < 100
    assert root.compute(scheduler="synchronous").palette.n_pixels == 2000


@pytest.fixture
def client() -> Iterator[Any]:
    """A cluster within this process."""
    distributed = pytest.importorskip("distributed")
    # Without a port of its own two test processes would want the same one. As dask's default, one
    # that does not start would keep whatever is computed later waiting forever.
    options = {"n_workers": 1, "threads_per_worker": 2, "dashboard_address": ":0"}
    with distributed.Client(processes=False, set_as_default=False, **options) as made:
        yield made


def test_palettes_of_blocks_are_kept_for_their_progress_only(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = image_of("bytes")
    lazy, options = da.from_array(image, (10, 10, 3)), CountOptions(-1, 1 << 24)
    asked, told = [], []
    compute = client.compute

    def count_asked(works: Any) -> Any:
        asked.append(len(works))
        return compute(works)

    monkeypatch.setattr(client, "compute", count_asked)
    assert count_on_cluster(client, lazy, None, options) == Palette.from_image(image)
    assert count_on_cluster(client, lazy, None, options, told.append) == Palette.from_image(image)
    assert asked == [1, 21]
    assert told == pytest.approx(np.arange(1, 21) / 21)


BEGUN: list[Any] = []
LOCK, GO = Lock(), Event()


def refuse_the_first(pixels: Any) -> None:
    with LOCK:
        BEGUN.append(pixels)
        is_first = len(BEGUN) == 1
    if is_first:
        raise ValueError("the first block is damaged")
    GO.wait(3)


def test_a_damaged_block_is_told_of_before_the_others_are_counted(client: Any) -> None:
    lazy = da.from_array(image_of("bytes"), (10, 10, 3))
    options = CountOptions(-1, 1 << 24, refuse_the_first)
    try:
        with pytest.raises(ValueError, match="the first block is damaged"):
            count_on_cluster(client, lazy, None, options, lambda _: None)
        assert not GO.is_set()
        assert len(BEGUN) < 20
    finally:
        GO.set()
