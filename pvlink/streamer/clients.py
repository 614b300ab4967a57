"""Who watches a view: what each viewer can take, and whose size the view has. No clock, no socket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pvlink.protocol import Role
from pvlink.streamer.forms import Form
from pvlink.streamer.rate import Rate


@dataclass(slots=True, eq=False)
class Client:
    """One viewer of one view."""

    name: str
    codecs: frozenset[str]
    width: int = 0
    height: int = 0
    visible: bool = True
    role: Role = "owner"
    # A snapshot: takes one full frame and has no size of its own.
    only_full: bool = False
    # Frames sent and not drawn yet, oldest first; the still of a frame counts beside its first picture.
    in_flight: list[int] = field(default_factory=list)
    # The newest picture that was sent.
    shown: tuple[int, Form] | None = None
    # The newest frame whose form was chosen.
    chosen: int = 0
    # Up to which frame it has a video; the next one can be decoded.
    place: tuple[Form, int] | None = None
    # A frame of a video is being encoded for it, or waits until it has taken the former: it must not miss that one.
    booked: bool = False
    # Its writer is still at the previous frame; the newest one waits with the pacer, where a newer one replaces it.
    writing: bool = False
    # What its line takes.
    rate: Rate = field(init=False)

    def __post_init__(self) -> None:
        self.rate = Rate(self.codecs)

    @property
    def window(self) -> int:
        return 1 if self.only_full else self.rate.window

    @property
    def credit(self) -> int:
        return self.window - len(self.in_flight)

    @property
    def ready(self) -> bool:
        """Whether it can be sent a frame now."""
        return self.credit > 0 and not self.writing

    def has(self, order: int) -> bool:
        """Whether this frame or a newer one was sent."""
        return self.shown is not None and self.shown[0] >= order

    def sent(self, order: int, form: Form, size: int, now: float) -> None:
        if self.writing:
            message = f"client {self.name} cannot take frame {order}: still writing"
            raise RuntimeError(message)
        self.in_flight.append(order)
        self.shown = (order, form)
        self.writing = True
        self.rate.line.sent(order, size, now)

    def drawn(self, order: int, now: float, shown: float) -> bool:
        """Takes a confirmation; it also confirms what was sent before, for a viewer may skip a frame.

        `shown`: how long it took to decode and paint, in seconds.
        """
        if order not in self.in_flight:
            return False
        del self.in_flight[: self.in_flight.index(order) + 1]
        self.rate.drawn(order, now, shown)
        return True

    def begin_anew(self) -> None:
        """A viewer that was hidden may have thrown everything away, unconfirmed."""
        self.in_flight.clear()
        self.shown = self.place = None
        self.rate.line.forget()

    def cannot(self, codec: str) -> None:
        """It could not decode this; whatever it holds of it is lost."""
        self.codecs -= {codec}
        self.rate.codecs = self.codecs
        self.rate.form = self.rate.fallback
        self.shown = self.place = None


class Clients:
    """All viewers of one view, the one whose size counts last."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}

    def __len__(self) -> int:
        return sum(not client.only_full for client in self._clients.values())

    def __iter__(self) -> Iterator[Client]:
        return iter(self._clients.values())

    def add(self, client: Client) -> None:
        self._clients.pop(client.name, None)
        self._clients[client.name] = client

    def remove(self, name: str) -> Client | None:
        return self._clients.pop(name, None)

    def get(self, name: str) -> Client | None:
        return self._clients.get(name)

    def touch(self, name: str) -> None:
        """This viewer resized or pressed a button: the view takes its size."""
        if client := self._clients.pop(name, None):
            self._clients[name] = client

    def visible(self) -> list[Client]:
        return [client for client in self._clients.values() if client.visible]

    def size(self) -> tuple[int, int] | None:
        """The size to render; (0, 0) for "as it is"; None when nobody looks."""
        watching = self.visible()
        if not watching:
            return None
        # Who only looks gets the picture as others have it: a size is a property of the view.
        sized = [client for client in watching if not client.only_full and client.role != "view"]
        return (sized[-1].width, sized[-1].height) if sized else (0, 0)
