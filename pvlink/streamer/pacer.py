"""When to ask the engine for a frame of one view, how to encode it, and who gets it.

Pull, never push: a viewer's "drawn" gives it a credit, a credit lets the engine be asked. Rendering frame n+1 overlaps
encoding and sending frame n as long as somebody has a credit left for it. At any time there is one newest frame; a
viewer that cannot take it now takes whatever is newest when it can, so a slow one loses frames and costs nobody
else any time or memory. No clock, no socket: time is passed in, decisions come out as a list of acts.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import log
from typing import Generic

from pvlink.protocol import Codec
from pvlink.streamer.acts import Act, Content, Encode, Free, Held, Picture, Send, Unwatch, Want, Watch
from pvlink.streamer.clients import Client, Clients
from pvlink.streamer.encoders.pixels import Encoded
from pvlink.streamer.forms import STILL, Form, Weights, nominal
from pvlink.streamer.pins import Pins
from pvlink.streamer.videos import Video

# A view without a newer frame for so long rests: its full frame goes out once more, without loss.
REST_SECONDS = 0.150
# Forms that moving frames of one view are encoded in at once, however many lines its viewers have: whoever would need
# one more takes the nearest of these.
MOST_FORMS = 3


class Pacer(Generic[Content]):
    """Decides for one view. Tell it what happened, then do what `decide` returns."""

    def __init__(self) -> None:
        self.clients = Clients()
        self.newest: Held[Content] | None = None
        self.weights = Weights()
        # What the engine needs for a frame, in seconds.
        self._interval = 0.0
        # Counts frames itself: a new engine, or a confused one, may begin again at any number.
        self._order = 0
        self._held: list[Held[Content]] = []
        # The newest picture, in the forms that it has been encoded in: the slot that all slow viewers share.
        self._latest: dict[Form, Picture[Content]] = {}
        self._videos: dict[Form, Video[Content]] = {}
        # Encoders that this machine has not.
        self._broken: set[Codec] = set()
        self._watched: tuple[int, int] | None = None
        self._wanting = False
        # Up to this one the view may have changed without a frame: good to look at, not to be asked for.
        self._stale = 0

    # What happened.

    def frame(self, content: Content, full: bool, now: float, *, pixels: int, interval: float) -> None:
        """The engine filled a slot; the former newest frame is superseded."""
        self._order += 1
        self.newest = Held(self._order, full, now, content, pixels)
        self._held.append(self.newest)
        self._wanting = False
        if not full:
            self._interval += 0.3 * (interval - self._interval) if self._interval else interval

    def encoded(self, held: Held[Content], form: Form, encoded: Encoded | None, encode_ms: float) -> None:
        """An `Encode` has been done; none if it failed."""
        held.running.discard(form)
        video = self._videos.get(form) if form.video else None
        if video is not None:
            video.running = False
        if encoded is None:
            held.failed.add(form.codec)
            if video is not None:
                # There is no such encoder here: nobody is asked for it again.
                self._broken.add(form.codec)
                for client in list(video.booked):
                    video.release(client)
            return
        self.weights.took(form, encode_ms / 1e3, held.pixels)
        if not encoded.key or not form.video:
            self.weights.learn(form, len(encoded.data), held.pixels)
        picture = Picture(held.order, held.full, held.arrived, held.content, form, encoded, encode_ms)
        if video is not None:
            video.encoded(picture)
            return
        held.pictures[form] = picture
        newest = max((other.order for other in self._latest.values()), default=0)
        if picture.order > newest:
            self._latest.clear()
        if picture.order >= newest:
            self._latest[form] = picture

    def visible(self, name: str, visible: bool) -> None:
        client = self.clients.get(name)
        if client is not None and client.visible != visible:
            client.visible = visible
            if visible:
                client.begin_anew()

    def drawn(self, name: str, order: int, now: float, shown: float = 0.0) -> bool:
        client = self.clients.get(name)
        return client is not None and client.drawn(order, now, shown)

    def undecodable(self, name: str, order: int, codec: Codec, now: float) -> bool:
        """The viewer has a frame that it cannot decode; true if this is news."""
        client = self.clients.get(name)
        if client is None or codec not in client.codecs or codec == STILL.codec:
            return False
        client.drawn(order, now, 0.0)
        client.cannot(codec)
        return True

    def lost_place(self, name: str) -> None:
        """The viewer's decoder has to begin anew."""
        if client := self.clients.get(name):
            client.place = None
            # Also at rest: it may be waiting for this very frame.
            if client.shown is not None and client.shown[1].video:
                client.shown = None

    def written(self, name: str) -> None:
        """The viewer's writer is free again."""
        if client := self.clients.get(name):
            client.writing = False

    def pinned(self, pins: Pins) -> None:
        """Somebody has chosen how frames are sent, for all there are; the engine hears of its part."""
        self._watched = None
        for client in self.clients:
            if not client.only_full:
                client.rate.pin(pins)

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
        self._latest.clear()
        for video in self._videos.values():
            video.picture = None

    # What to do.

    def decide(self, now: float) -> list[Act[Content]]:
        acts: list[Act[Content]] = []
        self._decide_watch(acts)
        visible = self.clients.visible()
        self._hand_over(now, acts)
        self._decide_clients([client for client in visible if not client.booked], now, acts)
        self._decide_free(acts)
        if not self._wanting and self._watched is not None and any(map(self._hungry, visible)):
            self._wanting = True
            acts.append(Want())
        return acts

    def wake_at(self, now: float) -> float | None:
        """When `decide` would say something new by the mere passing of time."""
        waits = [video.wake_at for video in self._videos.values() if video.wake_at is not None]
        newest = self.newest
        if newest is not None and newest.full:
            for client in self.clients.visible():
                rest = self._rest_at(client, newest)
                if now < rest and "png" in client.codecs and not self._done(client):
                    waits.append(rest)
        return min((wait for wait in waits if wait > now), default=None)

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

    def _decide_clients(self, clients: Iterable[Client], now: float, acts: list[Act[Content]]) -> None:
        viewers: dict[Form, list[Client]] = {}
        for client in clients:
            goal = self._goal(client, now)
            if goal is not None and goal.video:
                viewers.setdefault(goal, []).append(client)
            else:
                self._decide_client(client, goal, now, acts)
        for form, wanting in viewers.items():
            newest = self.newest
            video = self._videos.setdefault(form, Video(form))
            if newest is not None and (key := video.book(newest.order, wanting, now)) is not None:
                newest.running.add(form)
                acts.append(Encode(newest, form, key))

    def _hand_over(self, now: float, acts: list[Act[Content]]) -> None:
        """Each frame of a video to those it was encoded for."""
        for video in self._videos.values():
            for client in video.receivers():
                video.release(client)
                if client.visible and self.clients.get(client.name) is client and video.picture is not None:
                    client.place = video.place
                    self._send(client, video.picture, now, acts)

    def _decide_client(self, client: Client, goal: Form | None, now: float, acts: list[Act[Content]]) -> None:
        if client.credit <= 0:
            return
        picture = None
        if goal is not None and self.newest is not None:
            picture = self.newest.pictures.get(goal)
            if picture is None and goal not in self.newest.running:
                self.newest.running.add(goal)
                acts.append(Encode(self.newest, goal))
        picture = picture or self._older(client)
        if picture is not None and not client.writing:
            self._send(client, picture, now, acts)

    def _send(self, client: Client, picture: Picture[Content], now: float, acts: list[Act[Content]]) -> None:
        client.sent(picture.order, picture.form, len(picture.encoded.data), now)
        acts.append(Send(client.name, picture))

    # What a viewer should have.

    def _goal(self, client: Client, now: float) -> Form | None:
        """In which form this viewer should get the newest frame; None if it has it."""
        newest = self.newest
        if newest is None or self._done(client):
            return None
        if client.only_full:
            return STILL if newest.full and self._fresh(newest.order) and "png" not in newest.failed else None
        stillable = "png" in client.codecs and "png" not in newest.failed
        rested = newest.full and now >= self._rest_at(client, newest) and stillable
        if client.has(newest.order):
            return STILL if rested else None
        # The first picture of a frame is the quicker one to make.
        if rested and STILL in newest.pictures:
            return STILL
        for codec in self._broken & client.codecs:
            client.cannot(codec)
        if client.ready and client.chosen < newest.order:
            # Once a frame: with many viewers this is what deciding costs.
            client.chosen = newest.order
            client.rate.choose(now, self.weights, newest.pixels, self._interval)
            self._share(client)
        form = client.rate.form
        if form.codec in newest.failed:
            form = client.rate.fallback
        return form if form.codec not in newest.failed else STILL if stillable else None

    def _share(self, client: Client) -> None:
        """Have it take what others take, where there are many."""
        forms = {other.rate.form for other in self.clients.visible() if other is not client and not other.only_full}
        if client.rate.form in forms or len(forms) < MOST_FORMS:
            return
        usable = [form for form in forms if form.codec in client.codecs]
        weight = nominal(client.rate.form)
        client.rate.form = min(usable, key=lambda form: abs(log(nominal(form) / weight)), default=client.rate.form)

    def _rest_at(self, client: Client, newest: Held[Content]) -> float:
        return newest.arrived + REST_SECONDS + client.rate.putting_off

    def _done(self, client: Client) -> bool:
        if client.only_full:
            return client.shown is not None
        return self.newest is not None and client.shown == (self.newest.order, STILL)

    def _older(self, client: Client) -> Picture[Content] | None:
        """A picture of an earlier frame, better than none while the newest is still being encoded."""
        if client.only_full:
            latest = self._latest.get(STILL)
            return latest if latest is not None and latest.full and self._fresh(latest.order) else None
        forms = [form for form in (client.rate.form, STILL) if not form.video and form.codec in client.codecs]
        found = [self._latest[form] for form in forms if form in self._latest]
        latest = max(found, key=lambda picture: picture.order, default=None)
        return None if latest is None or client.has(latest.order) else latest

    def _fresh(self, order: int) -> bool:
        return order > self._stale

    def _decide_free(self, acts: list[Act[Content]]) -> None:
        done = [held for held in self._held if held is not self.newest and not held.running]
        self._held = [held for held in self._held if held is self.newest or held.running]
        acts.extend(Free(held) for held in done)

    def _hungry(self, client: Client) -> bool:
        """Whether this viewer could take one more frame than those already on their way to it."""
        if client.only_full:
            return not self._done(client) and not any(STILL in held.running for held in self._held)
        coming = sum(not client.has(held.order) and self._comes(held) for held in self._held)
        return client.credit - coming > 0

    def _comes(self, held: Held[Content]) -> bool:
        return bool(held.running) or (held is self.newest and not {"jpeg", "png"} <= held.failed)
