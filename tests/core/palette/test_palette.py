import tracemalloc
from collections import Counter
from functools import reduce

import dask.array as da
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from napari_colorkde.core.kde.color_kde import ColorKDE
from napari_colorkde.core.palette.count_image import palette_of
from napari_colorkde.core.palette.image_tiles import TILE_PIXELS
from napari_colorkde.core.palette.lookup.color_lookup import paint_index
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.palette_builder import PaletteBuilder
from napari_colorkde.core.palette.ranges import ColorUnitsWarning
from tests.core.drawn import images, masks, seeds

RGB = np.random.default_rng(0).integers(0, 4, (20, 30, 3), dtype=np.uint8)


class LazyArray:
    """An array that can only be read in slices, and remembers how large they were."""

    def __init__(self, array):
        self._array = array
        self.shape, self.dtype = array.shape, array.dtype
        self.largest = 0

    def __getitem__(self, key):
        part = self._array[key]
        self.largest = max(self.largest, part.size)
        return part

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("the whole array was read")


def assert_equal_palettes(a, b):
    assert a.dtype == b.dtype
    np.testing.assert_array_equal(a.colors, b.colors)
    np.testing.assert_array_equal(a.counts, b.counts)
    np.testing.assert_array_equal(a.bin_width, b.bin_width)
    reasons = [(p.n_masked, p.n_transparent, p.n_not_finite) for p in (a, b)]
    assert reasons[0] == reasons[1]


@given(images())
def test_every_color_is_counted_once_and_sorted(image):
    palette = Palette.from_image(image)
    expected = Counter(map(tuple, image.reshape(-1, image.shape[-1]).astype(float).tolist()))
    colors = list(map(tuple, palette.colors.astype(float).tolist()))
    assert colors == sorted(expected)
    assert palette.counts.tolist() == [expected[color] for color in colors]
    assert palette.counts.dtype == np.int64
    assert palette.n_pixels == image.shape[0] * image.shape[1]
    assert len(palette) == len(expected)
    assert not palette.bin_width.any()
    assert palette.dtype == (np.float32 if image.dtype == bool else image.dtype)


@given(images(max_side=8), st.data())
def test_palettes_of_tiles_merge_into_that_of_the_whole(image, data):
    mask = data.draw(masks(image.shape[:2]))
    cuts = sorted(data.draw(st.lists(st.integers(1, 7), max_size=3)))
    tiles = [t for t in zip(np.split(image, cuts), np.split(mask, cuts), strict=True) if t[1].any()]
    assume(tiles)
    outside = sum(t.size for t in np.split(mask, cuts) if t.size and not t.any())
    parts = [Palette.from_image(*tile) for tile in tiles]
    whole = Palette.from_image(image, mask)
    merged = reduce(Palette.merge, parts)
    assert merged.n_masked == whole.n_masked - outside
    for one in (merged, reduce(Palette.merge, parts[::-1])):
        np.testing.assert_array_equal(one.colors, whole.colors)
        np.testing.assert_array_equal(one.counts, whole.counts)


@given(images(channels=(2,)), images(channels=(2,)), images(channels=(2,)))
def test_merging_is_commutative_and_associative(a, b, c):
    a, b, c = (Palette.from_image(i.astype(np.float64)) for i in (a, b, c))
    assert_equal_palettes(a.merge(b), b.merge(a))
    assert_equal_palettes(a.merge(b).merge(c), a.merge(b.merge(c)))


@given(images(max_side=8), st.integers(1, 7))
def test_a_builder_counts_tiles_like_the_whole(image, cut):
    builder = PaletteBuilder()
    for tile in np.split(image, [min(cut, len(image))]):
        if tile.size:
            builder.add(tile)
    assert_equal_palettes(builder.palette(), Palette.from_image(image))


