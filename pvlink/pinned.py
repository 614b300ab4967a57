"""How a view's moving frames are sent, where somebody has chosen: the options of `show` and `View.pin`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pvlink.errors import OptionError

OPTIONS = ("codec", "quality", "rate", "scale")
CODECS = ("jpeg", "png", "h264", "vp9", "av1")
# None: by itself.
_BOUNDS: dict[str, tuple[float, float, str]] = {
    "quality": (1, 100, "a whole number from 1 to 100"),
    "rate": (1, 60, "frames a second, 1 to 60"),
    "scale": (0.25, 1, "a part of each side, 0.25 to 1"),
}


def pins(options: Mapping[str, Any]) -> dict[str, Any]:
    """As the streamer wants them. "auto" is the same as None: pvlink decides."""
    return {name: _checked(name, None if value == "auto" else value) for name, value in options.items()}


def _checked(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "codec":
        if value not in CODECS:
            raise OptionError(f"codec={value!r}: give one of {', '.join(CODECS)}, or 'auto'.")
        return value
    least, most, what = _BOUNDS[name]
    fits = isinstance(value, int if name == "quality" else (int, float)) and not isinstance(value, bool)
    if not fits or not least <= value <= most:
        raise OptionError(f"{name}={value!r}: give {what}, or 'auto'.")
    return value
