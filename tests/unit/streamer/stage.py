"""A pacer at work without a clock, and everything that can happen to it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import strategies as st

from pvlink.streamer.acts import Act, Encode, Free, Picture, Send, Unwatch, Want, Watch
from pvlink.streamer.clients import Client
from pvlink.streamer.encoders.pixels import Encoded
from pvlink.streamer.forms import Form
from pvlink.streamer.pacer import Pacer

BOTH = frozenset({"jpeg", "png"})


class Stage:
    """A pacer with an engine and encoders that do at once what they are told, unless told to wait."""

    def __init__(self) -> None:
        self.pacer: Pacer[int] = Pacer()
        self.now = 0.0
        self.acts: list[Act[int]] = []
        self.encoding: list[Encode[int]] = []
        self.sent: dict[str, list[tuple[int, str]]] = {}
        self.frames = 0
        self.freed: Counter[int] = Counter()
        self.wanted = False
        self.watched: tuple[int, int] | None = None
        # How many frames of each video were encoded, and up to which each viewer has one.
        self.lengths: Counter[Form] = Counter()
        self.places: dict[str, tuple[Form, int]] = {}

    def join(self, name: str, codecs: frozenset[str] = BOTH, *, far: bool = False, **options: Any) -> Client:
        client = Client(name, codecs, options.pop("width", 100), options.pop("height", 50), **options)
        # To a line that is far a video is sent, if the viewer takes one.
        client.rate.line.round_trip = 0.1 if far else 0.0
        self.pacer.clients.add(client)
        self.decide()
        return client

    def frame(self, full: bool = False) -> int:
        self.frames += 1
        self.wanted = False
        self.pacer.frame(self.frames, full, self.now, pixels=5000, interval=0.1)
        self.decide()
        return self.frames

    def _follows(self, client: str, picture: Picture[int]) -> None:
        """A viewer must have the frame that this one was encoded after."""
        place = picture.form, int(picture.encoded.config)
        assert picture.encoded.key or self.places.get(client) == (place[0], place[1] - 1), "it cannot be decoded"
        self.places[client] = place

    def encode(self, fail: bool = False) -> None:
        job = self.encoding.pop(0)
        self.lengths[job.form] += not fail
        encoded = Encoded(
            f"{job.form.codec} {job.held.content}".encode(), 100, 50, job.key, str(self.lengths[job.form])
        )
        self.pacer.encoded(job.held, job.form, None if fail else encoded, 1.0)
        self.decide()

    def encode_all(self) -> None:
        while self.encoding:
            self.encode()

    def written(self, name: str) -> None:
        self.pacer.written(name)
        self.decide()

    def drawn(self, name: str, order: int) -> None:
        self.pacer.drawn(name, order, self.now)
        self.decide()

    def show(self, name: str) -> None:
        """Everything sent to this viewer arrives and is drawn."""
        self.written(name)
        client = self.pacer.clients.get(name)
        for order in list(client.in_flight) if client else []:
            self.drawn(name, order)

    def later(self, seconds: float) -> None:
        self.now += seconds
        self.decide()

    def decide(self) -> None:
        for act in self.pacer.decide(self.now):
            self.acts.append(act)
            match act:
                case Encode():
                    self.encoding.append(act)
                case Send(client, picture):
                    assert picture.encoded.data == f"{picture.form.codec} {picture.content}".encode()
                    if picture.form.video:
                        self._follows(client, picture)
                    self.sent.setdefault(client, []).append((picture.content, picture.form.codec))
                case Free(held):
                    self.freed[held.content] += 1
                case Want():
                    assert not self.wanted, "wanted twice"
                    assert self.watched is not None
                    self.wanted = True
                case Watch(width, height):
                    self.watched = (width, height)
                case Unwatch():
                    self.watched = None
                    self.wanted = False


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["join", "leave", "hide", "show", "written", "drawn"]), st.sampled_from("abc")),
        st.tuples(st.sampled_from(["frame", "full", "encode", "fail"]), st.just("")),
        st.tuples(st.just("wait"), st.sampled_from(["0.05", "0.2"])),
    ),
    max_size=80,
)


def play(stage: Stage, step: str, detail: str) -> None:
    client = stage.pacer.clients.get(detail)
    match step:
        case "join" if client is None:
            stage.join(detail)
        case "leave":
            stage.pacer.clients.remove(detail)
        case "hide" | "show":
            stage.pacer.visible(detail, step == "show")
        case "written":
            stage.pacer.written(detail)
        case "drawn" if client and client.in_flight:
            stage.pacer.drawn(detail, client.in_flight[0], stage.now)
        case "frame" | "full" if stage.wanted:
            stage.frame(full=step == "full")
        case "encode" | "fail" if stage.encoding:
            stage.encode(fail=step == "fail")
        case "wait":
            stage.now += float(detail)
    stage.decide()
