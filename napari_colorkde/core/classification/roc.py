"""How well scores tell positives from negatives: ROC curve, area, precision and recall.

Scores belong to colors and count as often as pixels have them: a curve costs one sort of the
palette, however large the image is. Formulas: Fawcett, An introduction to ROC analysis (2006).
"""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import (
    MASK,
    as_array,
    choice,
    real_numbers,
    whole_number,
)
from napari_colorkde.core.csv_and_frames import Columns, Table
from napari_colorkde.core.image import checked_mask, left_in
from napari_colorkde.core.number_text import counted

BestBy = Literal["f1", "youden"]
BEST_BY: tuple[BestBy, ...] = ("f1", "youden")

Unlabeled = Literal["automatic", "negative", "ignore"]
UNLABELED: tuple[Unlabeled, ...] = ("automatic", "negative", "ignore")
"""What pixels without a label are."""


@dataclass(frozen=True)
class ConfusionMatrix:
    """Pixels by truth and decision.

    Attributes
    ----------
    true_positives, false_positives, false_negatives, true_negatives
        Numbers of pixels.
    """

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def precision(self) -> float:
        """Part of the chosen pixels that are positive; NaN if none is chosen."""
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float:
        """Part of the positive pixels that are chosen: the true-positive rate."""
        return _ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def false_positive_rate(self) -> float:
        """Part of the negative pixels that are chosen: the false-positive rate."""
        return _ratio(self.false_positives, self.false_positives + self.true_negatives)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall: ``2 TP / (2 TP + FP + FN)``."""
        errors = self.false_positives + self.false_negatives
        return _ratio(2 * self.true_positives, 2 * self.true_positives + errors)


@dataclass(frozen=True, eq=False)
class RocCurve(Table):
    """What each threshold would choose.

    Attributes
    ----------
    thresholds
        ``(T,)`` distinct scores, from high to low: at and above one of them pixels are chosen.
    true_positives, false_positives
        ``(T,)`` pixels that are chosen then.
    n_positives, n_negatives
        All of them, those without a score too.
    """

    thresholds: NDArray[np.float64] = field(repr=False)
    true_positives: NDArray[np.int64] = field(repr=False)
    false_positives: NDArray[np.int64] = field(repr=False)
    n_positives: int
    n_negatives: int

    def _columns(self) -> Columns:
        return {
            "threshold": self.thresholds,
            "true_positives": self.true_positives,
            "false_positives": self.false_positives,
            "recall": self.true_positives / self.n_positives,
            "false_positive_rate": self.false_positives / self.n_negatives,
            "precision": self.true_positives / (self.true_positives + self.false_positives),
        }

    def __repr__(self) -> str:
        sizes = f"{self.n_positives} positives, {self.n_negatives} negatives"
        return (
            f"RocCurve(area {self.auc:.4g}, {counted(len(self.thresholds), 'threshold')}, {sizes})"
        )

    @property
    def fpr_tpr(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``(T + 2,)`` false- and true-positive rates, from (0, 0) to (1, 1)."""
        ends = (
            (self.false_positives, self.n_negatives),
            (self.true_positives, self.n_positives),
        )
        fpr, tpr = (np.concatenate([[0], c, [n]]) / n for c, n in ends)
        return fpr, tpr

    @property
    def auc(self) -> float:
        """Area under the curve: how often a positive pixel scores above a negative one.

        Ties count half; pixels without a score tie with each other, below all others.
        """
        fpr, tpr = self.fpr_tpr
        return float(np.trapezoid(tpr, fpr))

    def best_threshold(self, criterion: BestBy = "f1") -> float:
        """Return the threshold that is best by a criterion; the highest of several.

        Parameters
        ----------
        criterion
            "f1": the harmonic mean of precision and recall. "youden": Youden's J, the true- less
            the false-positive rate (Youden 1950).

        Raises
        ------
        ValueError
            If the criterion is not known, or no labeled pixel has a score.
        """
        criterion = choice(criterion, "criterion", BEST_BY)
        if not len(self.thresholds):
            raise ValueError(
                "no pixel that the ground truth covers has a value; choose another ground truth."
            )
        true, false = self.true_positives, self.false_positives
        if criterion == "f1":
            quality = 2 * true / (true + false + self.n_positives)
        else:
            quality = true / self.n_positives - false / self.n_negatives
        return float(self.thresholds[int(np.argmax(quality))])

    def threshold_near(
        self, false_positive_rate: float, recall: float, steps: int = 0
    ) -> float | None:
        """Return the threshold whose point of the curve is nearest; None without one.

        Parameters
        ----------
        steps
            How many points further along the curve, to lower thresholds; at most to its end.
        """
        if not len(self.thresholds):
            return None
        away = np.square(self.false_positives / self.n_negatives - false_positive_rate)
        away += np.square(self.true_positives / self.n_positives - recall)
        at = int(np.argmin(away)) + steps
        return float(self.thresholds[min(max(at, 0), len(self.thresholds) - 1)])

    def confusion_at(self, threshold: float) -> ConfusionMatrix:
        """Count the decisions of one threshold."""
        # Thresholds descend: the last one that is not below this one.
        chosen = int(np.searchsorted(-self.thresholds, -threshold, side="right")) - 1
        true = int(self.true_positives[chosen]) if chosen >= 0 else 0
        false = int(self.false_positives[chosen]) if chosen >= 0 else 0
        return ConfusionMatrix(true, false, self.n_positives - true, self.n_negatives - false)