def test_excluded_pixels_are_counted_by_reason_and_add_up():
    image = np.dstack([RGB, np.full(RGB.shape[:2], 255)]).astype(np.float32)
    image[0, :7, 3] = 0
    image[1, :5, 1] = np.nan
    mask = np.ones(RGB.shape[:2])
    mask[2, :3] = 0
    palette = Palette.from_image(image, mask)
    assert (palette.n_masked, palette.n_transparent, palette.n_not_finite) == (3, 7, 5)
    assert palette.n_excluded == 15
    assert palette.n_pixels + palette.n_excluded == 600
    twice = palette.merge(palette)
    assert (twice.n_masked, twice.n_transparent, twice.n_not_finite) == (6, 14, 10)
    assert (palette.index(image, mask) == -1).sum() == 15


@given(images(), st.data())
def test_the_index_leads_back_to_every_pixel(image, data):
    mask = data.draw(masks(image.shape[:2]))
    palette = Palette.from_image(image, mask)
    index = palette.index(image, mask)
    assert index.dtype == np.int32
    assert index.shape == image.shape[:2]
    np.testing.assert_array_equal(index == -1, ~mask)
    np.testing.assert_array_equal(palette.colors[index[mask]], image[mask])
    np.testing.assert_array_equal(np.bincount(index[mask]), palette.counts)
    # Without the mask, colors that are not in the palette have no entry.
    everywhere = palette.index(image)
    known = everywhere >= 0
    np.testing.assert_array_equal(palette.colors[everywhere[known]], image[known])
    colors = set(map(tuple, palette.colors.astype(float).tolist()))
    assert not colors & set(map(tuple, image[~known].astype(float).tolist()))


def test_painting_gives_each_pixel_its_value_and_nan_elsewhere():
    mask = RGB[..., 0] > 0
    palette = Palette.from_image(RGB, mask)
    painted = palette.paint(palette.colors[:, 1], RGB, mask)
    assert painted.dtype == np.float32
    np.testing.assert_array_equal(painted[mask], RGB[mask][:, 1])
    assert np.isnan(painted[~mask]).all()
    assert palette.paint(np.ones(len(palette)), RGB).dtype == np.float64
    with pytest.raises(ValueError, match=rf"values has shape \(3,\).*{len(palette)} colors"):
        palette.paint([1, 2, 3], RGB)


def test_painting_keeps_float64():
    values = np.array([1 / 3, 2.0])
    painted = paint_index(values, np.array([[0, 1, -1]], np.int32))
    assert painted[0, 0] == 1 / 3
    assert np.isnan(painted[0, 2])


@pytest.mark.parametrize("dtype", ["uint8", ">u2", "float32", ">f8", "bool"])
@pytest.mark.parametrize("axis", [0, 1, 2, 3, -3])
def test_channels_layout_and_byte_order_do_not_matter(dtype, axis):
    stack = np.random.default_rng(1).integers(0, 3, (2, 5, 6, 3))
    padded = np.repeat(np.moveaxis(stack, -1, axis), 2, axis=-1).astype(dtype)
    image = padded[..., ::2][::-1]
    image.flags.writeable = False
    palette = Palette.from_image(image, channel_axis=axis)
    plain = np.moveaxis(image, axis, -1).astype(np.dtype(dtype).newbyteorder("="))
    assert_equal_palettes(palette, Palette.from_image(plain))
    back = palette.colors[palette.index(image, channel_axis=axis)]
    np.testing.assert_array_equal(back, np.moveaxis(image, axis, -1))


def test_the_input_is_never_changed():
    image = np.array([[[-0.0, np.nan, 1.0]] * 2] * 3)
    image[0, 0, 1] = 1
    before = image.tobytes()
    palette = Palette.from_image(image)
    palette.paint(np.zeros(1), image)
    assert image.tobytes() == before


