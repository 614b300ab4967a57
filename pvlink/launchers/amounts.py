"""Memory, time and ports as people write them, and as Slurm wants them. Pure."""

from __future__ import annotations

import datetime
import re

from pvlink.errors import OptionError

# In MiB, as Slurm counts: its G are 1024 of its M.
_UNITS = {"m": 1, "g": 1 << 10, "t": 1 << 20}
_MEMORY = re.compile(r"\s*(\d{1,9}(?:\.\d{1,3})?)\s*([mgt])(?:i?b)?\s*", re.IGNORECASE | re.ASCII)
# Slurm's own ways to write a time: minutes, minutes:seconds, hours:minutes:seconds, days-hours[:minutes[:seconds]].
_CLOCK = re.compile(r"(?:(\d{1,4})-)?(\d{1,6})(?::(\d{1,2}))?(?::(\d{1,2}))?", re.ASCII)
_WORDS = re.compile(
    r"(?:(\d{1,4})d)?\s*(?:(\d{1,5})h)?\s*(?:(\d{1,6})m(?:in)?)?\s*(?:(\d{1,7})s)?", re.IGNORECASE | re.ASCII
)
# A year: longer is a slip of the hand.
LONGEST = 366 * 86400


def memory(text: str, what: str = "memory") -> int:
    """MiB of "90G", "45000M", "1.5T". Raises OptionError."""
    found = _MEMORY.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise OptionError(f'{what}={text!r}: it is a number and its unit, such as "90G", "512M" or "1.5T".')
    amount = round(float(found[1]) * _UNITS[found[2].lower()])
    if not 1 <= amount <= 1 << 30:
        raise OptionError(f"{what}={text!r}: it is from 1M to 1024T.")
    return amount


def memory_words(amount: int) -> str:
    """MiB for people: "90 GB"."""
    for unit, size in (("TB", 1 << 20), ("GB", 1 << 10)):
        if amount >= size:
            return f"{amount / size:.4g} {unit}"
    return f"{amount} MB"


def duration(text: str | datetime.timedelta, what: str = "time") -> int:
    """Seconds of "1:30:00", "90" (minutes), "30:00" (30 minutes), "1-12" (a day and a half), "2h", "1h30m"; as Slurm
    reads them. Raises OptionError.
    """
    seconds = _seconds(text)
    if seconds is None:
        raise OptionError(
            f'{what}={text!r}: it is "1:30:00" (hours:minutes:seconds), "30:00" (minutes:seconds), "90" (minutes), '
            '"2-00:00:00" (days-), or "1h30m".'
        )
    if not 1 <= seconds <= LONGEST:
        raise OptionError(f"{what}={text!r}: it is from a second to a year.")
    return seconds


def _seconds(text: str | datetime.timedelta) -> int | None:
    if isinstance(text, datetime.timedelta):
        return round(text.total_seconds())
    text = text.strip() if isinstance(text, str) else ""
    if found := _CLOCK.fullmatch(text):
        days, first, second, third = (None if part is None else int(part) for part in found.groups())
        if days is not None:
            # Hours come first after days.
            hours, minutes, seconds = first or 0, second or 0, third or 0
        elif third is not None:
            hours, minutes, seconds = first or 0, second or 0, third
        else:
            hours, minutes, seconds = 0, first or 0, second or 0
        if seconds > 59 or (minutes > 59 and (third is not None or days is not None)):
            return None
        return (days or 0) * 86400 + hours * 3600 + minutes * 60 + seconds
    found = _WORDS.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + seconds


def ports(text: str, what: str = "ports") -> tuple[int, int] | None:
    """The first and the last of "11111-11199"; 0 and 0 for "any", nothing for "none". Raises OptionError."""
    if text in ("any", "none"):
        return (0, 0) if text == "any" else None
    first, dash, last = text.partition("-")
    if dash and first.isdigit() and last.isdigit() and 1024 <= int(first) <= int(last) <= 65535:
        return int(first), int(last)
    raise OptionError(f'{what}={text!r}: it is "any", "none", or two ports from 1024 to 65535, such as "11111-11199".')


def clock(seconds: float) -> str:
    """As Slurm wants a time: "1-12:00:00", "01:30:00"."""
    days, rest = divmod(max(0, round(seconds)), 86400)
    day = f"{days}-" if days else ""
    return f"{day}{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"


def duration_words(seconds: float) -> str:
    """For people: "1 h 30 min", "45 s"; two units at most."""
    left = max(0, round(seconds))
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if left >= size or (unit == "s" and not parts):
            parts.append(f"{left // size} {unit}")
            left %= size
        if len(parts) == 2 or (parts and not left):
            break
    return " ".join(parts)
