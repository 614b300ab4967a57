"""How two ParaViews greet each other over TCP, from either side. No socket in here: bytes in, bytes out.

Five steps; at each one the side that connected speaks first and the side that listened answers. A message is tag,
length and body, little endian. 1: byte order. 2: the way to compare what follows (100). 3: the MD5 of VTK's
vtkSocketCommunicator. 4: whether ids have 64 bits. 5: "paraview-5.11.connect_id.7.renderingbackend.opengl2", answered
by a code. After that both are equal, and who connected does not matter any more.

Standard library only, any Python from 3.9: it greets on clusters, too (`pvlink/launchers/node`).
"""

from __future__ import annotations

import enum
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

_HEAD = struct.Struct("<ii")
_INT = struct.Struct("<i")
ENDIAN, GENERATION, DIGEST, IDS = 0x3C3C3C3C, 0x3E3E3E3E, 0x3F3F3F3F, 0x3D3D3D3D
TEXT, CODE = 99991, 99990
OUR_GENERATION = 100
# What Debian's ParaView 5.11 has, which was built from another VTK than the one of paraview.org (86f3e537...).
DIGEST_5_11 = b"5e7a24e1e7033d8c49830a3775623523"
# The MD5 of vtkSocketCommunicator.cxx in the VTK of each release; others are learnt as they come.
DIGESTS = {
    "5.9": b"e28e389cfc6f7863e0d23701201f7d63",
    "5.10": b"e28e389cfc6f7863e0d23701201f7d63",
    "5.11": DIGEST_5_11,
    "5.12": b"fed88705215b54d5101b1b6e9f76673e",
    "5.13": b"fed88705215b54d5101b1b6e9f76673e",
    "6.0": b"8b9893cd135e41165164da7f5d2f922e",
    "6.1": b"8b9893cd135e41165164da7f5d2f922e",
}
# How pvlink introduces itself at a job's door, in the place of a rendering backend.
PVLINK = "pvlink"
# ParaView's own introduction has about 60 bytes.
MAX_TEXT = 1024
_TEXT = re.compile(rb"^paraview-([0-9]+\.[0-9]+)\.(?:connect_id\.([0-9]+)\.)?renderingbackend\.([^.]+)$")


class Code(enum.IntEnum):
    """How the listening side ends the handshake: vtkTCPNetworkAccessManager's HandshakeErrors."""

    GOOD = 0
    COMMUNICATOR = 1
    VERSION = 2
    ID = 3
    BACKEND = 4
    UNKNOWN = 5


class NotParaViewError(Exception):
    """The other side says what no ParaView says."""

    def __init__(self, said: bytes) -> None:
        super().__init__(said)
        self.said = said


class OtherDigestError(Exception):
    """The other side has another vtkSocketCommunicator, and closes. Whoever comes again with its digest gets on."""

    def __init__(self, digest: bytes) -> None:
        super().__init__(digest)
        self.digest = digest


@dataclass(frozen=True)
class Introduction:
    """What a ParaView says of itself; no id is 0."""

    version: str
    connect_id: int = 0
    backend: str = "opengl2"

    def text(self) -> bytes:
        """As it is sent, but for the NUL."""
        number = f"connect_id.{self.connect_id}." if self.connect_id else ""
        return f"paraview-{self.version}.{number}renderingbackend.{self.backend}".encode()

    def judged(self, other: Introduction | None) -> Code:
        """What the listening side that is `self` answers to `other`: version before id, id before the rest."""
        if other is None:
            return Code.UNKNOWN
        if other.version != self.version:
            return Code.VERSION
        if other.connect_id != self.connect_id:
            return Code.ID
        return Code.GOOD if other.backend == self.backend else Code.BACKEND


def introduced(text: bytes) -> Introduction | None:
    """None: it is none, or one of a ParaView that we do not know."""
    found = _TEXT.match(text.split(b"\0")[0])
    if found is None:
        return None
    version, number, backend = found.groups()
    return Introduction(version.decode(), int(number or 0), backend.decode(errors="replace"))


def _message(tag: int, body: bytes) -> bytes:
    return _HEAD.pack(tag, len(body)) + body


