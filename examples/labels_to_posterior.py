"""From a few labels to the probability of each class at every pixel, checked on held-out labels."""

import imageio.v3 as iio
import matplotlib.pyplot as plt
import numpy as np

from napari_colorkde import class_names, classify_image, fit_classes, posteriors, roc

image = iio.imread("sample_data/astronaut.png")
names = {1: "skin", 2: "suit", 3: "backdrop", 4: "black"}
boxes = {  # rows and columns
    1: [(90, 190, 190, 255)],
    2: [(330, 480, 60, 120), (280, 330, 120, 240)],
    3: [(20, 150, 110, 150), (20, 120, 310, 370)],
    4: [(400, 500, 300, 450), (310, 360, 400, 480)],
}
labels = np.zeros(image.shape[:2], np.uint8)
for label, places in boxes.items():
    for top, bottom, left, right in places:
        labels[top:bottom, left:right] = label

# Neighbors are alike, so that single pixels would be too easy: whole blocks are held out.
rows, columns = np.indices(labels.shape) // 25
is_held_out = (rows + columns) % 2 == 1
kernels = fit_classes(image, np.where(is_held_out, 0, labels), 3, names=names, seed=0)

found = classify_image(image, kernels, numbers={name: label for label, name in names.items()})
tested = is_held_out & (labels > 0)
accuracy = (found == labels)[tested].mean()
probability = posteriors(image, kernels)
skin = probability[..., class_names(kernels).index("skin")]
curve = roc(skin, np.where(labels == 1, 1, 2), mask=tested)
print(f"held-out accuracy {accuracy:.1%} of {tested.sum()} pixels")
print(
    f"skin: area under the ROC curve {curve.auc:.4f}, best threshold {curve.best_threshold():.3f}"
)

figure, axes = plt.subplots(1, 4, figsize=(13, 3.5), layout="constrained")
axes[0].imshow(image)
axes[0].imshow(np.ma.masked_equal(labels, 0), cmap="tab10", alpha=0.6, vmax=9)
axes[0].set_title("labels")
for number, name in enumerate(class_names(kernels)[:2], start=1):
    axes[number].imshow(probability[..., number - 1], vmin=0, vmax=1)
    axes[number].set_title(f"P({name} | color)")
for each in axes[:3]:
    each.set(xticks=[], yticks=[])
axes[3].plot(*curve.fpr_tpr)
axes[3].set(xlabel="false-positive rate", ylabel="recall", title=f"accuracy {accuracy:.1%}")
figure.savefig("labels_to_posterior.png", dpi=80)
