"""What the engine prints, shown in the cell that caused it.

The engine's standard output and error are files in memory, not pipes: a pipe nobody reads, because the kernel is busy,
would stop the engine at 64 KB, in the middle of a render.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import re
import sys

# Read at most so much at once, so that a flood needs no memory of its size.
CHUNK = 1 << 20
# So often at once, so that an engine that never stops talking lets the cell be interrupted.
LOOKS = 32
# ParaView's logger colours what it says; in an exception's message that is noise.
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class MemoryFile:
    """One stream of a child process, read at our own pace."""

    def __init__(self, name: str) -> None:
        self.fd = os.memfd_create(name)
        # Appending, so that the child can cut the file to nothing and go on writing at its beginning.
        fcntl.fcntl(self.fd, fcntl.F_SETFL, os.O_APPEND)
        self._read = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def news(self) -> str:
        """What was written since the last look."""
        return self._decoder.decode(self.fresh())

    def fresh(self) -> bytes:
        """The same as it is; for those who pass it on."""
        if os.fstat(self.fd).st_size < self._read:
            self._read = 0
        data = os.pread(self.fd, CHUNK, self._read)
        self._read += len(data)
        return data

    def tail(self, size: int = 2000) -> str:
        """The end of all that was written."""
        end = os.fstat(self.fd).st_size
        text = os.pread(self.fd, size, max(0, end - size)).decode("utf-8", "replace")
        return _COLOURS.sub("", text).strip()

    def close(self) -> None:
        os.close(self.fd)


class Output:
    """Both streams of the engine."""

    def __init__(self) -> None:
        self.stdout = MemoryFile("pvlink-stdout")
        self.stderr = MemoryFile("pvlink-stderr")

    def show(self) -> None:
        """Print what is new. `sys.stdout` is looked up now: in a notebook it belongs to the running cell."""
        for file, stream in ((self.stdout, sys.stdout), (self.stderr, sys.stderr)):
            for _ in range(LOOKS):
                text = file.news()
                if not text:
                    break
                stream.write(text)
                stream.flush()

    def skip(self) -> None:
        """Show nothing of what is new."""
        for file in (self.stdout, self.stderr):
            while file.news():
                pass

    def close(self) -> None:
        self.stdout.close()
        self.stderr.close()
