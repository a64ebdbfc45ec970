"""What a search of the bandwidth has found, in words and as a table."""

from typing import TYPE_CHECKING

from napari_colorkde.app.likelihood.searches import Curve

if TYPE_CHECKING:
    from napari_colorkde.app.likelihood.likelihood import Likelihood


def curve_table(curve: Curve) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a curve, as they are written to a file."""
    n = curve.sigmas.shape[1]
    sigma_names = ["sigma"] if n == 1 else [f"sigma_{i + 1}" for i in range(n)]
    header = [*sigma_names, "log_likelihood", "degenerate", "best"]
    rows = [
        [
            *(f"{sigma:.6g}" for sigma in sigmas),
            f"{score:.6f}",
            str(int(curve.degenerate[i])),
            str(int(i == curve.best)),
        ]
        for i, (sigmas, score) in enumerate(zip(curve.sigmas, curve.scores, strict=True))
    ]
    return header, rows


def summary(likelihood: "Likelihood") -> str:
    """Say what is searched and what was found: sentences for the panel."""
    texts = []
    if (dataset := likelihood.dataset) is not None:
        sizes = [
            f"{len(part)} {name}"
            for name, part in (
                ("training", dataset.train),
                ("validation", dataset.valid),
                ("test", dataset.test),
            )
            if part is not None
        ]
        texts.append(f"{', '.join(sizes)} vectors of {dataset.train.shape[1]} numbers.")
    if (curve := likelihood.curve) is not None:
        best = ", ".join(f"{s:.4g}" for s in dict.fromkeys(curve.sigmas[curve.best].tolist()))
        texts.append(f"Best σ {best}: {curve.scores[curve.best]:.4f} nats.")
        if dataset is not None and curve.share < 1:
            texts.append(f"Scored on {curve.share:.0%} of the validation vectors.")
        if curve.caveat:
            texts.append(curve.caveat[:1].upper() + curve.caveat[1:])
    if likelihood.test is not None:
        test = likelihood.test
        texts.append(f"Test vectors at σ {test.sigma:.4g}: {test.score:.4f} nats.")
    if dataset is not None and curve is not None:
        texts.append(
            "Such likelihoods are a poor yardstick for generative models (Theis, van den Oord "
            "and Bethge, arXiv 1511.01844)."
        )
    return " ".join(texts)
