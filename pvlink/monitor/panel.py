"""A simulation below a cell: how it is, what holds it, its parameters, and what has happened."""

from __future__ import annotations

import html
import math
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from pvlink.errors import PvlinkError, SimulationError
from pvlink.insitu.parameters import Parameter, Parameters, Value
from pvlink.monitor.said import Said
from pvlink.servers.form import CALM, DONE, ERROR, PLAIN

if TYPE_CHECKING:
    from pvlink.monitor.simulation import Simulation

# Between two looks, in seconds.
TICK = 0.25
# Of what has happened, so much is shown.
LINES = 6
# A step that has more of them is none.
DIGITS = 16
RUNS, STANDS = "#2e9e5b", "#c98a1a"
_BUTTON = {"width": "auto", "min_width": "5.5em"}


class Panel:
    """Shows itself in a cell, and goes on looking until it is closed."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._head = ipywidgets.HTML()
        self.pause = _button("Pause", "pause", "Have it stand at the end of the step that it computes")
        self.step = _button("Step", "step-forward", "Compute one step, and stand")
        self.goal = ipywidgets.Text(placeholder="step", layout={"width": "7em"})
        self.until = _button("Run until", "fast-forward", "Run, and stand at the end of exactly that step")
        self.form = _Form()
        self._line = ipywidgets.HTML()
        self._log = ipywidgets.HTML()
        self.pause.on_click(lambda _: self._do(self._toggle))
        self.step.on_click(lambda _: self._do(lambda: f"It stands at step {simulation.step()}."))
        self.until.on_click(lambda _: self._do(self._run_until))
        self.form.send.on_click(lambda _: self._do(self._set))
        buttons = ipywidgets.HBox([self.pause, self.step, self.until, self.goal], layout={"flex_flow": "row wrap"})
        # Who may only look is offered nothing else, and what such a page sends is not listened to.
        self._steers = simulation.steers
        shown = [self._head, *([buttons, self.form.widget, self._line] if self._steers else []), self._log]
        self._widget = ipywidgets.VBox(shown, layout={"padding": "4px 0"})
        self._over = threading.Event()
        self._busy = threading.Lock()
        self.look()
        threading.Thread(target=self._follow, daemon=True, name="pvlink simulation").start()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self._widget._repr_mimebundle_(**kwargs)

    @property
    def head(self) -> str:
        """How it is, as HTML."""
        return str(self._head.value)

    @property
    def said(self) -> str:
        """What came of the last button, as HTML."""
        return str(self._line.value)

    @property
    def log(self) -> str:
        """What has happened, as HTML."""
        return str(self._log.value)

    def close(self) -> None:
        """Take it from all pages."""
        self._over.set()
        self._widget.close()

    # -- how it is ---------------------------------------------------------------------------------

    def look(self) -> None:
        said = self._simulation.said
        _show(self._head, _head(said, steers=self._steers))
        runs = said.there and not said.paused
        _set(self.pause, description="Pause" if runs else "Resume", icon="pause" if runs else "play")
        for button in (self.pause, self.step, self.until):
            _set(button, disabled=not said.there)
        self.form.look(said.declared, said.status.get("values", {}), alive=said.there)
        told = [one for one in self._simulation.events if _words(one)][-LINES:]
        _show(self._log, "".join(map(_told, reversed(told))))

    def _follow(self) -> None:
        while not self._over.wait(TICK):
            self._look()

    def _look(self) -> None:
        """What went wrong is shown instead: most of the time the session has ended, or is being restarted."""
        try:
            self.look()
        except Exception as error:  # noqa: BLE001 - whatever it is, the next look may go well, and nobody else hears
            _show(self._head, _line(_failed(error), ERROR))

    # -- what is asked -----------------------------------------------------------------------------

    def _toggle(self) -> str:
        if self._simulation.paused:
            self._simulation.resume()
            return "It runs."
        self._simulation.pause()
        return f"It stands at step {self._simulation.step_number}."

    def _run_until(self) -> str:
        text = self.goal.value.strip()
        if not text.isdecimal() or len(text) > DIGITS:
            raise SimulationError("Say beside the button until which step.")
        self._simulation.run_until(int(text), wait=False)
        return f"It runs until step {text}."

    def _set(self) -> str:
        wanted = self.form.wanted
        if not wanted:
            raise SimulationError("Nothing was changed.")
        done = self._simulation.set(**wanted)
        self.form.sent()
        return ", ".join(f"{name} = {value:g}" for name, value in done.items()) + " counts from the next step on."

    def _do(self, act: Callable[[], str]) -> None:
        if not self._steers or not self._busy.acquire(blocking=False):
            return
        try:
            _show(self._line, _line(act(), DONE))
        except Exception as error:  # noqa: BLE001 - whoever has pressed the button sees it here, or nowhere
            _show(self._line, _line(_failed(error), ERROR))
        finally:
            self._busy.release()
            self._look()


class _Form:
    """Its parameters: what they are, and what they are to be. Nothing is sent before the button is pressed."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        # What the fields are made of.
        self._declared: list[Parameter] = []
        self._known: dict[str, Value] = {}
        self.send = _button("Set", "check", "Have these count from the next step on")
        self._rows = ipywidgets.VBox()
        self.widget = ipywidgets.VBox([self._rows], layout={"padding": "4px 0"})

    def look(self, declared: Parameters, values: dict[str, Value], *, alive: bool) -> None:
        parameters = list(declared.values())
        # Another simulation may have others under the same names.
        if parameters != self._declared:
            self._declared = parameters
            self.fields = {one.name: _field(one) for one in parameters}
            self._rows.children = [_row(one, self.fields[one.name]) for one in parameters]
            self.widget.children = [self._rows, ipywidgets.HBox([self.send])] if self.fields else []
            self._known = {}
        for name, field in self.fields.items():
            value = values.get(name)
            # What somebody is about to change stays.
            if value is not None and (name not in self._known or field.value == self._known[name]):
                _set(field, value=value)
            if value is not None:
                self._known[name] = value
            _set(field, disabled=not alive)
        _set(self.send, disabled=not alive or not self.wanted)

    @property
    def wanted(self) -> dict[str, Value]:
        """What differs from what counts now, as far as that is known."""
        return {
            name: self.fields[name].value for name, value in self._known.items() if self.fields[name].value != value
        }

    def sent(self) -> None:
        self._known.update({name: field.value for name, field in self.fields.items()})