class _Side:
    """Messages as they end."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        # Whether anything came at all.
        self.heard = False
        self.done = False

    @property
    def rest(self) -> bytes:
        """What came after the handshake, and belongs to those who talk then."""
        return bytes(self._buffer)

    def _next(self, tag: int, length: int) -> bytes | None:
        """The body of the message that must come now, once it is there; wrong ones are seen at their first byte."""
        head = _HEAD.pack(tag, length)
        if not head.startswith(self._buffer[: _HEAD.size]):
            raise NotParaViewError(bytes(self._buffer))
        end = _HEAD.size + length
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[_HEAD.size : end])
        del self._buffer[:end]
        return body


class Caller(_Side):
    """The side that connected."""

    def __init__(self, introduction: Introduction, digest: bytes = DIGEST_5_11) -> None:
        super().__init__()
        text = introduction.text() + b"\0"
        self._steps = [
            (ENDIAN, 1, _message(ENDIAN, b"\0")),
            (GENERATION, 4, _message(GENERATION, _INT.pack(OUR_GENERATION))),
            (DIGEST, 33, _message(DIGEST, digest + b"\0")),
            (IDS, 4, _message(IDS, _INT.pack(1))),
            (CODE, 4, _message(TEXT, _INT.pack(len(text))) + _message(TEXT, text)),
        ]
        self._digest = digest
        # What the other side answered.
        self.code = Code.UNKNOWN
        self.ids = 1

    def begin(self) -> bytes:
        return self._steps[0][2]

    def feed(self, data: bytes) -> bytes:
        """What to say now. Raises NotParaViewError and OtherDigestError."""
        self.heard = self.heard or bool(data)
        self._buffer += data
        answer = b""
        while not self.done:
            tag, length, _ = self._steps[0]
            body = self._next(tag, length)
            if body is None:
                break
            self._look(tag, body)
            self._steps.pop(0)
            if self._steps:
                answer += self._steps[0][2]
            else:
                self.done = True
        return answer

    def _look(self, tag: int, body: bytes) -> None:
        if tag == DIGEST:
            if body[:32] != self._digest:
                raise OtherDigestError(body[:32])
        elif tag == IDS:
            self.ids = _INT.unpack(body)[0]
        elif tag == CODE:
            number = _INT.unpack(body)[0]
            self.code = Code(number) if Code.GOOD <= number < Code.UNKNOWN else Code.UNKNOWN
        elif body not in (b"\0", _INT.pack(OUR_GENERATION)):
            # Another byte order, or a VTK from before 2009.
            raise NotParaViewError(_message(tag, body))


class Answerer(_Side):
    """The side that listened. It has whatever digest the other side has."""

    def __init__(self, judge: Callable[[Introduction | None], Code], ids: int = 1) -> None:
        super().__init__()
        self._judge = judge
        self._ids = ids
        self._steps = [(ENDIAN, 1), (GENERATION, 4), (DIGEST, 33), (IDS, 4), (TEXT, 4), (TEXT, 0)]
        self.code = Code.UNKNOWN
        self.introduction: Introduction | None = None
        self.digest = b""

    def begin(self) -> bytes:
        return b""

    def feed(self, data: bytes) -> bytes:
        """What to answer now. Raises NotParaViewError."""
        self.heard = self.heard or bool(data)
        self._buffer += data
        answer = b""
        while not self.done:
            tag, length = self._steps[0]
            body = self._next(tag, length)
            if body is None:
                break
            self._steps.pop(0)
            answer += self._answer(tag, body)
        return answer

    def _answer(self, tag: int, body: bytes) -> bytes:
        if tag == ENDIAN:
            if body != b"\0":
                raise NotParaViewError(_message(tag, body))
            return _message(tag, b"\0")
        if tag == GENERATION:
            return _message(tag, _INT.pack(OUR_GENERATION))
        if tag == DIGEST:
            self.digest = body[:32]
            return _message(tag, body)
        if tag == IDS:
            return _message(tag, _INT.pack(self._ids))
        if len(self._steps) == 1:
            size = _INT.unpack(body)[0]
            if not 0 < size <= MAX_TEXT:
                raise NotParaViewError(_message(tag, body))
            self._steps[0] = (TEXT, size)
            return b""
        self.introduction = introduced(body)
        self.code = self._judge(self.introduction)
        self.done = True
        return _message(CODE, _INT.pack(self.code))
