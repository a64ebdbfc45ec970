"""Queries about colors by the classes of kernels: the question and its answer.

A `ClassQuery` is a `ClassificationSettings` beside the kernels at hand: which class is meant, which
priors hold, what the threshold is. The answer is computed from the log-density of each class at the
palette's colors; the same as `napari_colorkde.classify_image` gives, in float32, as an edit must be
seen at once.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.settings.class_settings import ClassificationSettings, OverlayValues
from napari_colorkde.app.state import State
from napari_colorkde.core.checks.arguments import Keywords
from napari_colorkde.core.classification.bayes import (
    NONE_OF_THESE,
    log_likelihood_ratio,
    log_mixture_of_classes,
    most_likely_class,
    posterior,
    reject_outliers,
)
from napari_colorkde.core.classification.classes import (
    kernels_and_classes,
    log_class_weights,
    prior_of_classes,
    ratio_classes,
)
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.palette.image_tiles import is_dask
from napari_colorkde.io.formats.blocks import in_blocks

LOG_RATIO_RANGE = math.log(1000.0)
"""Nats of a ratio that are told apart on either side of the threshold: odds of 1000 to 1."""

MIN_PRIOR = 1e-6
"""Keeps thresholds finite."""


@dataclass(frozen=True)
class ClassQuery:
    """Classification settings beside the kernels that decide it.

    Attributes
    ----------
    classification
        What is asked.
    sets
        The kernel sets that take part, by name.
    kernels
        All their kernels.
    names
        Their classes, in order of first appearance.
    members
        ``(K,)`` position of each kernel's class.
    """

    classification: ClassificationSettings
    sets: Mapping[str, KernelSet] = field(repr=False)
    kernels: KernelSet = field(repr=False)
    names: tuple[str, ...]
    members: tuple[int, ...] = field(repr=False)

    @property
    def show(self) -> OverlayValues:
        """What is asked for."""
        return self.classification.show

    @property
    def cls(self) -> str:
        """The class that is meant."""
        given = self.classification.cls
        return given if given is not None and given in self.names else self.names[0]

    @property
    def against(self) -> str | None:
        """The class it is compared with; None where there is no other."""
        others = [name for name in self.names if name != self.cls]
        if self.classification.against in others:
            return self.classification.against
        return others[0] if others else None

    @property
    def priors(self) -> dict[str, float]:
        """P(class) of every class, summing to 1."""
        known = {name: p for name, p in self.classification.priors if name in self.names}
        if len(known) < len(self.names) and sum(known.values()) >= 1:
            # A class that came later starts from an equal share.
            known = {name: known.get(name, 1 / len(self.names)) for name in self.names}
        if len(known) == len(self.names) and not any(known.values()):
            known = {}
        return dict(zip(self.names, prior_of_classes(self.names, known).tolist(), strict=True))

    @property
    def best_threshold(self) -> float:
        """Deciding for the class at and above this value makes the fewest errors.

        Duda, Hart and Stork, Pattern Classification (2001), section 2.3. NaN for a map of classes,
        which has none.
        """
        if self.show == "posterior":
            return 0.5
        if self.show == "ratio" and self.against is not None:
            priors = self.priors
            least = max(priors[self.against], MIN_PRIOR), max(priors[self.cls], MIN_PRIOR)
            return math.log(least[0] / least[1])
        return math.nan

    @property
    def threshold(self) -> float:
        """The one that was chosen, or the best."""
        chosen = self.classification.threshold
        return self.best_threshold if chosen is None else chosen

    @property
    def limits(self) -> tuple[float, float]:
        """Contrast limits that mean the same on every image."""
        if self.show == "ratio":
            return self.threshold - LOG_RATIO_RANGE, self.threshold + LOG_RATIO_RANGE
        if self.show == "class":
            return -0.5, len(self.names) + 0.5
        return 0.0, 1.0

    @property
    def label(self) -> str:
        """What the values are, in words."""
        if self.show == "posterior":
            return f"posterior probability of {self.cls!r}"
        if self.show == "ratio":
            return f"log-likelihood ratio of {self.cls!r} to {self.against!r}, nats"
        return "most likely class, counted from 1; 0 for none"

    @property
    def metadata(self) -> Keywords:
        """How to ask it again: for files that are written."""
        classes = (self.names[m] for m in self.members)
        metadata: Keywords = {
            "values": self.label,
            "kernel set": ", ".join(self.sets),
            "kernels": [
                {"mean": k.mean, "covariance": k.covariance, "weight": k.weight, "class": cls}
                for k, cls in zip(self.kernels, classes, strict=True)
            ],
        }
        if self.show != "ratio":
            metadata["priors"] = self.priors
        if self.show == "class" and self.classification.keep_mass is not None:
            metadata["none below the density that holds"] = self.classification.keep_mass
        return metadata

    def evaluate(
        self, log_densities: NDArray[np.float32], counts: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Answer it for each color of a palette.

        Parameters
        ----------
        log_densities
            ``(M, U)`` of each class, with the weights that its kernels have.
        counts
            ``(U,)`` pixels of each color.

        Returns
        -------
        ndarray
            ``(U,)`` probabilities, nats, or numbers of classes: 0 for none, 1 for the first.
        """
        # What a density of colors is divided by, to integrate to 1.
        scales = log_class_weights(self.kernels, self.members)
        if self.show == "ratio":
            first, second = ratio_classes(self.names, self.cls, self.against)
            ratio = log_likelihood_ratio(log_densities[first], log_densities[second])
            ratio -= np.float32(scales[first] - scales[second])
            return ratio
        # Only the ratios of priors matter, so that they can carry the scales.
        priors = np.array(list(self.priors.values())) * np.exp(scales.min() - scales)
        if self.show == "posterior":
            return posterior(log_densities, self.names.index(self.cls), priors)
        classes = most_likely_class(log_densities, priors)
        if (keep_mass := self.classification.keep_mass) is not None:
            mixture = log_mixture_of_classes(log_densities, priors)
            classes = reject_outliers(classes, mixture, counts, keep_mass)
        return (classes - NONE_OF_THESE).astype(np.float32)

    def check(self) -> None:
        """Refuse what cannot be answered.

        Raises
        ------
        ValueError
            If there are too few classes.
        """
        if len(self.names) < 2 and self.show in ("posterior", "ratio"):
            raise ValueError(
                f"a {self.show} compares two classes, but all kernels belong to {self.names[0]!r}; "
                "give some of them another class in the table, or open a second kernel set."
            )


