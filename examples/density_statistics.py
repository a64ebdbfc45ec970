"""Ask the density of a photograph's colors: peaks, probabilities, regions, parts, samples."""

import imageio.v3 as iio
import matplotlib.pyplot as plt
import numpy as np

from napari_colorkde import ColorKDE

kde = ColorKDE(iio.imread("sample_data/coffee.png"), bandwidth=6)
peaks, densities = kde.modes(6)
for peak, density in zip(peaks, densities, strict=True):
    print(f"peak at {peak.round().astype(int)}: {density:.2e} per level³")
dark = kde.probability(low=-np.inf, high=85)
print(f"all three channels below 85: {dark:.1%}")
print(f"half of the density lies above {kde.level(0.5):.2e} per level³")

# The density of red and green alone, and that of all blue values where red and green are given.
plane = kde.marginal([0, 1])
volume = plane.volume(128)
levels = [plane.level(mass) for mass in (0.9, 0.5)]
blue = kde.conditional({0: 180, 1: 120}).volume(256)

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.5), layout="constrained")
left.contourf(*volume.axes, np.log(volume.values.T + 1e-12), levels=20, cmap="gray_r")
left.contour(*volume.axes, volume.values.T, levels=levels, colors=["C0", "C3"])
left.plot(*plane.modes(3)[0].T, "C1+", markersize=12)
left.set(xlabel="red", ylabel="green", title="50 % and 90 % regions, peaks")
middle.plot(blue.axes[0], blue.values, "C0")
middle.set(xlabel="blue", ylabel="density", title="Blue where red is 180, green 120")
drawn = kde.sample(30 * 40, seed=0).clip(0, 255).round().astype(np.uint8)
right.imshow(drawn[np.lexsort(drawn.T)].reshape(30, 40, 3))
right.set(xticks=[], yticks=[], title="1200 colors drawn from it")
figure.savefig("density_statistics.png", dpi=80)
