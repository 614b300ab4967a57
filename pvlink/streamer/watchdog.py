"""Ends the engine when its kernel is gone. Who starts it ends it; when that one cannot, we do."""

from __future__ import annotations

import asyncio
import logging
import os
import signal

# ParaView ends within milliseconds, unless it renders or hangs in a server's socket.
GRACE_SECONDS = 1.0
log = logging.getLogger(__name__)


class Watchdog:
    """Holds on to one process, not to its number: a recycled pid is never hit."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._fd: int | None = None
        try:
            self._fd = os.pidfd_open(pid)
        except ProcessLookupError:
            log.info("the engine (%d) has ended already", pid)
        except OSError as error:
            # Linux before 5.3. There the engine's own death note (PDEATHSIG) must do.
            log.warning("no watchdog for the engine (%d): %s", pid, error)

    async def end(self) -> None:
        """SIGTERM, then SIGKILL."""
        if self._fd is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self._send(number):
                break
            if await self._ended():
                log.info("the engine (%d) ended after %s", self._pid, number.name)
                break
        self.close()

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _send(self, number: signal.Signals) -> bool:
        if self._fd is None:
            return False
        try:
            signal.pidfd_send_signal(self._fd, number)
        except ProcessLookupError:
            return False
        except PermissionError:
            log.error("the engine (%d) belongs to somebody else and cannot be ended", self._pid)
            return False
        return True

    async def _ended(self) -> bool:
        """A pidfd is readable once its process has ended."""
        if self._fd is None:
            return True
        loop = asyncio.get_running_loop()
        event = asyncio.Event()
        loop.add_reader(self._fd, event.set)
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                await event.wait()
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(self._fd)
        return True
