"""How alike two pictures are to an eye: the structural similarity of Wang et al. (2004), over squares of 8 pixels."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 8
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def picture(data: bytes, size: tuple[int, int] | None = None) -> npt.NDArray[np.float64]:
    """A JPEG or PNG as grey values; of another size as a browser would show it."""
    image = Image.open(io.BytesIO(data)).convert("L")
    if size is not None and image.size != size:
        image = image.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(image, np.float64)


def ssim(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    a, b = _squares(one), _squares(other)
    mean_a, mean_b = a.mean(axis=-1), b.mean(axis=-1)
    both = (a * b).mean(axis=-1) - mean_a * mean_b
    spread = a.var(axis=-1) + b.var(axis=-1)
    found = (2 * mean_a * mean_b + _C1) * (2 * both + _C2) / ((mean_a**2 + mean_b**2 + _C1) * (spread + _C2))
    return float(found.mean())


def _squares(picture: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    height, width = (side // SIDE * SIDE for side in picture.shape)
    parts = picture[:height, :width].reshape(height // SIDE, SIDE, width // SIDE, SIDE).swapaxes(1, 2)
    return parts.reshape(height // SIDE, width // SIDE, SIDE * SIDE)