def roc_curve(scores: ArrayLike, positives: ArrayLike, negatives: ArrayLike) -> RocCurve:
    """Compare scores with the truth.

    Parameters
    ----------
    scores
        ``(U,)`` one for each color; NaN is never chosen.
    positives, negatives
        ``(U,)`` numbers of positive and of negative pixels of each color.

    Raises
    ------
    ValueError
        If the shapes differ, or there is no positive or no negative pixel.

    Notes
    -----
    O(U log U); colors without a labeled pixel cost nothing.
    """
    score = np.asarray(scores, np.float64)
    counts = [np.asarray(c, np.int64) for c in (positives, negatives)]
    if score.ndim != 1 or any(c.shape != score.shape for c in counts):
        raise ValueError(
            f"scores has shape {score.shape}, positives {counts[0].shape}, negatives "
            f"{counts[1].shape}; give one number of each per color, (U,)."
        )
    totals = [int(c.sum()) for c in counts]
    for what, total in zip(("positive", "negative"), totals, strict=True):
        if total == 0:
            raise ValueError(f"no pixel is {what}; a comparison needs positives and negatives.")
    labeled = np.flatnonzero((counts[0] + counts[1] > 0) & ~np.isnan(score))
    order = labeled[np.argsort(-score[labeled])]
    ordered = score[order]
    # Equal scores are chosen together: only the last of each counts.
    last = np.append(ordered[1:] != ordered[:-1], True) if len(ordered) else np.zeros(0, bool)
    true, false = (np.cumsum(c[order])[last] for c in counts)
    return RocCurve(ordered[last], true, false, *totals)


def roc(
    scores: ArrayLike,
    labels: ArrayLike,
    positive: int | None = None,
    *,
    unlabeled: Unlabeled = "automatic",
    mask: ArrayLike | None = None,
) -> RocCurve:
    """Compare scores of pixels with their true labels.

    Parameters
    ----------
    scores
        Scores of any shape, one per pixel, such as a class's `posteriors` or a ratio from
        `classify_image`; NaN is never selected.
    labels
        Whole numbers or bools of that shape; 0 means no label.
    positive
        The label of positives; None: the lowest, or True for bools.
    unlabeled
        "negative": pixels without a label are negative. "ignore": they do not count. "automatic":
        negative if there is no other label, ignored otherwise; negative for bools.
    mask
        Mask of that shape; a pixel counts where it is nonzero.

    Returns
    -------
    RocCurve
        `auc`, `best_threshold()`, `confusion_at(threshold)`.

    Raises
    ------
    ValueError, TypeError
        If shapes differ, no pixel is positive, none is negative, or an argument is not of the form
        above.

    Notes
    -----
    Fawcett, An introduction to ROC analysis (2006). O(n log n).
    """
    unlabeled = choice(unlabeled, "unlabeled", UNLABELED)
    values = real_numbers(scores, "scores")
    marks = as_array(labels, "labels", MASK)
    if marks.dtype.kind not in "biu":
        raise TypeError(f"labels is an array of {marks.dtype}; give whole numbers, 0 for no label.")
    if marks.shape != values.shape:
        raise ValueError(
            f"labels has shape {marks.shape}, scores {values.shape}; give one label for each score."
        )
    if mask is not None:
        counts = left_in(checked_mask(mask, values.shape))
        values, marks = values[counts], marks[counts]
    if not marks.any():
        within = "" if mask is None else " within the mask"
        raise ValueError(f"labels are all 0{within}; give pixels a label.")
    chosen = (
        int(marks[marks != 0].min()) if positive is None else whole_number(positive, "positive")
    )
    is_positive = marks == chosen
    others = (marks != 0) & ~is_positive
    negatives = negatives_of(others, marks == 0, unlabeled)
    return roc_curve(values.ravel(), is_positive.ravel(), negatives.ravel())


def negatives_of(
    others: NDArray[Any], without_label: NDArray[Any], unlabeled: Unlabeled
) -> NDArray[Any]:
    """Return how many pixels are negative: those of other labels, and maybe those of none.

    Automatically, pixels without a label are negative where there is no other label that could be;
    beside other labels they are ignored.
    """
    if unlabeled == "automatic":
        unlabeled = "ignore" if others.any() else "negative"
    return others + without_label if unlabeled == "negative" else others


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
