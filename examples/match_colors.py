"""Give one photograph the colors of another by gradient descent.

What is changed is a smooth map of colors, a table of 5³ offsets read with trilinear interpolation,
as in a film lab's look-up table. The loss compares distributions of colors, so that nothing says
which pixel of one photograph belongs to which of the other.
"""

import imageio.v3 as iio
import numpy as np
import torch

from napari_colorkde.torch import color_kde, histogram_loss


def pixels(path: str, every: int) -> torch.Tensor:
    """Return a photograph as (1, 3, H, W) from 0 to 1, every few pixels."""
    image = iio.imread(path)[::every, ::every, :3]
    return torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)[None]


def mapped(image: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Add to each color what the table says about it."""
    # grid_sample wants coordinates from −1 to 1, the last axis of the table first.
    places = (2 * image - 1).permute(0, 2, 3, 1).flip(-1)[:, None]
    shift = torch.nn.functional.grid_sample(offsets, places, align_corners=True)
    return (image + shift[:, :, 0]).clamp(0, 1)


BINS, EXTENT = 20, (-0.1, 1.1)
source = pixels("sample_data/coffee.png", 4)
target = pixels("sample_data/astronaut.png", 4)
offsets = torch.zeros(1, 3, 5, 5, 5, requires_grad=True)
optimizer = torch.optim.Adam([offsets], lr=0.02)

losses = []
for bandwidth in (0.3, 0.1, 0.06):  # wide kernels pull from afar, narrow ones are particular
    wanted = color_kde(target, bandwidth, BINS, EXTENT)
    for _ in range(12):
        optimizer.zero_grad()
        loss = histogram_loss(mapped(source, offsets), wanted, bandwidth, bins=BINS, extent=EXTENT)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print(f"sigma {bandwidth}: loss {losses[-12]:.3f} to {losses[-1]:.3f}")

matched = mapped(source, offsets).detach()
height = min(source.shape[2], target.shape[2])
row = torch.cat([part[0, :, :height] for part in (source, target, matched)], dim=2)
iio.imwrite("match_colors.png", (255 * row).round().byte().permute(1, 2, 0).numpy())
