"""When to ask the engine for a frame of one view, how to encode it, and who gets it.

Pull, never push: a viewer's "drawn" gives it a credit, a credit lets the engine be asked. Rendering frame n+1 overlaps
encoding and sending frame n as long as somebody has a credit left for it. At any time there is one newest frame; a
viewer that cannot take it now takes whatever is newest when it can, so a slow one loses frames and costs nobody
else any time or memory. No clock, no socket: time is passed in, decisions come out as a list of acts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from pvlink.protocol import Codec
from pvlink.streamer.clients import Client, Clients

# A view without a newer frame for so long rests: its full frame goes out once more, without loss.
REST_SECONDS = 0.150

Content = TypeVar("Content")


@dataclass(eq=False, slots=True)
class Held(Generic[Content]):
    """A filled slot of the engine's memory: ours until freed. Kept while it is the newest or being encoded."""

    order: int
    full: bool
    arrived: float
    content: Content
    running: set[Codec] = field(default_factory=set)
    failed: set[Codec] = field(default_factory=set)
    pictures: dict[Codec, Picture[Content]] = field(default_factory=dict)


@dataclass(eq=False, slots=True, frozen=True)
class Picture(Generic[Content]):
    """A frame, encoded."""

    order: int
    full: bool
    arrived: float
    content: Content
    codec: Codec
    data: bytes
    encode_ms: float


@dataclass(slots=True, frozen=True)
class Watch:
    width: int
    height: int


@dataclass(slots=True, frozen=True)
class Unwatch:
    pass


@dataclass(slots=True, frozen=True)
class Want:
    pass


@dataclass(slots=True, frozen=True)
class Free(Generic[Content]):
    held: Held[Content]


@dataclass(slots=True, frozen=True)
class Encode(Generic[Content]):
    held: Held[Content]
    codec: Codec


@dataclass(slots=True, frozen=True)
class Send(Generic[Content]):
    client: str
    picture: Picture[Content]


Act: TypeAlias = Watch | Unwatch | Want | Free[Content] | Encode[Content] | Send[Content]