def test_gray_two_channel_rgba_stacks_and_lists_are_images():
    assert Palette.from_image(RGB[..., 0]).n_channels == 1
    assert Palette.from_image(RGB[..., :2]).n_channels == 2
    assert Palette.from_image(np.dstack([RGB, RGB[..., 0]])).n_channels == 3
    assert Palette.from_image(RGB, channel_axis=None).n_pixels == 1800
    assert Palette.from_image([[1.0, 2.0], [2.0, 2.0]]).counts.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("shape", "dtype", "axis"),
    [
        ((3000, 2000), "uint8", -1),
        ((3000, 1000, 3), "uint8", -1),
        ((3, 2, 1000, 1500), "uint8", 0),
        ((3000, 2000), "bool", -1),
    ],
)
def test_lazy_arrays_and_masks_are_read_tile_by_tile(shape, dtype, axis):
    rng = np.random.default_rng(0)
    array = rng.integers(0, 2, shape, dtype=np.uint8).astype(dtype)
    gray = len(shape) == 2
    n_pixels = shape if gray else tuple(np.delete(shape, axis))
    inside = np.ones(n_pixels, bool)
    inside[..., -10:] = False
    image, mask = LazyArray(array), LazyArray(inside)
    palette = Palette.from_image(image, mask, axis)
    index = palette.index(image, mask, axis)
    assert image.largest <= TILE_PIXELS * (1 if gray else 3)
    assert mask.largest <= TILE_PIXELS
    assert palette.n_pixels == inside.sum()
    assert palette.n_masked == (index == -1).sum() == (~inside).sum()
    pixels = array[..., None] if gray else np.moveaxis(array, axis, -1)
    np.testing.assert_array_equal(palette.colors[index[inside]], pixels[inside])


def test_dask_and_memory_mapped_images_are_images(tmp_path):
    expected = Palette.from_image(RGB, RGB[..., 0] > 1)
    lazy = da.from_array(RGB, chunks=(7, 11, 2))
    assert_equal_palettes(Palette.from_image(lazy, lazy[..., 0] > 1), expected)
    np.save(tmp_path / "image.npy", RGB)
    mapped = np.load(tmp_path / "image.npy", mmap_mode="r")
    assert_equal_palettes(Palette.from_image(mapped, mapped[..., 0] > 1), expected)


@given(seeds, st.sampled_from(["uint16", "float32", "float64"]), st.sampled_from([8, 50, 400]))
def test_a_palette_over_its_budget_is_binned_and_says_how(seed, dtype, budget):
    rng = np.random.default_rng(seed)
    n_channels = int(rng.integers(1, 4))
    image = (rng.normal(size=(30, 40, n_channels)) * 5000 + 20000).astype(dtype)
    palette = Palette.from_image(image, max_colors=budget)
    assert len(palette) <= budget
    assert palette.n_pixels == 1200
    assert palette.dtype == np.float64
    assert (palette.bin_width > 0).all()
    mean = palette.counts @ palette.colors / 1200
    np.testing.assert_allclose(mean, image.reshape(1200, -1).astype(float).mean(0), rtol=1e-9)
    index = palette.index(image)
    np.testing.assert_array_equal(np.bincount(index.ravel()), palette.counts)
    assert (np.abs(palette.colors[index] - image) < palette.bin_width).all()


def test_a_binned_density_is_nearly_the_exact_one():
    image = np.random.default_rng(0).random((150, 150, 1))
    exact, binned = Palette.from_image(image), Palette.from_image(image, max_colors=5000)
    assert len(binned) <= 5000 < len(exact)
    densities = [ColorKDE(p, 1 / 64).volume(200, (0, 1)).values for p in (exact, binned)]
    np.testing.assert_allclose(*densities, atol=2e-5 * densities[0].max())


def test_eight_bit_palettes_are_never_binned():
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert len(Palette.from_image(image, max_colors=8)) == 256


def test_binned_palettes_merge_by_unions_of_bins():
    rng = np.random.default_rng(0)
    image = rng.normal(0, 1, (90, 60, 2)) * np.linspace(0.1, 30, 90)[:, None, None]
    parts = [Palette.from_image(tile, max_colors=300) for tile in np.split(image, 3)]
    assert len({tuple(p.bin_width) for p in parts}) > 1
    merged, other_way = reduce(Palette.merge, parts), reduce(Palette.merge, parts[::-1])
    np.testing.assert_array_equal(merged.bin_width, np.max([p.bin_width for p in parts], axis=0))
    np.testing.assert_array_equal(merged.counts, other_way.counts)
    np.testing.assert_allclose(merged.colors, other_way.colors, rtol=1e-12)
    index = merged.index(image)
    np.testing.assert_array_equal(np.bincount(index.ravel()), merged.counts)
    assert (np.abs(merged.colors[index] - image) < merged.bin_width).all()
    with_exact = merged.merge(Palette.from_image(image[:3]))
    assert with_exact.n_pixels == merged.n_pixels + 180


