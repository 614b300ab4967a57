"""What a hand does, told to ParaView's and VTK's own interactor styles.

The interactor renders nothing while pvlink shows the view: an event then costs 0.1 ms and changes camera or widget. The
loop renders once for all events that came together, and only if somebody wants the frame.
"""

from __future__ import annotations

import math
from typing import Any

from pvlink.engine.scenes import Position, Scene

# What wheel notches do in VTK's trackball styles, for the fractions that touch pads send.
ZOOM_PER_NOTCH = 1.1
ROTATE_STEP = 10.0
PAN_STEP = 0.05
ZOOM_STEP = 1.2

# An observer's priority: styles have 0, widgets 0.5.
_BEFORE_STYLES = 0.1
_BUTTONS = ("Left", "Middle", "Right")
_DIRECTIONS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "+x": ((1, 0, 0), (0, 0, 1)),
    "-x": ((-1, 0, 0), (0, 0, 1)),
    "+y": ((0, 1, 0), (0, 0, 1)),
    "-y": ((0, -1, 0), (0, 0, 1)),
    "+z": ((0, 0, 1), (0, 1, 0)),
    "-z": ((0, 0, -1), (0, 1, 0)),
    "isometric": ((-1, -1, -1), (0, 0, 1)),
}
# DOM key names to X key symbols, which VTK's styles and widgets compare with.
_KEYSYMS = {
    "ArrowLeft": "Left",
    "ArrowRight": "Right",
    "ArrowUp": "Up",
    "ArrowDown": "Down",
    "Enter": "Return",
    "Escape": "Escape",
    "Delete": "Delete",
    "Backspace": "BackSpace",
    " ": "space",
}