class Pacer(Generic[Content]):
    """Decides for one view. Tell it what happened, then do what `decide` returns."""

    def __init__(self) -> None:
        self.clients = Clients()
        self.newest: Held[Content] | None = None
        # Counts frames itself: a new engine, or a confused one, may begin again at any number.
        self._order = 0
        self._held: list[Held[Content]] = []
        # The newest encoded picture: the one slot that all slow viewers share.
        self._latest: Picture[Content] | None = None
        self._watched: tuple[int, int] | None = None
        self._wanting = False
        # Up to this one the view may have changed without a frame: good to look at, not to be asked for.
        self._stale = 0

    # What happened.

    def frame(self, content: Content, full: bool, now: float) -> None:
        """The engine filled a slot; the former newest frame is superseded."""
        self._order += 1
        self.newest = Held(self._order, full, now, content)
        self._held.append(self.newest)
        self._wanting = False

    def encoded(self, held: Held[Content], codec: Codec, data: bytes | None, encode_ms: float) -> None:
        """An `Encode` has been done; no data if it failed."""
        held.running.discard(codec)
        if data is None:
            held.failed.add(codec)
            return
        picture = Picture(held.order, held.full, held.arrived, held.content, codec, data, encode_ms)
        held.pictures[codec] = picture
        if self._latest is None or picture.order >= self._latest.order:
            self._latest = picture

    def visible(self, name: str, visible: bool) -> None:
        client = self.clients.get(name)
        if client is not None and client.visible != visible:
            client.visible = visible
            if visible:
                client.begin_anew()

    def drawn(self, name: str, order: int) -> bool:
        client = self.clients.get(name)
        return client is not None and client.drawn(order)

    def written(self, name: str) -> None:
        """The viewer's writer is free again."""
        if client := self.clients.get(name):
            client.writing = False

    def engine_changed(self) -> None:
        """Another engine took over: it knows of no watch and no want, and the frame we have is not its."""
        self._watched = None
        self._wanting = False
        self.expect_newer()

    def expect_newer(self) -> None:
        """What there is may not be what the view looks like."""
        if self.newest is not None:
            self._stale = self.newest.order

    def settle(self) -> None:
        """No newer frame will come: the last one is as good as it gets."""
        self._stale = 0

    def close(self) -> None:
        """The view is gone; nothing is kept."""
        self.newest = None
        self._latest = None

    # What to do.

    def decide(self, now: float) -> list[Act[Content]]:
        acts: list[Act[Content]] = []
        self._decide_watch(acts)
        for client in self.clients.visible():
            self._decide_client(client, now, acts)
        self._decide_free(acts)
        if not self._wanting and self._watched is not None and any(map(self._hungry, self.clients.visible())):
            self._wanting = True
            acts.append(Want())
        return acts

    def wake_at(self, now: float) -> float | None:
        """When `decide` would say something new by the mere passing of time."""
        newest = self.newest
        if newest is None or not newest.full or now >= newest.arrived + REST_SECONDS:
            return None
        waiting = any("png" in client.codecs and not self._done(client) for client in self.clients.visible())
        return newest.arrived + REST_SECONDS if waiting else None

    def _decide_watch(self, acts: list[Act[Content]]) -> None:
        size = self.clients.size()
        if size == self._watched or (size == (0, 0) and self._watched is not None):
            return
        self._watched = size
        if size is not None:
            acts.append(Watch(*size))
            return
        self._wanting = False
        self.expect_newer()
        acts.append(Unwatch())

    def _decide_client(self, client: Client, now: float, acts: list[Act[Content]]) -> None:
        if client.credit <= 0:
            return
        picture = None
        codec = self._goal(client, now)
        if codec is not None and self.newest is not None:
            picture = self.newest.pictures.get(codec)
            if picture is None and codec not in self.newest.running:
                self.newest.running.add(codec)
                acts.append(Encode(self.newest, codec))
        picture = picture or self._older(client)
        if picture is not None and not client.writing:
            client.sent(picture.order, picture.codec)
            acts.append(Send(client.name, picture))

    def _goal(self, client: Client, now: float) -> Codec | None:
        """In which form this viewer should get the newest frame; None if it has it."""
        newest = self.newest
        if newest is None or self._done(client):
            return None
        if client.only_full:
            return "png" if newest.full and self._fresh(newest.order) and "png" not in newest.failed else None
        usable = [codec for codec in ("jpeg", "png") if codec in client.codecs and codec not in newest.failed]
        rested = newest.full and now >= newest.arrived + REST_SECONDS and "png" in usable
        if client.has(newest.order):
            return "png" if rested else None
        # The first picture of a frame is the quicker one to make.
        if rested and "png" in newest.pictures:
            return "png"
        return "jpeg" if "jpeg" in usable else "png" if usable else None

    def _done(self, client: Client) -> bool:
        if client.only_full:
            return client.shown is not None
        return self.newest is not None and client.shown == (self.newest.order, "png")

    def _older(self, client: Client) -> Picture[Content] | None:
        """A picture of an earlier frame, better than none while the newest is still being encoded."""
        latest = self._latest
        if latest is None or client.has(latest.order) or latest.codec not in client.codecs:
            return None
        if client.only_full and not (latest.full and latest.codec == "png" and self._fresh(latest.order)):
            return None
        return latest

    def _fresh(self, order: int) -> bool:
        return order > self._stale

    def _decide_free(self, acts: list[Act[Content]]) -> None:
        done = [held for held in self._held if held is not self.newest and not held.running]
        self._held = [held for held in self._held if held is self.newest or held.running]
        acts.extend(Free(held) for held in done)

    def _hungry(self, client: Client) -> bool:
        """Whether this viewer could take one more frame than those already on their way to it."""
        if client.only_full:
            return not self._done(client) and not any("png" in held.running for held in self._held)
        coming = sum(not client.has(held.order) and self._comes(held) for held in self._held)
        return client.credit - coming > 0

    def _comes(self, held: Held[Content]) -> bool:
        return bool(held.running) or (held is self.newest and held.failed != {"jpeg", "png"})