def test_a_builder_whose_tiles_grow_coarser_stays_within_its_budget():
    builder = PaletteBuilder(max_colors=200)
    rng = np.random.default_rng(0)
    tiles = [rng.normal(0, scale, (20, 20, 3)) for scale in (1, 30, 0.01, 1000)]
    for tile in tiles:
        builder.add(tile)
    palette = builder.palette()
    assert len(palette) <= 200
    assert palette.n_pixels == 1600
    for tile in tiles:
        index = palette.index(tile)
        assert (np.abs(palette.colors[index] - tile) < palette.bin_width).all()


def test_counting_many_tiles_takes_the_memory_of_the_budget():
    builder = PaletteBuilder(max_colors=2000)
    rng = np.random.default_rng(0)
    tracemalloc.start()
    for _ in range(100):
        builder.add(rng.random((40, 50, 3), dtype=np.float32))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert builder.palette().n_pixels == 200_000
    assert peak < 4 << 20  # all pixels at once would take 2.4 MB, their sorting ten times that


def test_binned_16_bit_palettes_keep_the_range_of_their_depth():
    image = np.random.default_rng(0).integers(0, 3000, (60, 60, 3)).astype(np.uint16)
    exact, binned = Palette.from_image(image), Palette.from_image(image, max_colors=100)
    assert binned.ranges.tolist() == [4096.0] * 3
    brighter = Palette.from_image(np.full((1, 1, 3), 5000, np.uint16))
    assert binned.merge(brighter).ranges.tolist() == [8192.0] * 3
    assert brighter.merge(binned).ranges.tolist() == [8192.0] * 3
    assert exact.merge(brighter).ranges is None


@pytest.mark.parametrize("count", [2**24 + 1, 2**31 + 1, 2**40 + 1])
def test_counts_add_up_exactly_however_large(count):
    colors = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    palette = Palette(colors, np.array([count, 1]), np.zeros(3))
    merged = palette.merge(Palette.from_image(colors[None])).merge(palette)
    assert merged.counts.tolist() == [2 * count + 1, 3]
    assert merged.n_pixels == 2 * count + 4
    binned = Palette(colors.astype(float), palette.counts, np.full(3, 8.0))
    assert binned.merge(palette).counts.tolist() == [2 * count + 2]


@given(seeds, st.sampled_from(["uint16", "float32"]))
def test_merging_binned_palettes_does_not_depend_on_the_order(seed, dtype):
    rng = np.random.default_rng(seed)
    image = (rng.normal(size=(90, 60, 3)) * 500 + 4000).astype(dtype)
    parts = [Palette.from_image(tile, max_colors=300) for tile in np.split(image, 3)]
    parts.append(Palette.from_image(image[:2]))
    merged = [reduce(Palette.merge, order) for order in (parts, parts[::-1], parts[2:] + parts[:2])]
    merged.append(parts[0].merge(parts[1]).merge(parts[2].merge(parts[3])))
    for other in merged[1:]:
        assert_equal_palettes(merged[0], other)
        np.testing.assert_array_equal(merged[0].moments.first, other.moments.first)
        np.testing.assert_allclose(merged[0].within_bin, other.within_bin, rtol=1e-9, atol=1e-9)


