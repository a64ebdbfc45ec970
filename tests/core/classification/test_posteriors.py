"""The probabilities of all classes at once, and curves of images beside labels."""

import dask.array as da
import numpy as np
import pytest
from sklearn import metrics

from napari_colorkde import Palette, classify_image, fit_classes, posteriors, roc
from tests.core.classification.test_classify_image import PRIORS, THREE, TWO, logs_of, photograph

LABELS = np.arange(600).reshape(20, 30) // 7 % 4


def test_posteriors_are_bayes_rule_and_those_of_each_class():
    image = photograph()
    found = posteriors(image, THREE, priors=PRIORS)
    assert found.shape == (20, 30, 3)
    assert found.dtype == np.float32
    joint = np.exp(logs_of(image, THREE)) * np.array([0.2, 0.4, 0.4])[:, None, None]
    expected = np.moveaxis(joint / joint.sum(axis=0), 0, -1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-30)
    for number, cls in enumerate(("skin", "sky", "earth")):
        one = classify_image(image, THREE, show="posterior", cls=cls, priors=PRIORS)
        np.testing.assert_array_equal(found[..., number], one)


def test_posteriors_of_a_palette_and_of_pixels_that_do_not_count():
    image = photograph()
    palette = Palette.from_image(image)
    whole = posteriors(image, TWO)
    np.testing.assert_array_equal(posteriors(palette, TWO)[palette.index(image)], whole)
    mask = LABELS > 0
    masked = posteriors(image, TWO, mask=mask)
    np.testing.assert_array_equal(np.isnan(masked).all(axis=-1), ~mask)
    np.testing.assert_array_equal(masked[mask], whole[mask])


def test_posteriors_of_a_dask_image_are_computed_block_by_block():
    image = photograph()
    lazy = da.from_array(image, (7, 11, 3))
    found = posteriors(lazy, TWO)
    assert isinstance(found, da.Array)
    assert found.shape == (20, 30, 2)
    assert found.chunks[:2] == lazy.chunks[:2]
    np.testing.assert_array_equal(found.compute(), posteriors(image, TWO))
    np.testing.assert_array_equal(found[3:9, 4, 1].compute(), posteriors(image, TWO)[3:9, 4, 1])


def test_a_class_alone_has_no_posterior():
    with pytest.raises(ValueError, match="a posterior compares two classes, but all kernels"):
        posteriors(photograph(), TWO["skin"])


def test_class_maps_keep_the_numbers_of_labels_on_request():
    image = photograph()
    labels = np.where(image[..., 2] > 120, 40, 7)
    kernels = fit_classes(image, labels, 1, random_state=0)
    in_order = classify_image(image, kernels)
    expected = np.array([0, 7, 40])[in_order]
    mask = LABELS > 0
    found = classify_image(image, kernels, numbers="names")
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, expected)
    found = classify_image(image, kernels, numbers={"7": 3, "40": 1}, mask=mask)
    np.testing.assert_array_equal(found, np.where(mask, np.array([0, 3, 1])[in_order], 0))
    with pytest.raises(ValueError, match="numbers is for show='class', not 'posterior'"):
        classify_image(image, kernels, show="posterior", numbers="names")
    with pytest.raises(ValueError, match="numbers has no entry for the class 'skin'"):
        classify_image(image, TWO, numbers="names")


@pytest.mark.parametrize(
    ("labels", "positive", "unlabeled", "negative"),
    [
        (LABELS, None, "automatic", LABELS > 1),
        (LABELS, 2, "negative", LABELS != 2),
        (LABELS == 3, None, "automatic", LABELS != 3),
        (3 * (LABELS == 3), None, "automatic", LABELS != 3),
        (LABELS, 3, "ignore", (LABELS > 0) & (LABELS < 3)),
    ],
)
def test_curves_of_images_are_scikit_learns(labels, positive, unlabeled, negative):
    scores = posteriors(photograph(), TWO)[..., 0]
    mask = np.arange(600).reshape(20, 30) % 5 > 0
    truth = labels == (labels[labels != 0].min() if positive is None else positive)
    labeled = (truth | negative) & mask
    curve = roc(scores, labels, positive, unlabeled=unlabeled, mask=mask)
    assert curve.n_positives == (truth & mask).sum()
    assert curve.n_negatives == (negative & mask).sum()
    assert curve.auc == pytest.approx(metrics.roc_auc_score(truth[labeled], scores[labeled]))
