"""Choose the bandwidth of a density in a pipeline of scikit-learn by cross-validation."""

import imageio.v3 as iio
import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from napari_colorkde import GaussianKDE

# Patches of 4 × 4 gray pixels as vectors of 16 numbers, of which two components are kept.
gray = iio.imread("sample_data/coffee.png")[..., :3].mean(axis=-1) / 256
height, width = gray.shape[0] // 4, gray.shape[1] // 4
patches = gray[: 4 * height, : 4 * width].reshape(height, 4, width, 4).swapaxes(1, 2)
patches = patches.reshape(-1, 16)[::8]

pipeline = make_pipeline(PCA(2, random_state=0), GaussianKDE())
sigmas = np.geomspace(0.01, 0.5, 8)
search = GridSearchCV(pipeline, {"gaussiankde__bandwidth": [*sigmas, "scott", "loo"]}, cv=3)
search.fit(patches)
scores = search.cv_results_["mean_test_score"] * 3 / len(patches)
print(f"{len(patches)} patches, best bandwidth: {search.best_params_['gaussiankde__bandwidth']}")

best = search.best_estimator_
points = best[0].transform(patches)
grid = np.stack(np.meshgrid(np.linspace(-1.5, 2.5, 60), np.linspace(-0.8, 0.8, 60)), axis=-1)
logs = best[1].score_samples(grid.reshape(-1, 2)).reshape(60, 60)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
left.semilogx(sigmas, scores[:-2], "o-", label="sigma")
for name, score, style in zip(("scott", "loo"), scores[-2:], ("--", ":"), strict=True):
    left.axhline(score, linestyle=style, color="gray", label=name)
left.set(xlabel="bandwidth", ylabel="held-out log-density, nats", title="Cross-validation")
left.legend()
right.contourf(grid[..., 0], grid[..., 1], logs, levels=np.arange(-8, 4), extend="both")
right.plot(*points[::20].T, "k.", markersize=1)
right.set(xlabel="component 1", ylabel="component 2", title="log-density")
figure.savefig("pipeline.png", dpi=80)