@given(images(), st.data())
def test_bins_of_a_palette_keep_its_moments(image, data):
    palette = Palette.from_image(image)
    _, high = palette.extremes
    width = data.draw(st.sampled_from([0.3, 1.0, 5.0])) * max(float(np.abs(high).max()), 1e-3)
    binned = palette.binned(width)
    step = 0 if palette.dtype.kind == "f" else 1
    assert (binned.bin_width <= max(width, step)).all()
    assert (np.log2(binned.bin_width) % 1 == 0).all()
    assert binned.n_pixels == palette.n_pixels
    rows = image.reshape(-1, image.shape[-1]).astype(np.float64)
    np.testing.assert_allclose(binned.counts @ binned.colors, rows.sum(axis=0), rtol=1e-8)
    pairs = np.triu_indices(rows.shape[1])
    between = binned.colors - rows.mean(axis=0)
    total = np.einsum("u,ui,uj->ij", binned.counts / len(rows), between, between)[pairs]
    total += binned.counts / len(rows) @ binned.within_bin
    expected = np.cov(rows.T, bias=True).reshape(rows.shape[1], -1)[pairs]
    np.testing.assert_allclose(total, expected, rtol=1e-6, atol=1e-8 * np.square(rows).max())
    np.testing.assert_array_equal(binned.index(image).ravel() >= 0, True)
    assert binned.binned(width).moments is not None


def test_bins_of_bins_are_those_of_the_colors():
    image = np.random.default_rng(0).integers(0, 4096, (60, 60, 3)).astype(np.uint16)
    palette = Palette.from_image(image)
    stepwise, at_once = palette.binned(16).binned(300), palette.binned(300)
    assert_equal_palettes(stepwise, at_once)
    np.testing.assert_array_equal(stepwise.within_bin, at_once.within_bin)
    assert_equal_palettes(at_once.binned(2), at_once)
    assert at_once.image_dtype == np.uint16
    assert at_once.step.tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match=r"width=0.*positive, finite"):
        palette.binned(0)


def test_a_weighted_palette_merges_and_normalizes_by_its_weights():
    palette = Palette.from_image(RGB)
    weights = np.linspace(0.25, 3, len(palette))
    weighted = palette.with_weights(weights)
    assert (weighted.is_weighted, palette.is_weighted) == (True, False)
    assert weighted.total_weight == pytest.approx(weights.sum(), rel=1e-15)
    assert weighted.n_pixels == round(weights.sum())
    twice = weighted.merge(weighted)
    np.testing.assert_allclose(twice.counts, 2 * weights, rtol=1e-12)
    mixed = weighted.merge(palette)
    np.testing.assert_allclose(mixed.counts, weights + palette.counts, rtol=1e-12)
    binned = weighted.binned(2)
    np.testing.assert_allclose(binned.counts.sum(), weights.sum(), rtol=1e-12)
    again = palette.binned(2).with_weights(binned.counts)
    np.testing.assert_allclose(again.counts, binned.counts)
    for wrong in (weights[1:], 0 * weights, -weights, np.nan * weights):
        with pytest.raises(
            ValueError, match=rf"positive, finite one for each of the {len(weights)}"
        ):
            palette.with_weights(wrong)


@pytest.mark.parametrize("max_colors", [1 << 24, 200])
def test_rare_colors_are_left_out_and_their_pixels_counted(max_colors):
    image = np.random.default_rng(0).normal(2000, 5, (40, 50, 2)).round().astype(np.uint16)
    palette = Palette.from_image(image, image[..., 0] > 1990, max_colors=max_colors)
    fewest = int(np.median(palette.counts)) + 1
    kept = palette.without_rare(fewest)
    stays = palette.counts >= fewest
    np.testing.assert_array_equal(kept.colors, palette.colors[stays])
    np.testing.assert_array_equal(kept.counts, palette.counts[stays])
    assert kept.n_rare == palette.counts[~stays].sum() > 0
    assert kept.n_excluded == kept.n_rare + kept.n_masked == image[..., 0].size - kept.n_pixels
    assert list(kept.left_out) == ["masked", "of rare colors"]
    index = kept.index(image)
    assert (np.bincount(index[index >= 0], minlength=len(kept)) >= kept.counts).all()
    twice = kept.merge(kept)
    assert (twice.n_rare, twice.n_pixels) == (2 * kept.n_rare, 2 * kept.n_pixels)
    assert palette.without_rare(1) == palette
    with pytest.raises(ValueError, match=r"min_count=2001 leaves no color: the most common has"):
        palette.without_rare(2001)
    with pytest.raises(ValueError, match="this palette has weights; leave out rare colors"):
        palette.with_weights(palette.counts).without_rare(2)


