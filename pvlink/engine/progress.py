"""ParaView's own reports of progress, passed on while a call takes long."""

from __future__ import annotations

import time
from typing import Any, Callable

from paraview import simple

# A call shorter than this is not worth a word, and more words a second nobody reads.
PATIENCE = 0.5
INTERVAL = 0.2

Report = Callable[[str, "float | None"], None]


class Progress:
    """Watches the session's progress handler. `began` and `ended` frame each call of the loop."""

    def __init__(self, report: Report, finished: Callable[[], None], abandoned: Callable[[], bool]) -> None:
        """`abandoned` says whether the call that runs was interrupted by the one who made it."""
        self._abandoned = abandoned
        self._report = report
        self._finished = finished
        self._began = 0.0
        self._reported = 0.0
        self._aborted = False

    def attach(self, session: Any) -> None:
        handler = session.GetProgressHandler()
        handler.AddObserver("ProgressEvent", self._on_progress)

    def began(self) -> None:
        self._began = time.monotonic()

    def ended(self) -> None:
        if self._aborted:
            self._aborted = False
            _abort_sources(False)
        if self._reported:
            self._reported = 0.0
            self._finished()

    def _on_progress(self, handler: Any, _event: str) -> None:
        if self._abandoned():
            self._aborted = True
            _abort_sources(True)
        now = time.monotonic()
        if now - self._began > PATIENCE and now - self._reported > INTERVAL:
            self._reported = now
            name = handler.GetLastProgressText() or ""
            self._report(_readable(name), handler.GetLastProgress() / 100.0)


def _abort_sources(stop: bool) -> None:
    """Tell every filter of the pipeline to stop, or that it may run again.

    Filters look at the flag when they report progress, so one that reports none runs to its end. Nothing resets it,
    and what a stopped filter has made so far passes for its result: so each is marked as changed, and begins anew
    when asked.
    """
    for source in simple.GetSources().values():
        algorithm = source.GetClientSideObject()
        if algorithm is not None and hasattr(algorithm, "SetAbortExecute"):
            # Also marks it as changed, for VTK.
            algorithm.SetAbortExecute(stop)
        if not stop:
            # ParaView keeps a record of its own of what is up to date.
            source.SMProxy.MarkDirty(source.SMProxy)


def _readable(vtk_class: str) -> str:
    """ "vtkPVContourFilter" is "Contour" to a user."""
    for prefix in ("vtkPV", "vtk"):
        if vtk_class.startswith(prefix):
            vtk_class = vtk_class[len(prefix) :]
            break
    return vtk_class[: -len("Filter")] if vtk_class.endswith("Filter") else vtk_class
