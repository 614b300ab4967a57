"""The user's jobs below a cell, as they stand, and a form for another one."""

from __future__ import annotations

import contextlib
import html
import threading
from collections.abc import Callable
from typing import Any

import ipywidgets

from pvlink.errors import JobError, OptionError, PvlinkError
from pvlink.launchers import amounts, launching, sites
from pvlink.launchers.job import Job
from pvlink.launchers.order import settle
from pvlink.launchers.site import Site
from pvlink.launchers.states import Standing, State
from pvlink.servers.form import CALM, DONE, ERROR, PLAIN

# Between two looks, in seconds; a cluster is asked at its own pace.
TICK = 1.0
MORE = "30:00"
LOG_LINES = 15
_NARROW = {"width": "8em"}
_BUTTON = {"width": "auto", "min_width": "5.5em"}


class Panel:
    """Shows itself in a cell, and goes on looking until it is closed."""

    def __init__(self, connect: Callable[[Job], object]) -> None:
        """`connect`: have what is drawn on that job from now on."""
        self._connect = connect
        self._rows: dict[str, _Row] = {}
        self._list = ipywidgets.VBox()
        self._line = ipywidgets.HTML()
        self._order = _Order(self._launch)
        self._widget = ipywidgets.VBox([self._list, self._order.widget, self._line], layout={"padding": "4px 0"})
        self._over = threading.Event()
        self._lock = threading.RLock()
        self.look()
        threading.Thread(target=self._follow, daemon=True, name="pvlink jobs").start()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self._widget._repr_mimebundle_(**kwargs)

    @property
    def rows(self) -> list[_Row]:
        """The jobs that are shown, the newest first."""
        return list(self._rows.values())

    @property
    def order(self) -> _Order:
        return self._order

    @property
    def said(self) -> str:
        """What came of the last button, as HTML."""
        return str(self._line.value)

    def look(self) -> None:
        """How they stand now."""
        with self._lock:
            # The newest comes first, and the records do.
            if fresh := {job.key: _Row(job, self._act) for job in launching.jobs(but=self._rows)}:
                self._rows = fresh | self._rows
                self._list.children = [row.widget for row in self._rows.values()]
            for row in self._rows.values():
                row.look()

    def close(self) -> None:
        """Take it from all pages; the jobs go on."""
        self._over.set()
        self._widget.close()

    def _follow(self) -> None:
        while not self._over.wait(TICK):
            # A folder that cannot be read for a moment.
            with contextlib.suppress(OSError):
                self.look()

    def _launch(self, site: str, options: dict[str, Any]) -> None:
        self._do("Launching ...", lambda: f"{launching.launch(site, **options).label} is launched.")
        self.look()

    def _act(self, what: str, job: Job) -> None:
        acts: dict[str, tuple[str, Callable[[], str]]] = {
            "Connect": ("Connecting ...", lambda: self._connected(job)),
            "Extend": (f"Asking for {MORE} more ...", lambda: _extended(job)),
            "Cancel": ("Cancelling ...", lambda: _cancelled(job)),
            "Log": ("", lambda: job.log(LOG_LINES) or "It has not written anything."),
        }
        self._do(*acts[what])
        self.look()

    def _connected(self, job: Job) -> str:
        self._connect(job)
        return f"Connected to {job.label}: what is made from now on is there."

    def _do(self, meanwhile: str, act: Callable[[], str]) -> None:
        self._say(meanwhile, CALM)
        try:
            said = act()
        except PvlinkError as error:
            self._say(str(error), ERROR)
        except BaseException as error:
            # Where the trace goes is the front end's affair, and may not be seen.
            self._say(f"{type(error).__name__}: {error}", ERROR)
            raise
        else:
            self._say(said, DONE if meanwhile else PLAIN)

    def _say(self, text: str, colour: str) -> None:
        self._line.value = (
            f'<div style="color: {colour}; white-space: pre-wrap; line-height: 1.5; padding: 4px 0" role="status">'
            f"{html.escape(text)}</div>"
        )