@pytest.mark.parametrize("counts", [[1, -1], [1, 0], [1.5, np.nan], [1], [[1, 2]]])
def test_counts_that_are_none_are_refused(counts):
    with pytest.raises(ValueError, match="number above 0 for each color"):
        Palette(np.zeros((2, 3)), np.array(counts), np.zeros(3))


def test_many_distinct_colors_are_kept_exactly():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 65536, (2100, 2100, 3), dtype=np.uint16)
    palette = Palette.from_image(image)
    assert not palette.bin_width.any()
    assert len(palette) > 1 << 22
    packed = image.reshape(-1, 3).astype(np.int64) @ (1 << 32, 1 << 16, 1)
    assert len(palette) == len(np.unique(packed))
    part = image[::700]
    np.testing.assert_array_equal(palette.colors[palette.index(part)], part)


def test_tiles_without_a_counting_pixel_are_counted_as_left_out():
    builder = PaletteBuilder()
    builder.add(np.full((2, 2), np.nan))
    builder.add(np.ones((2, 2)))
    palette = builder.palette()
    assert (palette.n_pixels, palette.n_not_finite) == (4, 4)


@pytest.mark.parametrize("fill", [np.nan, 1.0])
def test_an_image_without_a_counting_pixel_is_refused(fill):
    image = np.full((2, 3, 4), fill)
    image[0, :, 3] = 0
    mask = np.array([[1, 1, 0], [1, 0, 0]])
    words = r"no pixel counts \(3 masked, 2 transparent, 1 not finite\); give at least one"
    image[1, 0, 0] = np.nan
    with pytest.raises(ValueError, match=words):
        Palette.from_image(image, mask)


def test_palettes_of_other_kinds_do_not_merge():
    palette = Palette.from_image(RGB)
    with pytest.raises(ValueError, match=r"1 channel of uint8.*3 of uint8.*of the same kind"):
        palette.merge(Palette.from_image(RGB[..., 0]))
    with pytest.raises(ValueError, match="3 channels of float32, this palette has 3 of uint8"):
        palette.merge(Palette.from_image(RGB.astype(np.float32)))


