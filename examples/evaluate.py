"""Evaluate the density of a photograph's colors at any colors, not only at its pixels."""

import imageio.v3 as iio
import matplotlib.pyplot as plt
import numpy as np

from napari_colorkde import ColorKDE

image = iio.imread("sample_data/astronaut.png")
kde = ColorKDE(image, bandwidth=6)
uniform = 256.0**-3  # what it would be if pixels had all colors alike

colors = {"suit": (210, 83, 49), "backdrop": (205, 195, 192), "lime": (0, 255, 0)}
for name, density in zip(colors, kde.evaluate(list(colors.values())), strict=True):
    print(f"{name:9} {density / uniform:10.3g} times as dense as evenly spread colors")

# From the backdrop over the suit to lime. Logarithms say how far away a color is.
stops = np.array([colors["backdrop"], colors["suit"], colors["lime"]])
at = np.linspace(0, 2, 401)
path = np.stack([np.interp(at, [0, 1, 2], channel) for channel in stops.T], axis=1)
logs = kde.evaluate(path, log=True) - np.log(uniform)

figure, (curve, strip) = plt.subplots(
    2, height_ratios=[9, 1], sharex=True, figsize=(6, 3.5), layout="constrained"
)
curve.plot(at, logs / np.log(10), "k")
curve.set(ylabel="log₁₀ of the density,\ntimes evenly spread", title="Along a path of colors")
strip.imshow(path[np.newaxis].round().astype(np.uint8), extent=(0, 2, 0, 1), aspect="auto")
strip.set(xticks=[0, 1, 2], xticklabels=["backdrop", "suit", "lime"], yticks=[])
figure.savefig("evaluate.png", dpi=80)