class _Row:
    """One job with its buttons."""

    def __init__(self, job: Job, act: Callable[[str, Job], None]) -> None:
        self.job = job
        self._text = ipywidgets.HTML(layout={"flex": "1 1 20em", "min_width": "0"})
        self.buttons = {}
        for name, what in (
            ("Connect", "Draw on this job from now on"),
            ("Extend", f"Ask for {MORE} more"),
            ("Log", "The end of what it has written"),
            ("Cancel", "End it"),
        ):
            button = self.buttons[name] = ipywidgets.Button(description=name, tooltip=what, layout=_BUTTON)
            button.on_click(lambda _, name=name: act(name, job))
        self.widget = ipywidgets.HBox(
            [self._text, ipywidgets.HBox(list(self.buttons.values()))],
            layout={
                "flex_flow": "row wrap",
                "align_items": "center",
                "border_bottom": "1px solid rgba(128,128,128,.3)",
            },
        )

    @property
    def text(self) -> str:
        return str(self._text.value)

    def look(self) -> None:
        try:
            standing = self.job.standing()
        except JobError as error:
            self._show(str(error), ERROR)
            return
        over = standing.state is State.ENDED
        self.buttons["Connect"].disabled = standing.state not in (State.READY, State.USED)
        self.buttons["Extend"].disabled = over or not self.job.can_extend
        self.buttons["Cancel"].disabled = over
        self._show(_told(self.job, standing), CALM if over else PLAIN)

    def _show(self, text: str, colour: str) -> None:
        value = (
            f'<div style="color: {colour}; line-height: 1.5; padding: 2px 0"><b>{html.escape(self.job.label)}</b> '
            f'<span style="color: {CALM}">{html.escape(self.job.words)}</span><br>{html.escape(text)}</div>'
        )
        if self._text.value != value:
            self._text.value = value


class _Order:
    """What another one asks for, as the site's rule has it."""

    def __init__(self, launch: Callable[[str, dict[str, Any]], None]) -> None:
        self._launch = launch
        names = [found.name for found in sites.find()]
        self.site = ipywidgets.Dropdown(options=names, description="Site", layout={"width": "16em"})
        self.partition = ipywidgets.Dropdown(options=[("usual", "")], layout=_NARROW)
        self.memory = ipywidgets.Text(placeholder="memory", continuous_update=True, layout=_NARROW)
        self.time = ipywidgets.Text(placeholder="time", continuous_update=True, layout=_NARROW)
        self.button = ipywidgets.Button(
            description="Launch", button_style="primary", icon="rocket", disabled=not names, layout=_BUTTON
        )
        self._what = ipywidgets.HTML(layout={"flex": "1 1 20em"})
        self.button.on_click(lambda _: self.press())
        self.site.observe(lambda _: self._begin(), "value")
        for field in (self.partition, self.memory, self.time):
            field.observe(lambda _: self.settle(), "value")
        self.widget = ipywidgets.HBox(
            [self.site, self.partition, self.memory, self.time, self.button, self._what],
            layout={"flex_flow": "row wrap", "align_items": "center", "padding": "6px 0 0 0"},
        )
        if names:
            self._begin()
        else:
            self._tell("There is no site yet: `pvlink site new NAME` in a terminal asks and writes one.", CALM)

    @property
    def what(self) -> str:
        """What is asked for, or why it cannot be, as HTML."""
        return str(self._what.value)

    @property
    def options(self) -> dict[str, Any]:
        said = {"memory": self.memory.value, "time": self.time.value, "partition": self.partition.value}
        return {name: value.strip() for name, value in said.items() if value.strip()}

    def press(self) -> None:
        """As the button."""
        if not self.button.disabled:
            self.button.disabled = True
            try:
                self._launch(self.site.value, self.options)
            finally:
                self.settle()

    def settle(self) -> None:
        """Say what that is, before it is asked for."""
        try:
            order = settle(sites.load(self.site.value), **self.options)
        except OptionError as error:
            self._tell(str(error), ERROR)
            self.button.disabled = True
        else:
            self._tell(order.words, CALM)
            self.button.disabled = False

    def _begin(self) -> None:
        """Another site: its partitions, and what is usual there."""
        try:
            site = sites.load(self.site.value)
        except OptionError as error:
            self._tell(str(error), ERROR)
            self.button.disabled = True
            return
        self.partition.options = [(name, name) for name in site.slurm.partitions] or [("usual", "")]
        self.partition.disabled = not site.slurm.partitions
        self.memory.placeholder, self.time.placeholder = _usual(site)
        self.settle()

    def _tell(self, text: str, colour: str) -> None:
        self._what.value = f'<div style="color: {colour}; line-height: 1.5; padding: 2px 8px">{html.escape(text)}</div>'


def _usual(site: Site) -> tuple[str, str]:
    return site.slurm.memory, site.slurm.time


def _told(job: Job, standing: Standing) -> str:
    remaining = None if standing.state is State.ENDED else job.remaining
    left = f" {amounts.duration_words(remaining.total_seconds())} left." if remaining is not None else ""
    return f"{standing.sentence}{left}"


def _extended(job: Job) -> str:
    left = job.extend(MORE)
    said = f"{amounts.duration_words(left.total_seconds())} are left." if left is not None else ""
    return f"{job.label} is extended. {said}".strip()


def _cancelled(job: Job) -> str:
    job.cancel()
    return f"{job.label} is being ended."
