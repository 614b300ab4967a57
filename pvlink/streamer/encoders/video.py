"""Videos by FFmpeg's encoders, each frame out as soon as it is in: for lines that JPEGs are too big for."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from threading import Lock
from typing import Any

from pvlink.streamer.encoders.pixels import Encoded, Pixels, upright
from pvlink.streamer.forms import Form

# Frames come when they come; encoders count on a rate all the same.
_TICKS, _RATE = 1000, 30
# Where there is a card whose encoder may be used.
_NVIDIA = Path("/dev/nvidiactl")
log = logging.getLogger(__name__)
# SVT-AV1 speaks on standard error, which is the streamer's log.
os.environ.setdefault("SVT_LOG", "1")


def be_ordinary() -> None:
    """Take back what SVT-AV1 does as root: the thread that opens it and its own run before all else on the machine.

    A loop in any process that is begun from that thread later would stop the whole machine for good.
    """
    if sys.platform != "linux":
        return
    for thread in (int(task.name) for task in Path("/proc/self/task").iterdir()):
        with suppress(ProcessLookupError):
            if os.sched_getscheduler(thread) in (os.SCHED_FIFO, os.SCHED_RR):
                os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))


class Video:
    """One encoder of FFmpeg's; a frame of another size begins a new video."""

    # FFmpeg's names, the first that opens is taken; each with its options, where {quality} is the form's.
    ways: tuple[tuple[str, dict[str, str]], ...]

    def __init__(self, form: Form) -> None:
        self._form = form
        self._left = list(self.ways)
        self._context: Any = None
        self._size = (0, 0)
        self._frames = 0
        self._scaler: Any = None
        # It may be closed, by another thread, while a frame is in it: FFmpeg does not bear that.
        self._lock = Lock()

    def encode(self, pixels: Pixels, *, key: bool) -> Encoded:
        with self._lock:
            return self._encode(pixels, key)

    def close(self) -> None:
        with self._lock:
            self._close()

    def _encode(self, pixels: Pixels, key: bool) -> Encoded:
        # Half the colour: an odd last row or column has none.
        height, width = (max(2, side // self._form.shrink & ~1) for side in pixels.shape[:2])
        frame = self._converted(pixels, width, height)
        while True:
            context = self._opened(width, height)
            frame.pict_type = 1 if key else 0
            self._frames += 1
            frame.pts = self._frames * _TICKS // _RATE
            packets = context.encode(frame)
            if len(packets) == 1:
                break
            log.warning("encoder %s keeps frames back (%d came out for one): another", context.name, len(packets))
            self._close()
            del self._left[0]
        (packet,) = packets
        data = bytes(packet)
        return Encoded(data, width, height, packet.is_keyframe, self._config(data, packet))

    def _close(self) -> None:
        if self._context is not None:
            # They want to be told.
            self._context.encode(None)
            self._context = None

    def _opened(self, width: int, height: int) -> Any:
        if self._context is None or self._size != (width, height):
            self._close()
            self._context = self._open(width, height)
            self._size = (width, height)
            self._frames = 0
        return self._context

    def _open(self, width: int, height: int) -> Any:
        # Only where it is needed: it takes 0.1 s.
        import av

        while self._left:
            name, options = self._left[0]
            if name not in av.codecs_available or ("nvenc" in name and not _NVIDIA.exists()):
                del self._left[0]
                continue
            context: Any = av.VideoCodecContext.create(name, "w")
            context.width, context.height, context.pix_fmt = width, height, "yuv420p"
            context.time_base, context.framerate = Fraction(1, _TICKS), Fraction(_RATE)
            # Two cores may have to render, encode and decode at once; a frame's encoding must not be spread over all.
            context.thread_count = 1
            context.options = {key: value.format(quality=self._form.quality) for key, value in options.items()}
            # Of 16 to 235, by BT.709: browsers guess otherwise, by the size.
            context.color_range = context.colorspace = context.color_primaries = context.color_trc = 1
            try:
                context.open()
            except av.FFmpegError as error:
                log.info("encoder %s does not open: %s", name, error)
                del self._left[0]
                continue
            be_ordinary()
            return context
        raise RuntimeError(f"there is no encoder for {self._form.codec} here")

    def _converted(self, pixels: Pixels, width: int, height: int) -> Any:
        from av import VideoFrame
        from av.video.reformatter import Colorspace, Interpolation, VideoReformatter

        if self._scaler is None:
            self._scaler = VideoReformatter()
        whole = self._form.shrink == 1
        rows = pixels[-height:, :width] if whole else pixels
        return self._scaler.reformat(
            VideoFrame.from_numpy_buffer(upright(rows), "rgba"),
            width,
            height,
            "yuv420p",
            dst_colorspace=Colorspace.ITU709,
            interpolation=Interpolation.FAST_BILINEAR if whole else Interpolation.AREA,
        )

    def _config(self, data: bytes, packet: Any) -> str:
        raise NotImplementedError


class H264(Video):
    """By a graphics card where there is one, else by x264: 3 ms at 720p, 10 ms at 1080p."""

    ways = (
        (
            "h264_nvenc",
            {
                "preset": "p1",
                "tune": "ull",
                "rc": "constqp",
                "qp": "{quality}",
                "delay": "0",
                "zerolatency": "1",
                "forced-idr": "1",
                "g": "9999",
            },
        ),
        ("libx264", {"preset": "ultrafast", "tune": "zerolatency", "crf": "{quality}", "forced-idr": "1", "g": "9999"}),
    )

    def _config(self, data: bytes, packet: Any) -> str:
        """Profile and level, as they stand in the parameters that each frame that needs no other begins with."""
        at = data.find(b"\0\0\1\x67") if packet.is_keyframe else -1
        return "" if at < 0 else f"avc1.{data[at + 4 : at + 7].hex().upper()}"


class Vp9(Video):
    """By libvpx: 9 to 34 ms, for browsers without H.264."""

    ways = (
        (
            "libvpx-vp9",
            {
                "deadline": "realtime",
                "cpu-used": "8",
                "lag-in-frames": "0",
                "crf": "{quality}",
                "b": "0",
                "row-mt": "1",
                "g": "9999",
            },
        ),
    )

    def _config(self, data: bytes, packet: Any) -> str:
        # Profile 0, a level that no view exceeds, 8 bits.
        return "vp09.00.61.08" if packet.is_keyframe else ""


class Av1(Video):
    """By SVT-AV1: 11 to 20 ms, likewise."""

    ways = (
        ("libsvtav1", {"preset": "12", "crf": "{quality}", "svtav1-params": "pred-struct=1:rtc=1:lp=1", "g": "9999"}),
    )

    def _config(self, data: bytes, packet: Any) -> str:
        return "av01.0.16M.08" if packet.is_keyframe else ""
