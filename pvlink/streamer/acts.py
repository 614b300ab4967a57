"""What a pacer decides about, and what it can decide."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from pvlink.protocol import Codec
from pvlink.streamer.encoders.pixels import Encoded
from pvlink.streamer.forms import Form

Content = TypeVar("Content")


@dataclass(eq=False, slots=True)
class Held(Generic[Content]):
    """A filled slot of the engine's memory: ours until freed. Kept while it is the newest or being encoded."""

    order: int
    full: bool
    arrived: float
    content: Content
    # Of the view, however large the frame is.
    pixels: int
    running: set[Form] = field(default_factory=set)
    failed: set[Codec] = field(default_factory=set)
    pictures: dict[Form, Picture[Content]] = field(default_factory=dict)


@dataclass(eq=False, slots=True, frozen=True)
class Picture(Generic[Content]):
    """A frame, encoded."""

    order: int
    full: bool
    arrived: float
    content: Content
    form: Form
    encoded: Encoded
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
    form: Form
    # A frame that needs no other is asked for.
    key: bool = True


@dataclass(slots=True, frozen=True)
class Send(Generic[Content]):
    client: str
    picture: Picture[Content]


Act: TypeAlias = Watch | Unwatch | Want | Free[Content] | Encode[Content] | Send[Content]
