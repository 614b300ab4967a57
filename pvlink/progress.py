"""A bar in the cell while a pipeline update takes longer than a second."""

from __future__ import annotations

import html
from typing import Any

# A wait shorter than this needs no bar.
PATIENCE = 1.0
# More updates than this, in seconds, nobody sees, and each is kept in the notebook's traffic.
INTERVAL = 0.25

_BAR = (
    '<div style="display:flex;gap:.75em;align-items:center;font:13px var(--jp-ui-font-family, sans-serif)">'
    '<progress max="1" {value} style="width:16em" aria-label="ParaView at work"></progress>'
    "<span>{text}</span></div>"
)


class ProgressBar:
    """One bar at a time, removed when the call ends."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._text = ""
        self._share: float | None = None
        self._next = 0.0

    def report(self, text: str, share: float | None) -> None:
        """ParaView says how far it is."""
        self._text, self._share = text, share

    def on_wait(self, waited: float) -> None:
        """The cell has waited for so long, in seconds."""
        if waited < max(PATIENCE, self._next) or not self._text:
            return
        self._next = waited + INTERVAL
        picture = _html(_bar(self._text, self._share, waited))
        if picture is None:
            return
        if self._handle is None:
            self._handle = _display(picture)
        else:
            self._handle.update(picture)

    def done(self) -> None:
        self._text = ""
        self._next = 0.0
        if self._handle is not None:
            self._handle.update(_html(""))
            self._handle = None


def _bar(text: str, share: float | None, waited: float) -> str:
    value = "" if share is None else f'value="{share:.3f}"'
    percent = "" if share is None else f" {share:.0%}"
    return _BAR.format(value=value, text=f"{html.escape(text)}{percent}, {waited:.0f} s")


def _html(text: str) -> Any:
    try:
        from IPython.core.getipython import get_ipython
        from IPython.display import HTML
    except ImportError:
        return None
    # A terminal shows no HTML; there the prompt that does not come back says enough.
    return HTML(text) if getattr(get_ipython(), "kernel", None) is not None else None  # type: ignore[no-untyped-call]


def _display(picture: Any) -> Any:
    from IPython.display import display

    return display(picture, display_id=True)  # type: ignore[no-untyped-call]
