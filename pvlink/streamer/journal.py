"""The streamer's log: in memory, so it must not grow; and strangers have a say in it, so they must not forge lines.

It goes to standard error, which the kernel gives us as a file in memory. A viewer that sends nothing but nonsense
writes 300 warnings a second there, each as long as what it sent.
"""

from __future__ import annotations

import fcntl
import logging
import os
import stat
import sys

# Above this the log begins anew: the end of it is what somebody reads.
MAX_BYTES = 1 << 20
# Of one line; a trace below it is our own and counts apart.
MAX_LINE = 1000
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _OneLine(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        line = super().formatMessage(record)
        line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line[: MAX_LINE + 1])
        return line if len(line) <= MAX_LINE else line[:MAX_LINE] + " ..."


class Journal(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to standard error; cuts it to nothing when it is a file in memory that has become too long."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(_OneLine(_FORMAT))
        fd = sys.stderr.fileno()
        # Only what is appended to can be cut under the writer's hand.
        appended = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND
        # A file that has a name is the user's, and his to bound.
        status = os.fstat(fd)
        self._fd = fd if appended and stat.S_ISREG(status.st_mode) and status.st_nlink == 0 else None

    def emit(self, record: logging.LogRecord) -> None:
        if self._fd is not None and os.fstat(self._fd).st_size > MAX_BYTES:
            os.ftruncate(self._fd, 0)
        super().emit(record)