class Hand:
    """Feeds events of viewers to one view's interactor."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._position: Position = (0, 0)
        # Set by VTK whenever a style or a widget asks for a render.
        self._asked = False
        # Whether a widget has taken the press of the button that is held: the style, which comes after, hears nothing.
        self.holds_widget = False
        interactor = scene.interactor
        if interactor is not None:
            for button in _BUTTONS:
                interactor.AddObserver(f"{button}ButtonPressEvent", self._reaches_style, _BEFORE_STYLES)
            interactor.AddObserver("RenderEvent", self._render_asked)
            # GUI builds draw the picture of a hidden window again when this is on.
            interactor.EnableRenderOff()

    def _render_asked(self, *_: object) -> None:
        self._asked = True

    def _reaches_style(self, *_: object) -> None:
        self.holds_widget = False

    def apply(self, events: list[dict[str, Any]], width: int, height: int) -> bool:
        """Apply events in their order; whether the picture changed."""
        self._asked = False
        for event in events:
            handler = getattr(self, f"_on_{event['type']}", None)
            if handler is not None and self._scene.interactor is not None:
                self._place(event, width, height)
                handler(event)
        return self._asked

    def _place(self, event: dict[str, Any], width: int, height: int) -> None:
        # "x" and "y" are fractions from the top left; VTK counts pixels from the bottom left.
        if event["type"] in ("move", "down", "up", "wheel"):
            x = math.floor(event.get("x", 0.0) * width)
            y = height - 1 - math.floor(event.get("y", 0.0) * height)
            self._position = (x, y)
        key = event.get("key", "")
        self._scene.interactor.SetEventInformation(
            *self._position,
            int(event.get("ctrl", False)),
            int(event.get("shift", False)),
            key if len(key) == 1 and key.isascii() else "\0",
            event.get("clicks", 1) - 1,
            _KEYSYMS.get(key, key) or None,
        )
        self._scene.interactor.SetAltKey(int(event.get("alt", False)))

    def _happens(self, name: str) -> None:
        # Not the interactor's method of this name: that does nothing on one that was never initialized, and one of X
        # cannot be where there is no X.
        self._scene.interactor.InvokeEvent(name)

    def _on_move(self, _event: dict[str, Any]) -> None:
        self._happens("MouseMoveEvent")

    def _on_down(self, event: dict[str, Any]) -> None:
        self.holds_widget = True
        self._happens(f"{_BUTTONS[event.get('button', 0)]}ButtonPressEvent")

    def _on_up(self, event: dict[str, Any]) -> None:
        self._happens(f"{_BUTTONS[event.get('button', 0)]}ButtonReleaseEvent")
        self.holds_widget = False

    def _on_wheel(self, event: dict[str, Any]) -> None:
        # Whole notches go through the style, so that widgets and charts can take them; the rest zooms.
        notches = event.get("amount", 0.0)
        whole = int(notches)
        for _ in range(min(abs(whole), 20)):
            if whole > 0:
                self._happens("MouseWheelForwardEvent")
            else:
                self._happens("MouseWheelBackwardEvent")
        if notches != whole:
            self._zoom(ZOOM_PER_NOTCH ** (notches - whole))

    def _on_pinch(self, event: dict[str, Any]) -> None:
        ratio = event.get("amount", 1.0)
        if ratio > 0:
            self._zoom(ratio)

    def _on_key(self, event: dict[str, Any]) -> None:
        key = event.get("key", "")
        if key in self._scene.refused_keys:
            return
        self._happens("KeyPressEvent")
        if len(key) == 1:
            self._happens("CharEvent")
        self._happens("KeyReleaseEvent")

    def _on_action(self, event: dict[str, Any]) -> None:
        action = event.get("action") or ""
        if action == "reset":
            self._asked = self._scene.reset(self._position) or self._asked
            return
        camera = self._scene.camera(self._position)
        if camera is None:
            return
        if action in _DIRECTIONS:
            self._look(camera, *_DIRECTIONS[action])
        elif action.startswith("zoom-"):
            self._zoom(ZOOM_STEP if action == "zoom-in" else 1 / ZOOM_STEP)
        elif action.startswith("pan-"):
            self._pan(camera, action)
        elif action.startswith("rotate-"):
            self._rotate(camera, action)
        self._settle()

    # -- the camera, for what no mouse event says --------------------------------------------------

    def _look(self, camera: Any, direction: tuple[float, float, float], up: tuple[float, float, float]) -> None:
        focus = camera.GetFocalPoint()
        distance = camera.GetDistance()
        length = math.sqrt(sum(d * d for d in direction))
        camera.SetPosition(*(f - d / length * distance for f, d in zip(focus, direction)))
        camera.SetViewUp(*up)
        self._scene.reset(self._position)

    def _zoom(self, ratio: float) -> None:
        camera = self._scene.camera(self._position)
        if camera is None:
            return
        if camera.GetParallelProjection():
            camera.SetParallelScale(camera.GetParallelScale() / ratio)
        else:
            camera.Dolly(ratio)
        self._settle()

    def _rotate(self, camera: Any, action: str) -> None:
        sign = 1.0 if action in ("rotate-left", "rotate-down") else -1.0
        if action in ("rotate-left", "rotate-right"):
            camera.Azimuth(sign * ROTATE_STEP)
        else:
            camera.Elevation(sign * ROTATE_STEP)
        camera.OrthogonalizeViewUp()

    def _pan(self, camera: Any, action: str) -> None:
        if camera.GetParallelProjection():
            visible = 2 * camera.GetParallelScale()
        else:
            visible = 2 * camera.GetDistance() * math.tan(math.radians(camera.GetViewAngle()) / 2)
        step = visible * PAN_STEP
        up = camera.GetViewUp()
        forward = camera.GetDirectionOfProjection()
        right = (
            forward[1] * up[2] - forward[2] * up[1],
            forward[2] * up[0] - forward[0] * up[2],
            forward[0] * up[1] - forward[1] * up[0],
        )
        axis, sign = {
            "pan-left": (right, 1),
            "pan-right": (right, -1),
            "pan-up": (up, -1),
            "pan-down": (up, 1),
        }[action]
        shift = [sign * step * a for a in axis]
        camera.SetPosition(*(p + s for p, s in zip(camera.GetPosition(), shift)))
        camera.SetFocalPoint(*(p + s for p, s in zip(camera.GetFocalPoint(), shift)))

    def _settle(self) -> None:
        # The clipping range follows by itself: the scene resets it in each render.
        self._asked = True
