"""The wire between streamer and viewer, written once.

`js/src/protocol.ts` is generated from this file (`python tools/generate_protocol.py`); a test fails when
the two differ. One websocket carries one view. It begins with a ticket (`Grant`, fetched over HTTP) and a handshake in
two text messages (`Greet`, `Greeted`) that proves each side to the other. Then the viewer calls the methods in
`METHODS`; the streamer publishes the topics in `TOPICS`. Both travel as wslink messages (msgpack in numbered chunks).
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

# Raised whenever an older viewer could no longer understand the streamer, or the other way round.
PROTOCOL_VERSION = 3

# A view larger than this is refused: 8k by 8k is 256 MB a frame, and no browser paints it in one piece.
MAX_SIDE = 8192

# What a viewer may send in one message, and how many events one message may hold.
MAX_MESSAGE_BYTES = 1 << 20
MAX_EVENTS = 256

# How long a ticket may be used, once, after it was given out.
TICKET_SECONDS = 30
# Websocket close codes of the streamer and the relay. The reason is a sentence for the user.
# Not let in: no ticket, a used or an old one, a wrong proof. A new ticket may help.
CLOSE_DENIED = 4401
# Let in once, and no longer: the share was revoked or ran out.
CLOSE_REVOKED = 4403
# The session does not exist (any more).
CLOSE_NO_SESSION = 4404
# More viewers than the session takes.
CLOSE_FULL = 4429
# The streamer went away.
CLOSE_GONE = 4502

Side = Annotated[int, Meta(ge=1, le=MAX_SIDE)]
# 0 is the left or top edge of the picture, 1 the right or bottom one. A drag may leave the picture.
Fraction = Annotated[float, Meta(ge=-16.0, le=17.0)]
Seq = Annotated[int, Meta(ge=0)]
Name = Annotated[str, Meta(max_length=64)]
# What a browser throws for itself: 128 bits and 256 bits.
Dice128 = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
Dice256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
CommOp = Literal["ticket", "open", "data", "close"]
CommNews = Literal["granted", "refused", "open", "data", "seen", "busy", "idle", "closed"]

EventType = Literal["move", "down", "up", "wheel", "pinch", "key", "action"]
# Pictures that stand alone, and videos, whose frames need those before them.
Codec = Literal["jpeg", "png", "h264", "vp9", "av1"]
State = Literal["live", "busy", "ended", "lost", "gone"]
# owner: everything, and sees who watches; control: moves the view; view: looks and changes nothing.
Role = Literal["owner", "control", "view"]
# How a viewer came in: through the Jupyter server, by a shared link, by the kernel's messages, or straight.
Way = Literal["jupyter", "link", "comm", "direct"]
# fmt: off
Action = Literal[
    "reset", "+x", "-x", "+y", "-y", "+z", "-z", "isometric", "rotate-left", "rotate-right", "rotate-up", "rotate-down",
    "pan-left", "pan-right", "pan-up", "pan-down", "zoom-in", "zoom-out",
]
# fmt: on


class Grant(Struct):
    """What the ticket routes answer: leave to open one websocket, once, within TICKET_SECONDS."""

    # Its name, said in `Greet`.
    ticket: str
    # Its secret, known to both sides from here on; it never crosses the websocket.
    key: str
    view: str
    role: Role


class Greet(Struct, forbid_unknown_fields=True):
    """The viewer's first message, as JSON in a text message."""

    protocol: int
    ticket: Name
    # Random, from the viewer: the streamer's proof cannot be an old one.
    nonce: Annotated[str, Meta(min_length=16, max_length=64)]


class Greeted(Struct):
    """The streamer's answer, likewise. The viewer's own proof follows as the secret of wslink's hello."""

    protocol: int
    version: str
    nonce: str
    # HMAC-SHA256 with the ticket's key, in hexadecimal, of "pvlink streamer", ticket, the viewer's nonce and the
    # streamer's, joined by line feeds. The viewer's proof is the same of "pvlink viewer".
    proof: str


