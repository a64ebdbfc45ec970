"""Images, masks and bandwidths that Hypothesis draws for the tests of the engine.

What is drawn is the structure (dtype, channels, shape, number of colors, scale) and a seed; the
numbers come from NumPy, because thousands of drawn numbers are slow and shrink to nothing readable.
"""

import numpy as np
from hypothesis import strategies as st
from scipy.special import logsumexp

from napari_colorkde.core.reference import gaussian_log_density

DTYPES = ("uint8", "uint16", "float32", "float64", "bool")

# From 1/20 of an 8-bit level to ten times the range.
fractions = st.floats(np.log(0.05 / 256), np.log(10)).map(np.exp)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def images(draw, dtypes=DTYPES, channels=(1, 2, 3), max_side=6):
    """An image ``(H, W, C)`` of one, few or many colors; 1 × 1 among them."""
    dtype = draw(st.sampled_from(dtypes))
    n_channels = draw(st.sampled_from(channels))
    shape = draw(st.tuples(st.integers(1, max_side), st.integers(1, max_side)))
    n_colors = draw(st.sampled_from([1, 2, 5, shape[0] * shape[1]]))
    rng = np.random.default_rng(draw(seeds))
    if dtype == "bool":
        pool = rng.random((n_colors, n_channels)) < 0.5
    elif dtype == "uint8":
        pool = rng.integers(0, 256, (n_colors, n_channels))
    elif dtype == "uint16":
        pool = rng.integers(0, draw(st.sampled_from([16, 4096, 65536])), (n_colors, n_channels))
    else:
        scale = draw(st.sampled_from([1e-3, 1.0, 255.0, 1e5]))
        offset = draw(st.sampled_from([0.0, -0.5, 100.0]))
        pool = scale * (rng.random((n_colors, n_channels)) + offset)
    pool = pool.astype(dtype)
    return pool[rng.integers(0, n_colors, shape)]


@st.composite
def masks(draw, shape):
    """A mask of this shape with at least one pixel inside."""
    rng = np.random.default_rng(draw(seeds))
    mask = rng.random(shape) < draw(st.sampled_from([0.1, 0.5, 0.9, 1.0]))
    mask.flat[rng.integers(mask.size)] = True
    return mask


def span_of(image):
    """The range of values that bandwidths for this image are measured by, ``(C,)``."""
    if image.dtype == np.uint8:
        return np.full(image.shape[-1], 256.0)
    values = image.reshape(-1, image.shape[-1]).astype(np.float64)
    span = values.max(axis=0) - values.min(axis=0)
    return np.where(span > 0, span, max(span.max(), 1.0))


@st.composite
def diagonal_covariances(draw, image, lowest=0.05 / 256):
    """A diagonal covariance, isotropic or not; sigmas at least `lowest` of the image's range."""
    factors = st.floats(np.log(lowest), np.log(10)).map(np.exp)
    n = image.shape[-1]
    each = draw(st.booleans())
    drawn = [draw(factors) for _ in range(n)] if each else [draw(factors)] * n
    return np.diag((np.array(drawn) * span_of(image)) ** 2)


@st.composite
def full_covariances(draw, image, lowest=0.05 / 256, spread=1000.0):
    """A rotated covariance whose axes differ by up to `spread`."""
    n = image.shape[-1]
    rng = np.random.default_rng(draw(seeds))
    rotation = np.linalg.qr(rng.normal(size=(n, n)))[0]
    narrow = draw(st.floats(np.log(lowest), np.log(10 / spread)).map(np.exp))
    axes = narrow * np.exp(rng.random(n) * np.log(spread))
    axes[0] = narrow
    root = rotation * axes * span_of(image).max()
    covariance = root @ root.T
    return (covariance + covariance.T) / 2


def points_around(colors, covariance, seed, n=40):
    """Points at colors, within a few standard deviations of them, and far out in the tails."""
    rng = np.random.default_rng(seed)
    colors = np.asarray(colors, np.float64)
    chosen = colors[rng.integers(0, len(colors), n)]
    distance = rng.choice([0.0, 1.0, 4.0, 8.0, 40.0, 300.0], (n, 1))
    steps = rng.normal(size=chosen.shape) @ np.linalg.cholesky(covariance).T
    return chosen + distance * steps


def one_row_per_pixel(palette):
    """The colors of a palette ``(N, C)`` in float64, each as often as it counts."""
    return np.repeat(palette.colors.astype(np.float64), palette.counts, axis=0)


def log_sums_reference(points, palette, covariance, *, leave_out=None):
    """Log Σ counts · exp(−½ (x − c)ᵀ Σ⁻¹ (x − c)), term by term in float64.

    `leave_out`: for each point the palette entry that does not count.
    """
    origin, points = np.zeros((1, points.shape[1])), np.asarray(points, np.float64)
    log_peak = gaussian_log_density(origin, origin[0], covariance)
    colors = palette.colors.astype(np.float64)
    terms = np.stack([gaussian_log_density(points, c, covariance) for c in colors], axis=1)
    counts = np.repeat(palette.counts[np.newaxis].astype(np.float64), len(points), axis=0)
    if leave_out is not None:
        counts[np.arange(len(points)), leave_out] = 0
    return logsumexp(terms - log_peak, axis=1, b=counts)


def grid_points(axes):
    """The points of a grid, ``(B_0 · B_1 …, C)``."""
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


def assert_logs_as_promised(result, expected):
    """1e-4 nats + 1e-6 of the value; −inf where −inf is expected."""
    result, expected = np.asarray(result), np.asarray(expected)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(np.isneginf(result), np.isneginf(expected))
    finite = np.isfinite(expected)
    error = np.abs(result[finite] - expected[finite])
    np.testing.assert_array_less(error, 1e-4 + 1e-6 * np.abs(expected[finite]))


def assert_within_peak(result, expected, tolerance):
    """Within `tolerance` of the largest expected value, and nowhere negative."""
    assert result.dtype == np.float32
    assert (result >= 0).all()
    np.testing.assert_allclose(result, expected, rtol=0, atol=tolerance * np.max(expected))