def resolve_classes(state: State) -> ClassQuery | None:
    """What a state asks, beside its kernels; None without kernels.

    The classes are those of the chosen set. If it has only one, the other sets that are open and
    have the same channels are the other classes: a kernel without a class has its set's name. Of
    them, those that the settings name go before all.
    """
    chosen = state.kernels
    if not chosen or state.kernel_set is None:
        return None
    alike = {
        name: kernels
        for name, kernels in state.kernel_sets
        if (kernels.n_channels, kernels.space) == (chosen.n_channels, chosen.space)
    }
    compared = (
        state.classification.compared_sets
        if state.kernel_set in state.classification.compared_sets
        else ()
    )
    named = {name: kernels for name, kernels in alike.items() if name in compared}
    for sets in ({state.kernel_set: chosen}, named or alike, alike):
        kernels, classes = kernels_and_classes(sets)
        names = tuple(dict.fromkeys(classes))
        if len(names) > 1:
            break
    positions = {name: position for position, name in enumerate(names)}
    return ClassQuery(
        state.classification, sets, kernels, names, tuple(positions[name] for name in classes)
    )


def shown_query(state: State) -> ClassQuery | None:
    """What a state asks of the classes where their answer is shown; None where a density is."""
    return None if state.shown_classification is None else resolve_classes(state)


def shown_kernels(state: State) -> dict[str, KernelSet]:
    """The kernel sets that decide what is shown, by name; none for the image's own density."""
    if state.show != "kernels":
        return {}
    query = shown_query(state)
    if query is not None:
        return dict(query.sets)
    if state.kernels is None or state.kernel_set is None:
        return {}
    return {state.kernel_set: state.kernels}


def what_is_shown(state: State) -> OverlayValues:
    """What a state shows, in one word: a density, or an answer of the classes."""
    query = shown_query(state)
    return "density" if query is None else query.show


def class_map(answers: NDArray[np.floating], n_classes: int = 0) -> NDArray[Any]:
    """Numbers of classes as whole numbers; where there is no answer, 0.

    Of a dask array block by block: `n_classes` then says how many there may be.
    """
    if is_dask(answers):
        kind = np.min_scalar_type(n_classes)
        return in_blocks(lambda part: np.nan_to_num(part, nan=0.0).astype(kind), answers, kind)
    numbers = np.nan_to_num(answers, nan=0.0)
    return np.asarray(numbers.astype(np.min_scalar_type(int(numbers.max(initial=0)))))
