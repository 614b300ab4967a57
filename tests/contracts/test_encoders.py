"""What every encoder must do; a new one passes this unchanged."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from pvlink.protocol import Codec
from pvlink.streamer.encoders import ENCODERS

LOSSLESS = {"png"}
SIZES = [(1, 1), (1, 7), (7, 1), (16, 16), (641, 359), (1280, 720)]

pytestmark = pytest.mark.parametrize("codec", list(ENCODERS))


def rendered(width: int, height: int) -> npt.NDArray[np.uint8]:
    """Like a rendering: a shaded ball on a background with a gradient; bottom row first, alpha 0 in the background."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    depth = np.sqrt(np.clip(0.5 - x * x - y * y, 0, None))
    ball = depth > 0
    light = np.clip(0.2 + x * 0.4 + depth, 0, 1)
    picture = np.empty((height, width, 4), np.uint8)
    for channel, (inside, outside) in enumerate([(230, 80), (120, 90), (60, 110)]):
        picture[..., channel] = np.where(ball, light * inside, outside + 40 * y)
    picture[..., 3] = ball * 255
    return picture


def decoded(data: bytes) -> npt.NDArray[np.uint8]:
    image = Image.open(io.BytesIO(data))
    image.load()
    assert image.mode == "RGB"
    return np.asarray(image)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_same_picture_comes_back(codec: Codec, width: int, height: int) -> None:
    pixels = rendered(width, height)
    shown = decoded(ENCODERS[codec].encode(pixels))
    wanted = pixels[::-1, :, :3]
    assert shown.shape == wanted.shape
    if codec in LOSSLESS:
        assert np.array_equal(shown, wanted)
    else:
        error = np.mean((shown.astype(float) - wanted) ** 2)
        # On a few pixels the shared colour of 2 x 2 of them shows at every edge.
        decibels = 30 if width * height > 10_000 else 20
        assert error < 255**2 / 10 ** (decibels / 10)


def test_the_last_row_is_on_top(codec: Codec) -> None:
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[16:] = 255
    shown = decoded(ENCODERS[codec].encode(pixels))
    assert shown[:12].min() > 240
    assert shown[20:].max() < 15


def test_red_is_red(codec: Codec) -> None:
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[..., 0] = 255
    red, green, blue = decoded(ENCODERS[codec].encode(pixels))[16, 16]
    assert red > 240
    assert max(green, blue) < 15


def test_noise_survives(codec: Codec) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (61, 83, 4), np.uint8)
    shown = decoded(ENCODERS[codec].encode(pixels))
    assert shown.shape == (61, 83, 3)
    if codec in LOSSLESS:
        assert np.array_equal(shown, pixels[::-1, :, :3])


def test_shared_memory_is_read_only_and_stays_as_it_is(codec: Codec) -> None:
    pixels = rendered(40, 30)
    before = pixels.copy()
    pixels.flags.writeable = False
    ENCODERS[codec].encode(pixels)
    assert np.array_equal(pixels, before)


def test_two_threads_get_what_one_gets(codec: Codec) -> None:
    pictures = [rendered(200 + n, 100) for n in range(8)]
    alone = [ENCODERS[codec].encode(pixels) for pixels in pictures]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(ENCODERS[codec].encode, pictures)) == alone
