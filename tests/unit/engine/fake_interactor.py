"""A scene whose interactor and camera write down what they are told."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from pvlink.engine.scenes import Position


class FakeInteractor:
    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.observers: dict[str, Any] = {}

    def AddObserver(self, event: str, function: Any, priority: float = 0.0) -> int:
        self.observers[event] = function
        return len(self.observers)

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> None:
            happening = arguments[0] if name == "InvokeEvent" else name
            self.calls.append((happening, () if name == "InvokeEvent" else arguments))
            # A style asks for a render on every event it acts on.
            if happening == "MouseMoveEvent" or happening.endswith(("ForwardEvent", "BackwardEvent")):
                self.observers["RenderEvent"](self, "RenderEvent")

        if name.startswith("__"):
            raise AttributeError(name)
        return call

    def names(self) -> list[str]:
        return [name for name, _ in self.calls if name.endswith("Event")]

    def placed(self) -> list[tuple[Any, ...]]:
        return [arguments for name, arguments in self.calls if name == "SetEventInformation"]


class FakeCamera:
    def __init__(self, parallel: bool = False) -> None:
        self.position, self.focus, self.up = (0.0, 0.0, 10.0), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0)
        self.scale, self.parallel = 5.0, parallel
        self.turned: list[tuple[str, float]] = []

    def GetPosition(self) -> Any:
        return self.position

    def SetPosition(self, *position: float) -> None:
        self.position = position  # type: ignore[assignment]

    def GetFocalPoint(self) -> Any:
        return self.focus

    def SetFocalPoint(self, *focus: float) -> None:
        self.focus = focus  # type: ignore[assignment]

    def GetViewUp(self) -> Any:
        return self.up

    def SetViewUp(self, *up: float) -> None:
        self.up = up  # type: ignore[assignment]

    def GetDistance(self) -> float:
        return math.dist(self.position, self.focus)

    def GetDirectionOfProjection(self) -> Any:
        return tuple((f - p) / self.GetDistance() for p, f in zip(self.position, self.focus, strict=True))

    def GetViewAngle(self) -> float:
        return 30.0

    def GetParallelProjection(self) -> bool:
        return self.parallel

    def GetParallelScale(self) -> float:
        return self.scale

    def SetParallelScale(self, scale: float) -> None:
        self.scale = scale

    def Dolly(self, ratio: float) -> None:
        self.turned.append(("dolly", ratio))

    def Azimuth(self, angle: float) -> None:
        self.turned.append(("azimuth", angle))

    def Elevation(self, angle: float) -> None:
        self.turned.append(("elevation", angle))

    def OrthogonalizeViewUp(self) -> None: ...


class FakeScene:
    """A scene that draws nothing; `camera=None` is a chart."""

    refused_keys = frozenset("eEqQ3uUfFpPsSwW")
    window: Any = None
    alive = True
    size = (400, 300)
    sized_by_user = False

    def __init__(self, camera: FakeCamera | None) -> None:
        self.interactor: FakeInteractor | None = FakeInteractor()
        self._camera = camera
        self.resets = 0

    def resize(self, width: int, height: int) -> None: ...

    def let_go(self) -> None: ...

    def settle(self) -> bool:
        return False

    def hold(self, watched: bool) -> None: ...

    def render(self, fast: bool) -> None: ...

    can_be_smaller = False

    def smaller(self, scale: float) -> nullcontext[Position]:
        return nullcontext((400, 300))

    def on_render(self, tell: Callable[[], None]) -> None: ...

    def has_changed(self) -> bool:
        return False

    def camera(self, at: Position | None = None) -> FakeCamera | None:
        return self._camera

    def reset(self, at: Position) -> bool:
        self.resets += 1
        return True
