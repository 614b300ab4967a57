"""A view proxy whose interactor, window and camera write down what they are told."""

from __future__ import annotations

import math
from typing import Any


class FakeInteractor:
    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.observers: dict[str, Any] = {}

    def AddObserver(self, event: str, function: Any) -> int:
        self.observers[event] = function
        return len(self.observers)

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> None:
            self.calls.append((name, arguments))
            # A style asks for a render on every event it acts on.
            if name == "MouseMoveEvent" or name.endswith(("ForwardEvent", "BackwardEvent")):
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


class FakeView:
    """Proxy and server-manager proxy in one; `camera=None` is a chart."""

    def __init__(self, camera: FakeCamera | None) -> None:
        self.interactor: FakeInteractor | None = FakeInteractor()
        self.camera = camera
        self.resets = 0
        self.SMProxy = self
        if camera is not None:
            self.GetActiveCamera = lambda: camera

    def GetInteractor(self) -> FakeInteractor | None:
        return self.interactor

    def ResetCamera(self) -> None:
        self.resets += 1

    def ResetDisplay(self) -> None:
        self.resets += 1
