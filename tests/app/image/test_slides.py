"""Images that are decoded when they are looked at: read once for their colors and their index."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dask.array as da
import numpy as np
import pytest
from dask.callbacks import Callback

from napari_colorkde.app.image import counting_steps
from napari_colorkde.app.image.counting_steps import CountedImage, count_colors
from napari_colorkde.app.image.pixels import code_tiles, pixel_index, pyramid_strides
from napari_colorkde.app.image.pixels.code_tiles import CodeTiles
from napari_colorkde.app.image.source import ImageSource, source_of_array
from tests.slides import slide_pixels

PIXELS = slide_pixels()


class Reads:
    """An array that is not in memory, and knows how many of its pixels were read."""

    shape, dtype, ndim = PIXELS.shape, PIXELS.dtype, 3
    chunks = (64, 128, 3)

    def __init__(self) -> None:
        self.n_pixels = 0

    def __getitem__(self, key: Any) -> Any:
        part = PIXELS[key]
        self.n_pixels += part.size // 3
        return part


def counted(source: ImageSource) -> CountedImage:
    *_, found = count_colors(source, source.choices[0])
    assert isinstance(found, CountedImage)
    return found


@pytest.mark.parametrize("budget", [1 << 30, 100_000, 20_000])
def test_each_pixel_is_read_once_for_colors_and_index(
    monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    monkeypatch.setattr(pyramid_strides, "INDEX_BYTES", budget)
    array: Any = Reads()
    found = counted(source_of_array(array)).index
    assert array.n_pixels == PIXELS.size // 3
    stride = found.cached_stride
    assert found.cached.nbytes <= budget
    np.testing.assert_array_equal(
        found.palette.colors[found.cached - 1], PIXELS[::stride, ::stride]
    )


def test_what_is_on_the_screen_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyramid_strides, "INDEX_BYTES", 20_000)
    monkeypatch.setattr(code_tiles, "SIDE", 64)
    array: Any = Reads()
    index = counted(source_of_array(array)).index
    array.n_pixels = 0
    for _ in range(3):
        codes = index.codes(0, (range(100, 190), range(130, 300)))
        np.testing.assert_array_equal(index.palette.colors[codes - 1], PIXELS[100:190, 130:300])
    assert array.n_pixels == 128 * 192
    codes = index.codes(0, (range(110, 195), range(150, 310)))
    np.testing.assert_array_equal(index.palette.colors[codes - 1], PIXELS[110:195, 150:310])
    assert array.n_pixels == 192 * 192
    for axes in ((5, range(9)), (range(9, 2, -1), range(0, 60, 7)), (range(0), range(4))):
        at = tuple(a if isinstance(a, int) else list(a) for a in axes)
        wanted = PIXELS[np.ix_(*(np.atleast_1d(np.array(a, int)) for a in at))]
        found = index.palette.colors[index.codes(0, axes) - 1]
        np.testing.assert_array_equal(found, wanted.reshape(found.shape))


def test_levels_between_repeat_the_kept_pixels_and_decode_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pyramid_strides, "INDEX_BYTES", 30_000)
    monkeypatch.setattr(pixel_index, "level_strides", lambda shape: (1, 2, 4, 8, 16))
    array: Any = Reads()
    index = counted(source_of_array(array)).index
    assert index.cached_stride == 8
    array.n_pixels = 0
    repeated = index.codes(2, (range(160), range(128)))
    np.testing.assert_array_equal(repeated, index.cached.repeat(2, 0).repeat(2, 1))
    assert array.n_pixels == 0
    half = index.codes(1, (range(20), range(30)))
    np.testing.assert_array_equal(index.palette.colors[half - 1], PIXELS[:40:2, :60:2])


def test_kept_tiles_stay_within_their_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_tiles, "SIDE", 8)
    monkeypatch.setattr(code_tiles, "KEPT_BYTES", 3 * 8 * 8 * 4)
    tiles, reads = CodeTiles(), list[tuple[int, int]]()
    plane = np.arange(40 * 40, dtype=np.int32).reshape(40, 40)

    def read(rows: range, columns: range) -> Any:
        reads.append((rows.start, columns.start))
        return plane[rows.start : rows.stop, columns.start : columns.stop]

    for _ in range(2):
        for left in (0, 8, 16):
            tiles.read("a", plane.shape, range(3, 8), range(left, left + 8), read)
    assert len(reads) == 3
    box = tiles.read("a", plane.shape, range(35, 40), range(1, 40), read)
    np.testing.assert_array_equal(box, plane[35:40, 1:40])
    tiles.read("a", plane.shape, range(8), range(8), read)
    assert reads[-1] == (0, 0)


def test_a_stack_of_which_one_frame_counts_is_read_once() -> None:
    stack = da.from_array(np.stack([PIXELS, PIXELS[::-1]]), chunks=(1, 100, 200, 3))
    source = source_of_array(stack)
    index = counted(replace(source, at=(1, 0, 0))).index
    np.testing.assert_array_equal(index.palette.colors[index.cached[1] - 1], PIXELS[::-1])
    assert not index.cached[0].any()


def test_what_napari_keeps_while_it_draws_is_left_alone() -> None:
    class Draws(Callback):
        """Stands for the cache that napari registers while it draws."""

        n_started = 0

        def _start(self, dsk: object) -> None:
            self.n_started += 1

    blocks: Any = da.from_array(PIXELS, chunks=(100, 200, 3))
    with Draws() as drawing:
        index = counted(source_of_array(blocks)).index
        index.codes(0, (range(9), range(9)))
        assert drawing.n_started == 0
        blocks[:5].compute()
        assert drawing.n_started == 1


def test_a_coarse_level_that_is_large_is_strided_for_the_preview(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    coarse: Any = da.from_array(PIXELS[::2, ::2], chunks=(100, 200, 3))
    source = replace(source_of_array(da.from_array(PIXELS)), coarse=coarse)
    found = source.sample(source.choices[0], 4000)
    assert found is not None
    stride, sample = found
    assert stride == 0
    np.testing.assert_array_equal(sample, PIXELS[::8, ::8])
    monkeypatch.setattr(counting_steps, "SAMPLE_PIXELS", 4000)
    preview, whole = (
        each for each in count_colors(source, source.choices[0]) if isinstance(each, CountedImage)
    )
    assert preview.index.is_preview
    codes = preview.index.codes(0, (range(640), range(512)))
    wanted = PIXELS[::8, ::8].repeat(8, 0).repeat(8, 1)
    np.testing.assert_array_equal(preview.palette.colors[codes - 1], wanted)
    assert whole.palette.n_pixels == PIXELS.size // 3
