"""The widget: which view, how big. Pixels never pass through it, nor anything secret."""

from __future__ import annotations

import base64
import contextlib
import os
import time
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets
from IPython.core.getipython import get_ipython

from pvlink import pinned
from pvlink.comm import Switchboard
from pvlink.errors import OptionError, ViewError, refuse_unknown
from pvlink.protocol import PROTOCOL_VERSION
from pvlink.share import Share, covered

if TYPE_CHECKING:
    from pvlink.inside import Inside
    from pvlink.sessions import Session

MIME = "application/vnd.pvlink.view+json"
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
# What a view looks like before a cell has said how big it is.
FIRST_SIZE = (960, 480)
# A cell waits for its first picture so long; a heavier scene appears when it is ready.
FIRST_PATIENCE = 3.0
PICTURE_PATIENCE = 600.0
_LENGTHS = ("width", "height")
_OPTIONS = (*_LENGTHS, *pinned.OPTIONS)


@dataclass(frozen=True)
class Watcher:
    """Somebody who looks at a view."""

    # The Jupyter user's name, or the address a shared link was opened from.
    who: str
    role: str
    # "jupyter" or "link".
    way: str
    # Unix time.
    since: float


class View(anywidget.AnyWidget):
    """One ParaView view, alive in every cell that displays it."""

    _esm = Path(__file__).parent / "static" / "widget.js"
    # Which session's streamer, and which of its views: names, not keys. Access is what Jupyter grants.
    session = traitlets.Unicode().tag(sync=True)
    view = traitlets.Unicode().tag(sync=True)
    width = traitlets.Unicode("").tag(sync=True)
    height = traitlets.Unicode("").tag(sync=True)
    # For viewers that reach nothing but the kernel; none in a widget that was not finished.
    _board: Switchboard | None = None

    def __init__(self, session: Session | Inside, proxy: Any, *, width: str = "", height: str = "") -> None:
        self._session = session
        self._proxy = proxy
        identity = _watched(session, proxy, *FIRST_SIZE)
        super().__init__(session=session.id, view=identity, width=width, height=height)
        self._board = Switchboard(session, identity, self.send)
        self.on_msg(self._heard)
        _views.add(self)

    @classmethod
    def of(cls, session: Session | Inside, proxy: Any = None, **options: Any) -> View:
        """The widget of a view proxy, or of the active view."""
        refuse_unknown("pvlink.show()", set(options) - set(_OPTIONS), _OPTIONS)
        lengths = {key: _length(key, value) for key, value in options.items() if key in _LENGTHS}
        pins = pinned.pins({key: value for key, value in options.items() if key not in _LENGTHS})
        if proxy is None:
            proxy = session.active_view()
            if proxy is None:
                raise ViewError("There is no active view yet. Show(...) something first, or pass a view.")
        if session.view_id(proxy) is None:
            raise ViewError(f"{proxy!r} is not a view with a picture. Pass GetActiveView() or a view you created.")
        view = cls(session, proxy, **lengths)
        if pins:
            session.ask("pin", view=view.view, pins=pins)
        return view

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        since = self._refresh()
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        facts = {"session": self.session, "view": self.view, "protocol": PROTOCOL_VERSION}
        facts |= {key: value for key in _LENGTHS if (value := getattr(self, key))}
        data = {**(data or {}), MIME: facts, "text/plain": repr(self)}
        if _only_kept():
            data.pop(WIDGET_MIME, None)
        # The first picture comes with the message itself, and stays in the saved notebook. A scene that takes longer,
        # or an engine that has just died, must not keep the cell from being shown. Without a streamer there is no view.
        with contextlib.suppress(ValueError):
            png = self._session.picture(self.view, FIRST_PATIENCE, since)
            data["image/png"] = base64.b64encode(png).decode()
        return data, metadata

    def close(self) -> None:
        """Take the widget from all pages, as ipywidgets do."""
        if self._board is not None:
            self._board.close()
        self.layout.close()
        super().close()

    def _heard(self, _widget: Any, content: Any, buffers: Any) -> None:
        if self._board is not None:
            self._board.heard(content, buffers or ())

    def _refresh(self) -> float:
        """Have it drawn anew, for a cell may have changed it; since when a picture is one of that."""
        now = time.time()
        _watched(self._session, self._proxy)
        return now

    def pin(self, **options: Any) -> None:
        """How moving frames are sent, for all who watch this view; what is not given is decided by what is measured.

        codec="jpeg" (or "png", "h264", "vp9", "av1"), quality=80 (1 to 100), rate=30 (frames a second that the size of
        moving frames gives way to), scale=1 (part of each side that they are drawn at).
        """
        refuse_unknown("View.pin()", set(options) - set(pinned.OPTIONS), pinned.OPTIONS)
        self._session.ask("pin", view=self.view, pins=pinned.pins(options))

    def screenshot(self, path: str | Path | None = None) -> bytes:
        """The view as it is now, at full quality, as PNG; also written to `path` if given."""
        since = self._refresh()
        try:
            png = self._session.picture(self.view, PICTURE_PATIENCE, since)
        except ValueError as error:
            raise ViewError(str(error)) from None
        if path is not None:
            Path(path).write_bytes(png)
        return png

    @property
    def stats(self) -> dict[str, Any]:
        """Frames per second, latency, sizes: what the streamer has measured for this view."""
        try:
            return self._session.stats(self.view)
        except ValueError as error:
            raise ViewError(str(error)) from None

    def share(self, **options: Any) -> Share:
        """A link by which others see this view in any browser: `share.url`, `share.password`, `share.revoke()`.

        role="view" (or "control"), expires=3600 (seconds), password=None (made up), host="127.0.0.1", port=0 (any),
        certificate=None and key=None (files; made and kept if not given).
        """
        options = covered(options)
        self._refresh()
        return Share.of(self._session, self.view, **options)

    @property
    def watching(self) -> list[Watcher]:
        """Who looks at this view now."""
        people = self._session.ask("people", view=self.view)["people"]
        return [Watcher(one["who"], one["role"], one["way"], one["since"]) for one in people["viewers"]]

    def __repr__(self) -> str:
        return f"<pvlink view {self.view} of session {self.session[:8]}>"