def test_tiles_of_other_kinds_are_refused():
    builder = PaletteBuilder()
    builder.add(RGB)
    with pytest.raises(ValueError, match=r"this tile has 3 channels of float64.*3 of uint8"):
        builder.add(RGB.astype(np.float64))
    with pytest.raises(ValueError, match="this tile has 1 channel of"):
        builder.add(RGB[..., 0])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: Palette.from_image(RGB, RGB), ValueError, r"mask has shape \(20, 30, 3\)"),
        (lambda: Palette.from_image(RGB, [1, 2]), ValueError, r"mask has shape \(2,\)"),
        (
            lambda: Palette.from_image(RGB[0], channel_axis=0, n_channels=7),
            ValueError,
            "30 channels",
        ),
        (
            lambda: Palette.from_image(RGB, max_colors=7),
            ValueError,
            "max_colors=7; give",
        ),
        (
            lambda: Palette.from_image("image.png"),
            TypeError,
            r"path 'image.png'; .*read_image",
        ),
        (lambda: Palette.from_image(["a", "b"]), TypeError, "image holds .*real numbers"),
        (lambda: Palette.from_image(RGB[:0]), ValueError, "is empty"),
        (lambda: Palette.from_image(RGB).index(RGB[..., 0]), ValueError, "1 channel, but 3"),
        (lambda: Palette.from_image(RGB).index(RGB, RGB), ValueError, "mask has shape"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_several_images_are_counted_together():
    rng = np.random.default_rng(1)
    images = [rng.integers(0, 9, (20, n, 3), dtype=np.uint8) for n in (10, 30)]
    masks = [None, rng.random((20, 30)) > 0.5]
    together = Palette.from_images(iter(images), masks)
    apart = [Palette.from_image(image, mask) for image, mask in zip(images, masks, strict=True)]
    assert together == apart[0].merge(apart[1])
    assert Palette.from_images([apart[0], images[0]]) == apart[0].merge(apart[0])
    assert Palette.from_images(images, masks, max_colors=100) == together
    words = [image.astype(np.uint16) * 99 for image in images]
    assert len(Palette.from_images(words, max_colors=100)) <= 100


@pytest.mark.parametrize(
    ("images", "masks", "error", "message"),
    [
        ([], None, ValueError, "images is empty"),
        (np.zeros((4, 4, 3)), None, TypeError, "images is an ndarray; give a list"),
        (7, None, TypeError, "images is an int; give a list"),
        ([np.zeros((4, 4, 3)), "x.png"], None, (TypeError, ValueError), r"images\[1\]: image"),
        (
            [np.zeros((4, 4, 3))] * 2,
            [None],
            ValueError,
            "masks and images differ in number",
        ),
        ([np.zeros((4, 4, 3)), np.zeros((4, 4, 2))], None, ValueError, r"images\[1\]: image: this"),
    ],
)
def test_what_are_no_images_is_refused(images, masks, error, message):
    with pytest.raises(error, match=message):
        Palette.from_images(images, masks)


def test_most_common_colors_come_first():
    image = np.array([[9, 1, 1, 5, 5, 1, 7]], np.uint8)
    colors, counts = Palette.from_image(image).most_common(3)
    assert (colors.ravel().tolist(), counts.tolist()) == ([1, 5, 7], [3, 2, 1])
    assert len(Palette.from_image(image).most_common(99)[1]) == 4
    with pytest.raises(ValueError, match="n=0; give a whole number"):
        Palette.from_image(image).most_common(0)


def test_rows_of_values_are_painted():
    image = np.array([[1, 2], [2, 9]], np.uint8)
    palette = Palette.from_image(image)
    painted = palette.paint(np.array([[0.5, 1], [2, 3], [4, 5]]), image, mask=image < 9)
    np.testing.assert_array_equal(painted[0, 1], [2, 3])
    assert painted.shape == (2, 2, 2)
    assert np.isnan(painted[1, 1]).all()


def test_rows_of_colors_are_not_taken_for_a_gray_picture_in_silence() -> None:
    rows = np.arange(30, dtype=np.uint8).reshape(10, 3)
    with pytest.warns(UserWarning, match=r"image has shape \(10, 3\).*colors\[np.newaxis\]"):
        palette = palette_of(rows)
    assert palette.n_channels == 1
    assert palette_of(rows, channel_axis=None) == palette
    assert palette_of(rows[np.newaxis]).n_channels == 3


def test_fractions_are_warned_of_where_the_palette_has_levels() -> None:
    palette = Palette.from_image(RGB)
    fractions = RGB / 255
    message = "image has floats from 0 to 1, the palette has levels up to 3; multiply the floats"
    for ask in (palette.index, lambda image: palette.paint(np.zeros(len(palette)), image)):
        with pytest.warns(ColorUnitsWarning, match=message) as seen:
            ask(fractions)
        assert len(seen) == 1
    assert seen[0].filename == __file__
    # Whole numbers as floats are levels.
    np.testing.assert_array_equal(palette.index(RGB.astype(float)), palette.index(RGB))


def test_a_palette_by_hand_has_no_bins_unless_they_are_given() -> None:
    palette = Palette(np.array([[1, 2, 3], [3, 2, 1]], np.uint8), np.array([2, 5]))
    image = np.repeat(palette.colors, palette.counts, axis=0)[np.newaxis]
    assert palette == Palette.from_image(image)
    with pytest.raises(ValueError, match="not sorted"):
        Palette(palette.colors[::-1], palette.counts)
    with pytest.raises(TypeError, match="bin_width is None"):
        Palette(palette.colors, palette.counts, None)  # type: ignore[arg-type]
