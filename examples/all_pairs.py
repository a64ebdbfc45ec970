"""Compare the colors of five photographs, all pairs at once."""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

from napari_colorkde import compare_all

names = ["astronaut", "coffee", "chelsea", "rocket", "immunohistochemistry"]
photographs = {name: getattr(data, name)()[::2, ::2] for name in names}
found = compare_all(photographs, bandwidth=12)
print(found.to_csv())

figure, (left, right) = plt.subplots(
    1, 2, width_ratios=[1, 2.2], figsize=(8, 4), layout="constrained"
)
tiles = [np.resize(image[:150, :200], (150, 200, 3)) for image in photographs.values()]
left.imshow(np.concatenate([tile[::2, ::2] for tile in tiles]))
left.set(xticks=[], yticks=np.arange(37, 375, 75), yticklabels=names)
shown = right.imshow(found.js, vmin=0, vmax=np.log(2), cmap="viridis")
for (row, column), value in np.ndenumerate(found.js):
    right.text(column, row, f"{value:.2f}", ha="center", va="center", color="white", fontsize=8)
right.set(xticks=[], yticks=[], title="Jensen–Shannon divergence, nats")
figure.colorbar(shown, ax=right)
figure.savefig("all_pairs.png", dpi=80)
