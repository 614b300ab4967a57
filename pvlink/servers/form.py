"""The options of a server configuration, to fill in below a cell."""

from __future__ import annotations

import contextlib
import html
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets

from pvlink.errors import OptionError, PvlinkError
from pvlink.servers import remembered, starting
from pvlink.servers.configuration import Configuration, Settled
from pvlink.servers.options import Boolean, Enumeration, File, Option, Password, Range, Value

# JupyterLab's colours, which follow its theme; the others are for pages that have none.
CALM = "var(--jp-ui-font-color2, #616161)"
PLAIN = "var(--jp-ui-font-color1, inherit)"
ERROR = "var(--jp-error-color1, #c62828)"
DONE = "var(--jp-success-color1, #2e7d32)"
_WIDTH = "22em"


class Form:
    """Shows itself in a cell; Connect calls `connect` with the settled values, and says what came of it."""

    def __init__(
        self,
        configuration: Configuration,
        connect: Callable[[Settled], object],
        *,
        given: Mapping[str, Value] | None = None,
        version: str = "",
    ) -> None:
        """`given`: values that are not asked for, a connect-id for one; `version` is the engine's."""
        self.configuration = configuration
        self._connect = connect
        self._version = version
        self._given = dict(given or {})
        unknown = set(self._given) - {option.name for option in configuration.options}
        if unknown:
            raise OptionError(f"Server {configuration.name!r} has no option {sorted(unknown)[0]!r}.")
        self._fields = {
            option.name: (option, self._field(option)) for option in configuration.options if self._asks(option)
        }
        self._button = ipywidgets.Button(
            description="Connect", button_style="primary", icon="plug", layout={"width": "9em", "flex": "0 0 auto"}
        )
        self._button.on_click(lambda _: self.press())
        self._line = ipywidgets.HTML(layout={"margin": "0 0 0 8px", "flex": "1 1 0%"})
        self._widget = self._laid_out()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self._widget._repr_mimebundle_(**kwargs)

    @property
    def values(self) -> dict[str, Value]:
        """What is filled in now, and what was given."""
        return {**{name: field.value for name, (_, field) in self._fields.items()}, **self._given}

    @property
    def said(self) -> str:
        """What stands beside the button, as HTML."""
        return str(self._line.value)

    def press(self) -> None:
        """As the button: settle what is filled in, and connect."""
        if self._button.disabled:
            return
        self._button.disabled = True
        self._say("Connecting ...", CALM)
        try:
            settled = starting.settle(self.configuration, self.values, version=self._version)
            if not settled.argv:
                self._say(starting.by_hand(settled, self._version), PLAIN)
            self._connect(settled)
        except PvlinkError as error:
            self._say(str(error), ERROR)
        except BaseException as error:
            # Where the trace goes is the front end's affair (JupyterLab: its log), and may not be seen.
            self._say(f"Not connected: {type(error).__name__}. {error}", ERROR)
            raise
        else:
            self._say(f"Connected to {settled.name} ({settled.server or settled.address}).", DONE)
            # A home that is full or read-only keeps nobody from working.
            with contextlib.suppress(OSError):
                remembered.remember(settled.name, settled.answers)
        finally:
            self._button.disabled = False

    def _asks(self, option: Option) -> bool:
        """A connect-id is in no widget: its state is saved with the notebook, and any user here can listen to it."""
        return not option.secret and option.name not in self._given

    def _field(self, option: Option) -> Any:
        kind, how = option.kind, {"disabled": option.readonly, "layout": {"width": _WIDTH}}
        first = self._first(option)
        if isinstance(kind, Range):
            bounds = {"min": kind.lowest, "max": kind.highest, "step": kind.step or 1}
            if kind.whole:
                whole = {name: int(value) for name, value in bounds.items()}
                return ipywidgets.BoundedIntText(value=int(first), **whole, **how)
            return ipywidgets.BoundedFloatText(value=float(first), **bounds, **how)
        if isinstance(kind, Boolean):
            return ipywidgets.Checkbox(value=first == kind.true, indent=False, **how)
        if isinstance(kind, Enumeration):
            choices = [(entry.label or "(nothing)", entry.value) for entry in kind.entries]
            return ipywidgets.Dropdown(options=choices, value=first, **how)
        hint = "a path on the kernel's machine" if isinstance(kind, File) else ""
        # With every key: until the kernel's side has it, whatever it says of a field writes over what was typed.
        return ipywidgets.Text(value=first, placeholder=hint, continuous_update=True, **how)

    def _first(self, option: Option) -> str:
        """The last answer, if it is right still; else the file's default."""
        last = remembered.answers(self.configuration).get(option.name)
        if last is not None:
            with contextlib.suppress(OptionError):
                return option.kind.check(last, option.name)
        # What is random is drawn now: what is used is what was seen.
        return option.kind.first(secrets.randbelow)

    def _laid_out(self) -> Any:
        rows = []
        for option, field in self._fields.values():
            label = ipywidgets.Label(value=option.title, tooltip=option.name, layout={"margin": "0 12px 0 2px"})
            rows += [label, field]
        address = self.configuration.address
        title = ipywidgets.HTML(
            f'<div style="color: {PLAIN}; line-height: 1.6"><b>{html.escape(self.configuration.name)}</b> '
            f'<span style="color: {CALM}">{html.escape(str(address))}</span></div>'
        )
        grid = ipywidgets.GridBox(
            rows, layout={"grid_template_columns": "max-content minmax(0, max-content)", "align_items": "center"}
        )
        foot = ipywidgets.HBox([self._button, self._line], layout={"align_items": "flex-start", "margin": "4px 0 0 0"})
        passwords = [option for option in self.configuration.options if isinstance(option.kind, Password)]
        if passwords:
            self._button.disabled = True
            try:
                passwords[0].kind.check("", f"Option {passwords[0].name}")
            except OptionError as error:
                self._say(str(error), ERROR)
        return ipywidgets.VBox([title, grid, foot], layout={"padding": "4px 0 4px 0"})

    def _say(self, text: str, colour: str) -> None:
        self._line.value = (
            f'<div style="color: {colour}; white-space: pre-wrap; line-height: 1.5; padding: 4px 0" role="status">'
            f"{html.escape(text)}</div>"
        )
