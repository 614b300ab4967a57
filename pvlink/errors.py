"""What can go wrong, as a tree.

    PvlinkError
    ├── DataError            data that cannot be put into a pipeline, or fetched, as it is (also a TypeError/ValueError)
    ├── OptionError          an option that does not exist, or a value that cannot be (also a TypeError/ValueError)
    ├── PvpythonNotFound     no ParaView on this machine, as far as we looked
    ├── EngineStartError     a pvpython was found but did not become an engine
    ├── EngineLost           ParaView's process has ended
    ├── JobError             a job on a cluster that could not be launched, reached or changed, or has ended
    ├── ServerError          a ParaView server that could not be connected to, or started
    ├── ServerLost           the ParaView server that held the pipeline is gone
    ├── ShareError           a view cannot be shared like this
    ├── SimulationError      a running simulation that cannot be reached, or does not take an order
    ├── StreamerLost         the process that sends the pictures has ended
    └── ViewError            not a view, a view that was deleted, a picture that did not come

Each message says what failed, where, and what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable


class PvlinkError(Exception):
    """Anything pvlink raises by itself."""


class DataError(PvlinkError, TypeError, ValueError):
    """Data that cannot be put into a pipeline, or fetched, as it is."""


class OptionError(PvlinkError, TypeError, ValueError):
    """An option that does not exist, or a value that cannot be."""


class PvpythonNotFound(PvlinkError):
    """No ParaView was found."""


class EngineStartError(PvlinkError):
    """A pvpython was found, but it did not become an engine."""


class EngineLost(PvlinkError):
    """ParaView's process has ended."""


class JobError(PvlinkError):
    """A job on a cluster that could not be launched, reached or changed, or that has ended."""


class ServerError(PvlinkError):
    """A ParaView server that could not be connected to, or started; `reason` is the same in a word."""

    def __init__(self, message: str, reason: str = "failed") -> None:
        super().__init__(message)
        self.reason = reason


class ServerLost(PvlinkError):
    """The ParaView server that held the pipeline is gone. The pictures are the last ones; `reconnect()` is the way on.

    Where ParaView is in the kernel itself, it strikes in the middle of the call that found nobody.
    """

    # What is said of the newest loss, for whoever can only raise the class.
    newest = "The ParaView server is gone. pvlink.session().reconnect() brings the pipeline back."

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.newest)


class ShareError(PvlinkError):
    """A view cannot be shared like this: a weak password, an address nobody can listen on, an administrator's no."""


class SimulationError(PvlinkError):
    """A running simulation that cannot be reached, or does not take an order: a value out of its range, a step over."""


class StreamerLost(PvlinkError):
    """The process that encodes and sends the pictures has ended."""


class ViewError(PvlinkError):
    """Not a view, a view that was deleted, or a picture that did not come."""


def refuse_unknown(function: str, unknown: Iterable[str], valid: Iterable[str]) -> None:
    """Raise OptionError for the first unknown option, and list those that exist."""
    for name in unknown:
        raise OptionError(f"{function} has no option {name!r}. It takes: {', '.join(valid)}.")