class InputEvent(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One thing a hand did. Which fields count depends on `type`."""

    type: EventType
    x: Fraction = 0.0
    y: Fraction = 0.0
    # 0 left, 1 middle, 2 right; of "down" and "up".
    button: Annotated[int, Meta(ge=0, le=2)] = 0
    ctrl: bool = False
    shift: bool = False
    alt: bool = False
    # 2 for the second press of a double click.
    clicks: Annotated[int, Meta(ge=1, le=3)] = 1
    # "wheel": notches turned, positive away from the user (nearer); "pinch": size ratio since the last event.
    amount: Annotated[float, Meta(ge=-100.0, le=100.0)] = 0.0
    # "key": the DOM's KeyboardEvent.key, pressed and released.
    key: Annotated[str, Meta(max_length=32)] = ""
    # "action": what a button of the tool bar or a shortcut asks for.
    action: Action | None = None


class Join(Struct, forbid_unknown_fields=True):
    """First message of a viewer: which view it wants, how big (device pixels), what it can decode."""

    protocol: int
    view: Name
    width: Side
    height: Side
    codecs: Annotated[list[str], Meta(max_length=16)]
    visible: bool = True


class Joined(Struct):
    """The streamer's answer to `Join`."""

    protocol: int
    version: str
    # The viewer's own name in `Frame.inputs`.
    client: str
    role: Role
    state: ViewState


class Size(Struct, forbid_unknown_fields=True):
    width: Side
    height: Side


class Input(Struct, forbid_unknown_fields=True):
    # Grows by one with each message of this viewer; comes back in `Frame.inputs`.
    seq: Seq
    events: Annotated[list[InputEvent], Meta(min_length=1, max_length=MAX_EVENTS)]


class Drawn(Struct, forbid_unknown_fields=True):
    """The frame is on the screen: the clock of the whole pipeline."""

    frame: Seq
    # From the last byte received to the picture decoded, and from there to painted.
    decode_ms: Annotated[float, Meta(ge=0.0)] = 0.0
    paint_ms: Annotated[float, Meta(ge=0.0)] = 0.0
    # From the newest input this frame answers to painted; 0 when it answers none of this viewer's.
    input_ms: Annotated[float, Meta(ge=0.0)] = 0.0


class Undecodable(Struct, forbid_unknown_fields=True):
    """This frame could not be decoded: its codec is sent no more, and the newest picture once more in another."""

    frame: Seq
    codec: Codec


class Refresh(Struct, forbid_unknown_fields=True):
    """The viewer's video decoder lost its place: a frame that needs no other, please."""


class Visible(Struct, forbid_unknown_fields=True):
    """A hidden viewer asks for nothing."""

    visible: bool


class Ping(Struct, forbid_unknown_fields=True):
    """Keeps idle proxies from closing the socket, and tells a dead link from a quiet one."""

    time: float


class Pong(Struct):
    time: float


class ShareName(Struct, forbid_unknown_fields=True):
    """One of the owner's shares, whose password is to be read."""

    share: Name


class Revoke(Struct, forbid_unknown_fields=True):
    """Ends a share, and the visits of those who came by it."""

    share: Name


class Password(Struct):
    password: str


class Person(Struct):
    """One viewer, as its owner sees it."""

    client: str
    # The Jupyter user's name, or the address a link was opened from.
    who: str
    role: Role
    way: Way
    # The share it came by; empty for those who came through Jupyter.
    share: str
    # Unix time.
    since: float


class ShareInfo(Struct):
    """One link, as its owner sees it; the password is asked for apart."""

    share: str
    role: Role
    url: str
    # SHA-256 of the certificate, as browsers show it.
    fingerprint: str
    # Unix time.
    expires: float


class People(Struct):
    """Topic `pvlink.people`, to owners only: who watches this view, and by which links others may."""

    viewers: list[Person]
    shares: list[ShareInfo]


class Camera(Struct):
    """Where a frame was seen from; matrices are row-major, as VTK has them."""

    position: list[float]
    focal_point: list[float]
    view_up: list[float]
    parallel_scale: float
    parallel: bool
    view_matrix: list[float]
    projection_matrix: list[float]
    near: float
    far: float


class Frame(Struct):
    """Topic `pvlink.frame`: one picture and what is known about it."""

    id: int
    codec: Codec
    width: int
    height: int
    # True: full settings and no loss; False: a picture on the way.
    still: bool
    # Engine's clock (Unix time, seconds) when rendering began.
    time: float
    # Newest input of each viewer that this frame answers.
    inputs: dict[str, int]
    # None for views that have none, such as charts.
    camera: Camera | None
    render_ms: float
    readback_ms: float
    wait_ms: float
    encode_ms: float
    # Whether it can be decoded without those before it.
    key: bool
    # What a video decoder is configured with, as in RFC 6381; empty for pictures.
    config: str
    data: bytes


class ViewState(Struct):
    """Topic `pvlink.state`: how the view is, in a word and in a sentence for the user."""

    state: State
    message: str = ""
    # Share of the running pipeline update that is done, 0 to 1; none when unknown.
    progress: float | None = None


class Door(Struct):
    """Where a viewer may go directly: the streamer's own TLS door."""

    url: str
    # To be opened once, so that the browser asks about the certificate.
    page: str
    # SHA-256 of the certificate, as browsers show it.
    fingerprint: str


class CommCall(Struct, forbid_unknown_fields=True):
    """A custom message of the widget, from a viewer to the kernel (`pvlink/comm.py`)."""

    pvlink: CommOp
    channel: Dice128
    # Grows by one with each message on this channel.
    seq: Seq = 0
    # "ticket": its name and key, thrown by the browser; and whether it may be for the direct door, if there is one.
    ticket: Dice128 | None = None
    key: Dice256 | None = None
    direct: bool = False
    # "open": no buffers, both ways: kernel gateways (jupyter_server's client of them) break at one.
    plain: bool = False
    # "data": one message of text, or several binary ones, in the buffers or here.
    text: Annotated[str, Meta(max_length=4096)] | None = None
    base64: Annotated[list[Annotated[str, Meta(max_length=2 * MAX_MESSAGE_BYTES)]], Meta(max_length=256)] | None = None


class CommWord(Struct):
    """A custom message of the widget, from the kernel to one of its viewers."""

    pvlink: CommNews
    channel: str
    # The newest of the viewer's messages that was taken.
    seen: int = 0
    # "granted".
    view: str = ""
    role: Role = "view"
    door: Door | None = None
    # "data": one websocket message; if it is binary, in the buffer or here.
    text: str | None = None
    base64: str | None = None
    # "refused", "closed": a close code, a sentence for the user, and whether the session will not come back.
    code: int = 0
    message: str = ""
    final: bool = False


METHODS: dict[str, tuple[type[Struct], type[Struct] | None]] = {
    "pvlink.join": (Join, Joined),
    "pvlink.size": (Size, None),
    "pvlink.input": (Input, None),
    "pvlink.drawn": (Drawn, None),
    "pvlink.undecodable": (Undecodable, None),
    "pvlink.refresh": (Refresh, None),
    "pvlink.visible": (Visible, None),
    "pvlink.ping": (Ping, Pong),
    # Owners only.
    "pvlink.password": (ShareName, Password),
    "pvlink.revoke": (Revoke, None),
}
TOPICS: dict[str, type[Struct]] = {"pvlink.frame": Frame, "pvlink.state": ViewState, "pvlink.people": People}
# What is not a method or a topic: the answer of the ticket routes, the handshake's messages, and those of the widget.
HANDSHAKE: tuple[type[Struct], ...] = (Grant, Greet, Greeted, CommCall, CommWord)
