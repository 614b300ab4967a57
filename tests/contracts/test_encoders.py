"""What every encoder must do; a new one passes this unchanged."""

from __future__ import annotations

import io
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from pvlink.protocol import Codec
from pvlink.streamer.encoders import ENCODERS, Encoder
from pvlink.streamer.encoders.pixels import Encoded
from pvlink.streamer.forms import LADDERS, STILL, VIDEOS, Form

LOSSLESS = {"png"}
SIZES = [(1, 1), (1, 7), (7, 1), (64, 64), (641, 359), (1280, 720)]
# Smaller ones go out as pictures.
SMALLEST_VIDEO = 64 * 64
DECODERS = {"h264": "h264", "vp9": "vp9", "av1": "libdav1d"}
# RFC 6381, as browsers want it.
CONFIGS = {"h264": r"avc1\.[0-9A-F]{6}", "vp9": r"vp09\.00\.\d\d\.08", "av1": r"av01\.0\.\d\d[MH]\.08"}

pytestmark = [pytest.mark.speed, pytest.mark.parametrize("codec", list(ENCODERS))]


def best(codec: Codec) -> Form:
    return next(iter(LADDERS.get(codec, {STILL: 0.0})))


def encoder(codec: Codec) -> Encoder:
    return ENCODERS[codec](best(codec))


