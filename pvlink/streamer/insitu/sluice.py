"""Lets a step of a simulation through to ParaView when all of it is there, and not before.

A simulation may die, or its network, in the middle of what it delivers. ParaView waits for the rest inside one
call: it draws nothing meanwhile, and ends its process where the rest does not come (an assertion, each time). So it
sees none that is not whole, from all of the simulation's ranks that bring a part. One is in memory here meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable

from pvlink.insitu import frames

# The end of what one of the other ranks brings.
END = b"\x01\x06\x04\x00\x00\x00null"
NAMES = 12000
# As `frames.Messages` cuts them.
Message = tuple[int, bytes | None, bytes, bool]


class Sluice:
    """Of one link, with a gate for each pair of ranks."""

    def __init__(self) -> None:
        self._gates: list[Gate] = []

    def gate(self, write: Callable[[bytes], object], *, first: bool) -> Gate:
        made = Gate(self, write, first=first)
        self._gates.append(made)
        return made

    def look(self) -> None:
        """Open, if all of them are full."""
        if not all(gate.full for gate in self._gates):
            return
        for gate in self._gates:
            gate.open()
        # Not before all of them have opened: one may be full again of what came meanwhile.
        for gate in self._gates:
            gate.go_on()


class Gate:
    """One pair's. Between two deliveries all passes at once: the greeting, and questions to ParaView.

    What comes after a delivery stays behind it: ParaView would take the one for an answer that belongs to the other.
    """

    def __init__(self, sluice: Sluice, write: Callable[[bytes], object], *, first: bool) -> None:
        self._sluice = sluice
        self._write = write
        self._first = first
        self._messages = frames.Messages()
        self._held: list[bytes] = []
        # What came after a delivery that the others have not brought all of yet.
        self._later: list[Message] = []
        self._holds = False
        self.full = False

    def feed(self, data: bytes) -> None:
        """Raises NoLive."""
        for message in self._messages.feed(data):
            self._take(message)

    def open(self) -> None:
        held, self._held = self._held, []
        self._holds = self.full = False
        for part in held:
            self._write(part)

    def go_on(self) -> None:
        """With what came while this one was full."""
        later, self._later = self._later, []
        for message in later:
            self._take(message)

    def _take(self, message: Message) -> None:
        tag, body, raw, ends = message
        if self.full:
            self._later.append(message)
            return
        self._holds = self._holds or self._begins(tag, body)
        if not self._holds:
            self._write(raw)
            return
        self._held.append(raw)
        if ends and self._ends(tag, body):
            self.full = True
            self._sluice.look()

    def _begins(self, tag: int, body: bytes | None) -> bool:
        if not self._first:
            return tag not in frames.ECHOED
        return tag == frames.RMI and body is not None and frames.remote_call(body) == frames.POSTPROCESS

    def _ends(self, tag: int, body: bytes | None) -> bool:
        return tag == frames.LAST if self._first else tag == NAMES and body == END