_default_views: dict[tuple[str, str], tuple[Session | Inside, View]] = {}


# All widgets of views, as long as ipywidgets keeps them: until they are closed.
_views: weakref.WeakSet[View] = weakref.WeakSet()


def forget(session: str, identity: str) -> None:
    """This view is gone: its widgets need not be kept any longer. What its cells show stays."""
    _default_views.pop((session, identity), None)
    for view in [view for view in _views if (view.session, view.view) == (session, identity)]:
        view.close()


def shown(session: Session | Inside, reference: Any, **options: Any) -> Any:
    """How a ParaView object shows itself in a cell: views alive, everything else by its repr."""
    identity = session.view_id(reference)
    if identity is None:
        return None
    for key in [key for key, (owner, _) in _default_views.items() if owner.stopped]:
        del _default_views[key]
    # One widget for all cells that display the same view: a cell run 200 times must not make 200.
    if (session.id, identity) not in _default_views:
        _default_views[session.id, identity] = session, View.of(session, reference, **options)
    return _default_views[session.id, identity][1]._repr_mimebundle_()


def _only_kept() -> bool:
    """Whether a program runs this notebook and nobody looks: nbconvert --execute, papermill, nbclient.

    Such a program stores the widget's state, too, and nbconvert's HTML then prefers an empty widget to the picture.
    It tells itself by leaving nobody to answer input(). So does Voila, whose pages may need the widget.
    """
    kernel = getattr(get_ipython(), "kernel", None)
    in_voila = any(name.startswith("VOILA_") for name in os.environ)
    return getattr(kernel, "_allow_stdin", True) is False and not in_voila


def _watched(session: Session | Inside, proxy: Any, *size: int) -> str:
    try:
        return session.watch(proxy, *size)
    except ValueError as error:
        raise ViewError("This view was deleted. Show another one, or make it again.") from error


def _length(option: str, value: Any) -> str:
    """A CSS length from a number of pixels or from text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise OptionError(f"{option}={value!r}: give pixels as a number, or a CSS length such as '80%' or '30em'.")
    if isinstance(value, str):
        return value
    if not 16 <= value <= 8192:
        raise OptionError(f"{option}={value!r}: a view is 16 to 8192 pixels wide and high.")
    return f"{value}px"