def rendered(width: int, height: int, turn: float = 0.0) -> npt.NDArray[np.uint8]:
    """Like a rendering: a shaded ball on a background with a gradient; bottom row first, alpha 0 in the background."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    depth = np.sqrt(np.clip(0.5 - x * x - y * y, 0, None))
    ball = depth > 0
    light = np.clip(0.2 + x * 0.4 * np.cos(turn) + y * 0.4 * np.sin(turn) + depth, 0, 1)
    picture = np.empty((height, width, 4), np.uint8)
    for channel, (inside, outside) in enumerate([(230, 80), (120, 90), (60, 110)]):
        picture[..., channel] = np.where(ball, light * inside, outside + 40 * y)
    picture[..., 3] = ball * 255
    return picture


def decoded(codec: Codec, *frames: Encoded) -> npt.NDArray[np.uint8]:
    """The last of some frames in a row, the first of which needs no other."""
    if codec not in DECODERS:
        image = Image.open(io.BytesIO(frames[-1].data))
        image.load()
        assert image.mode == "RGB"
        return np.asarray(image)
    decoder: Any = av.VideoCodecContext.create(DECODERS[codec], "r")
    shown = [picture for frame in frames for picture in decoder.decode(av.Packet(frame.data))]
    shown += decoder.decode(None)
    assert len(shown) == len(frames)
    return np.asarray(shown[-1].to_ndarray(format="rgb24"), np.uint8)


def error(shown: npt.NDArray[np.uint8], pixels: npt.NDArray[np.uint8]) -> float:
    """Mean square."""
    height, width, _ = shown.shape
    wanted = pixels[::-1, :, :3][:height, :width]
    return float(np.mean((shown.astype(float) - wanted) ** 2))


def decibels(of: float) -> float:
    return 255**2 / 10 ** (of / 10)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_same_picture_comes_back(codec: Codec, width: int, height: int) -> None:
    if codec in VIDEOS and width * height < SMALLEST_VIDEO:
        return
    pixels = rendered(width, height)
    found = encoder(codec).encode(pixels, key=True)
    shown = decoded(codec, found)
    assert shown.shape == (found.height, found.width, 3)
    # A video has half the colour, and no odd last row or column.
    even = 1 if codec in VIDEOS else 0
    assert 0 <= width - found.width <= even
    assert 0 <= height - found.height <= even
    # On a few pixels the shared colour of 2 x 2 of them shows at every edge.
    most = 0.0 if codec in LOSSLESS else decibels(30) if width * height > 10_000 else decibels(20)
    assert error(shown, pixels) <= most


def test_the_last_row_is_on_top(codec: Codec) -> None:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[32:] = 255
    shown = decoded(codec, encoder(codec).encode(pixels, key=True))
    assert shown[:28].min() > 240
    assert shown[36:].max() < 15


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_colour_is_that_colour(codec: Codec, which: int) -> None:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[..., which] = 255
    shown = decoded(codec, encoder(codec).encode(pixels, key=True))[32, 32]
    assert shown[which] > 240
    assert sorted(shown)[1] < 15


def test_noise_survives(codec: Codec) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (71, 83, 4), np.uint8)
    shown = decoded(codec, encoder(codec).encode(pixels, key=True))
    assert error(shown, pixels) <= (0.0 if codec in LOSSLESS else decibels(8))


def test_shared_memory_is_read_only_and_stays_as_it_is(codec: Codec) -> None:
    pixels = rendered(80, 64)
    before = pixels.copy()
    pixels.flags.writeable = False
    encoder(codec).encode(pixels, key=True)
    assert np.array_equal(pixels, before)


def test_two_threads_get_what_one_gets(codec: Codec) -> None:
    pictures = [rendered(200 + 2 * n, 100) for n in range(8)]

    def alone(pixels: npt.NDArray[np.uint8]) -> bytes:
        return encoder(codec).encode(pixels, key=True).data

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(alone, pictures)) == [alone(pixels) for pixels in pictures]


def test_a_scene_that_turns_is_followed_frame_by_frame(codec: Codec) -> None:
    one = encoder(codec)
    pictures = [rendered(320, 240, turn / 10) for turn in range(12)]
    frames = [one.encode(pixels, key=False) for pixels in pictures]
    # Whether asked for or not.
    assert frames[0].key
    for number in (1, 6, 11):
        assert error(decoded(codec, *frames[: number + 1]), pictures[number]) <= decibels(30)
    if codec in VIDEOS:
        assert not any(frame.key for frame in frames[1:])
        assert sum(len(frame.data) for frame in frames[1:]) < 6 * len(frames[0].data)
    one.close()


def test_a_frame_that_needs_no_other_is_had_for_the_asking(codec: Codec) -> None:
    one = encoder(codec)
    pictures = [rendered(320, 240, turn / 10) for turn in range(6)]
    frames = [one.encode(pixels, key=number == 3) for number, pixels in enumerate(pictures)]
    assert frames[3].key
    assert error(decoded(codec, *frames[3:]), pictures[5]) <= decibels(30)
    assert re.fullmatch(CONFIGS.get(codec, ""), frames[3].config)


def test_another_size_begins_anew(codec: Codec) -> None:
    one = encoder(codec)
    one.encode(rendered(320, 240), key=False)
    one.encode(rendered(320, 240, 0.1), key=False)
    larger = rendered(480, 300)
    found = one.encode(larger, key=False)
    assert found.key
    assert error(decoded(codec, found), larger) <= decibels(30)


def test_each_step_down_is_lighter_and_still_the_picture(codec: Codec) -> None:
    pictures = [rendered(640, 480, turn / 10) for turn in range(4)]
    sizes = []
    for form in LADDERS.get(codec, {STILL: 0.0}):
        one = ENCODERS[codec](form)
        frames = [one.encode(pixels, key=False) for pixels in pictures]
        shown = decoded(codec, *frames)
        assert shown.shape[1] == 640 // form.shrink
        wanted = pictures[-1][:: form.shrink, :: form.shrink]
        assert error(shown, wanted) <= decibels(20)
        sizes.append(len(frames[-1].data))
    assert sizes == sorted(sizes, reverse=True)


def test_what_was_closed_begins_anew(codec: Codec) -> None:
    one = encoder(codec)
    pixels = rendered(320, 240)
    one.encode(pixels, key=False)
    one.close()
    one.close()
    found = one.encode(pixels, key=False)
    assert found.key
    assert error(decoded(codec, found), pixels) <= decibels(30)


def test_it_may_be_closed_while_it_is_at_work(codec: Codec) -> None:
    one = encoder(codec)
    pixels = rendered(640, 480)
    with ThreadPoolExecutor(2) as pool:
        work = [pool.submit(one.encode, pixels, key=False) for _ in range(8)]
        ends = [pool.submit(one.close) for _ in range(8)]
        more = [pool.submit(one.encode, pixels, key=False) for _ in range(8)]
        for _ in range(8):
            pool.submit(one.close)
        assert all(job.result(30).data for job in (*work, *more))
        for end in ends:
            end.result(30)


def test_it_takes_no_more_of_the_machine_than_its_share(codec: Codec) -> None:
    """SVT-AV1, as root, would come before everything else on it."""
    one = encoder(codec)
    one.encode(rendered(320, 240), key=False)
    threads = [int(task.name) for task in Path("/proc/self/task").iterdir()]
    policies = {os.sched_getscheduler(thread) for thread in threads}
    one.close()
    assert policies == {os.SCHED_OTHER}