def _field(one: Parameter) -> Any:
    if one.whole:
        return ipywidgets.IntSlider(
            value=int(one.start), min=int(one.low), max=int(one.high), continuous_update=False, layout={"width": "20em"}
        )
    # Both ends may be so far apart that there is no number for it.
    width = min(one.high - one.low, sys.float_info.max)
    digits = max(0, 3 - math.floor(math.log10(width))) if width > 0 else 3
    return ipywidgets.FloatSlider(
        value=float(one.start),
        min=float(one.low),
        max=float(one.high),
        step=width / 1000 or 1.0,
        readout_format=f".{min(digits, 12)}f",
        continuous_update=False,
        layout={"width": "20em"},
    )


def _row(one: Parameter, field: Any) -> Any:
    unit = f" {one.unit}" if one.unit else ""
    words = f"{one.low:g} to {one.high:g}{unit}{': ' if one.doc else ''}{one.doc}"
    return ipywidgets.HBox(
        [
            ipywidgets.HTML(f"<b>{html.escape(one.name)}</b>", layout={"min_width": "4em"}),
            field,
            ipywidgets.HTML(f'<span style="color: {CALM}">{html.escape(words)}</span>'),
        ],
        layout={"flex_flow": "row wrap", "align_items": "center"},
    )


def _button(name: str, icon: str, what: str) -> Any:
    return ipywidgets.Button(description=name, icon=icon, tooltip=what, layout=_BUTTON)


def _head(said: Said, *, steers: bool) -> str:
    colour = (
        (ERROR if said.ended not in ("", "finished", "ended") else CALM)
        if not said.there
        else (STANDS if said.paused or said.standing else RUNS)
    )
    dot = f'<span style="color: {colour}" aria-hidden="true">●</span>'
    lines = [f'<div style="line-height: 1.6" role="status">{dot} <b>{html.escape(said.words)}</b></div>']
    status = said.status
    if said.simulation is not None and status:
        ranks = said.simulation.get("ranks", 1)
        facts = [
            f"time {said.time:g}",
            f"{status.get('rate', 0.0):.3g} steps/s",
            f"{100 * status.get('share', 0.0):.1f} % of the time spent on being watched",
            f"{ranks} rank{'s' if ranks != 1 else ''} on {said.simulation.get('host', '')}",
            *(f"{name} = {value:g}" for name, value in status.get("values", {}).items() if not steers),
        ]
        if status.get("delivered"):
            facts.append(f"{status['delivered']} steps shown, {status.get('skipped', 0)} passed over")
        lines.append(f'<div style="color: {CALM}; line-height: 1.6">{html.escape(" · ".join(facts))}</div>')
    return "".join(lines)


def _told(event: dict[str, Any]) -> str:
    return f'<div style="line-height: 1.5">{html.escape(_words(event))}</div>'


def _words(event: dict[str, Any]) -> str:
    """Of what is worth a line; empty for the rest."""
    kind, step = event.get("kind"), event.get("step")
    if kind == "changed":
        changes = ", ".join(f"{c['name']} {c['old']:g} → {c['new']:g}" for c in event["changes"])
        who = next((c["who"] for c in event["changes"] if c.get("who")), "")
        return f"Step {step}: {changes}{f', by {who}' if who else ''}" if changes else ""
    if kind == "met":
        return f"Step {step}: {event['text']}"
    if kind == "refused":
        return f"Refused: {event.get('why', '')}"
    if kind == "released":
        return f"Step {step}: it went on, since nobody was there"
    if kind == "came":
        return "It can be reached again" if event.get("again") else "It has come"
    return "It could not be reached" if kind == "left" else ""


def _failed(error: Exception) -> str:
    """A sentence; of what nobody has thought of, what it is called as well."""
    return str(error) if isinstance(error, PvlinkError) else f"{type(error).__name__}: {error}"


def _line(text: str, colour: str) -> str:
    return f'<div style="color: {colour or PLAIN}; white-space: pre-wrap; line-height: 1.5">{html.escape(text)}</div>'


def _show(widget: Any, value: str) -> None:
    _set(widget, value=value)


def _set(widget: Any, **values: Any) -> None:
    """Only what is new: each change is a message to every page."""
    for name, value in values.items():
        if getattr(widget, name) != value:
            setattr(widget, name, value)
