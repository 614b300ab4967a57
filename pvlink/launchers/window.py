"""For ParaView's own window: a port of this machine that leads to a job's door, and a server configuration for it."""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections.abc import Callable
from pathlib import Path

from pvlink.errors import JobError
from pvlink.launchers import records
from pvlink.launchers.job import Job
from pvlink.launchers.node.events import heed
from pvlink.launchers.node.pipe import Pipe
from pvlink.servers import pvsc
from pvlink.servers.address import Address, Place
from pvlink.servers.commands import Manual
from pvlink.servers.configuration import Configuration
from pvlink.servers.options import CONNECT_ID, Set

# Between two looks whether the job is still there, in seconds.
LOOK = 5.0


class Window:
    """Listens on 127.0.0.1 while the job is there. Others of this machine may knock; the job asks them for its id."""

    def __init__(self, job: Job, port: int = 0) -> None:
        """`port`: any, if it is not said. Raises JobError."""
        self._job = job
        self._watch = selectors.DefaultSelector()
        self._pipes: list[Pipe] = []
        self._door = socket.socket()
        try:
            self._door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._door.bind(("127.0.0.1", port))
            self._door.listen(8)
        except OSError as error:
            self._door.close()
            raise JobError(
                f"Port {port} of this machine cannot be had: {error.strerror}. Another one: --port."
            ) from None
        self._door.setblocking(False)
        self._watch.register(self._door, selectors.EVENT_READ, lambda _: self._knock())

    @property
    def port(self) -> int:
        return int(self._door.getsockname()[1])

    def write(self) -> Path:
        """The configuration's file. It holds the connect-id, so it is for its user only."""
        status = self._job.standing().status
        address = Address(Place("localhost", self.port))
        known = (Set(CONNECT_ID, str(status["connect_id"])),)
        file = records.folder() / f"{self._job.key}.pvsc"
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(0o600)
        pvsc.write(file, [Configuration(self._job.label, address, Manual(), known)])
        file.chmod(0o600)
        return file

    def serve(self, told: Callable[[str], None]) -> None:
        """Until the job has ended. `told` hears what there is to say."""
        while not (standing := self._job.standing()).is_hopeless:
            try:
                heed(self._watch, LOOK)
            except JobError as error:
                told(str(error))
            for pipe in [one for one in self._pipes if one.over]:
                pipe.close()
                self._pipes.remove(pipe)
        told(standing.sentence)

    def close(self) -> None:
        for pipe in self._pipes:
            pipe.close()
        self._door.close()
        self._watch.close()
        with contextlib.suppress(OSError):
            (records.folder() / f"{self._job.key}.pvsc").unlink(missing_ok=True)

    def _knock(self) -> None:
        try:
            sock, _ = self._door.accept()
        except OSError:
            return
        try:
            far = self._job.dial().socket
        except BaseException:
            sock.close()
            raise
        for end in (sock, far):
            end.setblocking(False)
        self._pipes.append(Pipe(self._watch, sock, far))
