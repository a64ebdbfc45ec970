"""dask in, dask out: equal to NumPy's result, block by block, within bounded memory."""

import threading
import tracemalloc

import dask
import dask.array as da
import numpy as np
import pytest

from napari_colorkde import (
    ColorKDE,
    Kernel,
    KernelSet,
    Palette,
    PaletteBuilder,
    classify_image,
    compute_densities,
)

CHUNKS = (100, 128, 3)

DIAGONAL = [([100, 150, 90], [90, 40, 30], 0.25), ([30, 40, 200], [300, 200, 100], 0.75)]
FULL = [([100, 150, 90], [[90, 30, 0], [30, 40, 0], [0, 0, 30]], 1.0)]
CLASSES = {
    "a": [([100, 150, 90], [900, 400, 300], 1.0)],
    "b": [([200, 40, 60], [900, 900, 900], 1.0)],
}


def photograph(shape=(400, 384), dtype=np.uint8, seed=0):
    rng = np.random.default_rng(seed)
    levels = rng.normal([110, 140, 90], 30, (*shape, 3)).clip(0, 255).round()
    return levels.astype(dtype)


def class_kernels():
    return {
        name: KernelSet([Kernel(np.array(m), np.diag(v), w) for m, v, w in kernels], name)
        for name, kernels in CLASSES.items()
    }


class Counting:
    """An image that is made when it is sliced, and knows how often and how much at once."""

    dtype = np.dtype(np.uint8)
    ndim = 3

    def __init__(self, rows, columns):
        self.shape = (rows, columns, 3)
        self.largest = self.reads = 0
        self._lock = threading.Lock()

    def __getitem__(self, index):
        rows, columns, channels = (
            range(*s.indices(n)) for s, n in zip(index, self.shape, strict=True)
        )
        with self._lock:
            self.reads += 1
            self.largest = max(self.largest, len(rows) * len(columns))
        y, x = np.ogrid[rows.start : rows.stop, columns.start : columns.stop]
        return np.stack([(y // 16 + x) % (61 + 7 * c) for c in channels], -1).astype(np.uint8)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_density_of_a_dask_image_is_dask_and_equal_to_the_last_bit(dtype, log):
    image = photograph((200, 256), dtype)
    lazy = da.from_array(image, CHUNKS)
    expected = ColorKDE(image, 8.0).density(image, log)
    found = ColorKDE(lazy, 8.0).density(lazy, log)
    assert isinstance(found, da.Array)
    assert (found.dtype, found.chunks) == (expected.dtype, lazy.chunks[:2])
    np.testing.assert_array_equal(found.compute(), expected)


def test_another_dask_image_is_judged_by_its_own_colors():
    kde = ColorKDE(photograph(), 8.0)
    other = photograph(seed=1)
    np.testing.assert_array_equal(kde.density(da.from_array(other, CHUNKS)), kde.density(other))


def test_masks_and_axes_of_dask_images_are_those_of_numpy():
    image = np.moveaxis(photograph((200, 256)), -1, 0)
    mask = np.random.default_rng(1).random((200, 256)) < 0.5
    lazy, marks = da.from_array(image, (1, 70, 90)), da.from_array(mask, (64, 256))
    palette = Palette.from_image(image, mask, 0)
    expected = ColorKDE(palette, 8.0).density(image, mask=mask, channel_axis=0)
    assert np.isnan(expected[~mask]).all()
    for given in (mask, marks):
        found = ColorKDE(palette, 8.0).density(lazy, mask=given, channel_axis=0)
        np.testing.assert_array_equal(found, expected)
        judged = classify_image(lazy, class_kernels(), mask=given, channel_axis=0)
        np.testing.assert_array_equal(
            judged, classify_image(image, class_kernels(), mask=mask, channel_axis=0)
        )


def test_a_gray_dask_image_and_one_of_four_channels_are_painted():
    gray = photograph((200, 256))[..., 0]
    lazy = da.from_array(gray, (64, 64))
    np.testing.assert_array_equal(
        ColorKDE(lazy, 5.0).density(lazy), ColorKDE(gray, 5.0).density(gray)
    )
    clear = np.dstack([photograph((200, 256)), np.where(gray > 110, 255, 0).astype(np.uint8)])
    found = compute_densities(da.from_array(clear, (64, 64, 2)), FULL)
    np.testing.assert_allclose(found, compute_densities(clear, FULL), rtol=1e-5, atol=1e-30)
    assert np.isnan(found.compute()).any()


@pytest.mark.parametrize("kernels", [DIAGONAL, FULL, FULL * 20])
@pytest.mark.parametrize("log", [False, True])
def test_mixtures_at_a_dask_image_of_bytes_are_equal_to_the_last_bit(kernels, log):
    image = photograph()
    found = compute_densities(da.from_array(image, CHUNKS), kernels, log=log)
    assert isinstance(found, da.Array)
    np.testing.assert_array_equal(found, compute_densities(image, kernels, log=log))


def test_mixtures_at_other_dask_images_keep_the_accuracy():
    image = photograph((200, 256), np.float32)
    found = compute_densities(da.from_array(image, CHUNKS), FULL)
    np.testing.assert_allclose(found, compute_densities(image, FULL), rtol=1e-5)


@pytest.mark.parametrize(
    "options", [{}, {"keep_mass": 0.9}, {"show": "posterior"}, {"show": "ratio"}]
)
def test_classes_of_a_dask_image_are_equal_to_the_last_bit(options):
    image = photograph()
    expected = classify_image(image, class_kernels(), **options)
    found = classify_image(da.from_array(image, CHUNKS), class_kernels(), **options)
    assert isinstance(found, da.Array)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_palettes_of_parts_add_up_to_that_of_the_whole():
    image = photograph()
    halves = []
    for part in (image[:200], image[200:]):
        builder = PaletteBuilder()
        for start in range(0, 384, 100):
            builder.add(part[:, start : start + 100])
        halves.append(builder.palette())
    assert halves[0].merge(halves[1]) == Palette.from_image(image)


def test_nothing_is_painted_before_it_is_asked_for_and_a_counted_image_is_not_read_again():
    source = Counting(512, 512)
    lazy = da.from_array(source, (128, 128, 3), name="counted", meta=np.empty((0, 0, 0), np.uint8))
    kde = ColorKDE(lazy, 5.0)
    assert source.reads == 16
    density = kde.density(lazy)
    assert source.reads == 16
    density[:10, :10].compute()
    assert source.reads == 17


def test_large_images_take_the_memory_of_their_blocks():
    source = Counting(4096, 8192)
    lazy = da.from_array(source, (512, 512, 3), name="large", meta=np.empty((0, 0, 0), np.uint8))
    with dask.config.set(scheduler="synchronous"):
        ColorKDE(lazy[:512, :512], 5.0).density(lazy[:512, :512]).sum().compute()  # what stays
        tracemalloc.start()
        try:
            kde = ColorKDE(lazy, 5.0)
            total = kde.density(lazy).sum(dtype=np.float64)
            judged = (classify_image(lazy, class_kernels()) == 1).sum()
            assert float(total.compute()) > 0
            assert 0 <= int(judged.compute()) <= 4096 * 8192
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    # 32 megapixels: 101 MB of bytes, 134 MB of densities. 8-bit colors are counted in tables of
    # 67 MB, one for each of two threads, and their sum.
    assert source.largest <= 1 << 20
    assert peak < 280e6
