"""Names of files as they may be shown: a name is whatever somebody's program made of it."""

from __future__ import annotations

import datetime

# Turn the direction of writing: `gnp.exe` may be shown as `exe.png` by them.
_TURNING = frozenset(range(0x202A, 0x202F)) | frozenset(range(0x2066, 0x206A)) | {0x200E, 0x200F, 0x061C}
_LINES = frozenset({0x85, 0x2028, 0x2029})
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def shown(name: str) -> str:
    """The name in one line, in the direction it is written; what is no character is a mark."""
    return "".join(map(_shown, name))


def _shown(character: str) -> str:
    code = ord(character)
    if code < 0x20 or code == 0x7F:
        # As Python writes it: \n, \x1b.
        return repr(character)[1:-1]
    # The second range: bytes that are no UTF-8.
    if 0x80 <= code < 0xA0 or 0xD800 <= code < 0xE000 or code in _TURNING | _LINES:
        return "\ufffd"
    return character


def size(count: int | None) -> str:
    """A number of bytes as people say it."""
    if count is None:
        return ""
    value, unit = float(count), 0
    while round(value) >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    digits = 0 if unit == 0 or value >= 99.95 else 1
    return f"{value:.{digits}f} {_UNITS[unit]}"


def when(time: datetime.datetime | None) -> str:
    return "" if time is None else f"{time:%Y-%m-%d %H:%M}"
