"""A display for ParaView, decided before its first render.

ParaView builds that draw through X end the whole process at the first render when there is no X server, and again
when the one they use goes away. So nothing is left to them: a display is used only after it has answered, a
private Xvfb takes its place otherwise, and builds with EGL or OSMesa need neither.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import functools
import os
import secrets
import select
import shutil
import signal
import struct
import subprocess
import time

from pvlink.engine.trial import without_x
from pvlink.engine.versions import chooses_window_late

# How long a private X server may take; it needs about half a second on an idle machine.
XVFB_PATIENCE = 20.0
# Off-screen buffers are not bounded by the screen, so a small one is enough and costs 4 MB instead of 67.
XVFB_SCREEN = "1280x1024x24"


class NoDisplay(RuntimeError):
    """Nothing to draw on, and why."""


def usable(display: str) -> bool:
    """Whether the X server behind `display` lets us in. Costs about 3 ms; a dead or foreign one says no."""
    host, _, _ = display.rpartition(":")
    if host not in ("", "unix"):
        # A display forwarded through ssh lets us in and then draws every triangle over the network.
        return False
    name = ctypes.util.find_library("X11")
    if name is None:
        return False
    x11 = ctypes.CDLL(name)
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XOpenDisplay.argtypes = [ctypes.c_char_p]
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    connection = x11.XOpenDisplay(display.encode())
    if not connection:
        return False
    x11.XCloseDisplay(connection)
    return True


class Xvfb:
    """A private X server that starts while ParaView is being imported and dies with this process."""

    def __init__(self, program: str) -> None:
        self._answer, given = os.pipe()
        # Nobody writes into this one: end of file says that the X server has ended, also where there is no pidfd_open.
        self._ended, held = os.pipe()
        self._cookie = _cookie_file()
        command = [program, "-displayfd", str(given), "-screen", "0", XVFB_SCREEN, "-nolisten", "tcp", "-noreset"]
        self._process = subprocess.Popen(
            [*command, "-auth", f"/proc/self/fd/{self._cookie}"],
            pass_fds=[given, held, self._cookie],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=functools.partial(_die_with_parent, os.getpid()),
        )
        os.close(given)
        os.close(held)
        self._name = ""

    def display(self) -> str:
        """Its name, once it is ready."""
        deadline = time.monotonic() + XVFB_PATIENCE
        text = b""
        while not text.endswith(b"\n"):
            ready, _, _ = select.select([self._answer], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(self._answer, 64) if ready else b""
            if not chunk:
                self.stop()
                raise NoDisplay(
                    f"Xvfb did not start within {XVFB_PATIENCE:.0f} s (exit code {self._process.poll()}). "
                    "Try `Xvfb -displayfd 1` in a terminal: it says why; often /tmp/.X11-unix cannot be written."
                )
            text += chunk
        os.close(self._answer)
        os.environ["XAUTHORITY"] = f"/proc/self/fd/{self._cookie}"
        self._name = f":{text.decode().strip()}"
        return self._name

    def fileno(self) -> int:
        """Readable once it has ended."""
        return self._ended

    def stop(self) -> None:
        """End it, so that it removes its socket; one that was killed could not."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2.0)
        if self._name and self._process.poll() == -signal.SIGKILL:
            with contextlib.suppress(OSError):
                os.unlink(f"/tmp/.X11-unix/X{self._name[1:]}")  # noqa: PTH108, S108 - where every X server listens


class Screen:
    """Where this engine draws. `begin` early, `settle` before the first render, `end` at the end."""

    def __init__(self, wish: str) -> None:
        """`wish`: "auto", "own" (always a private X server), "none" (EGL or OSMesa) or a display such as ":0"."""
        self._wish = wish
        self._xvfb: Xvfb | None = None
        self.description = ""

    def begin(self) -> None:
        """Start what takes long, before ParaView is imported."""
        given = os.environ.get("DISPLAY", "")
        if self._wish.startswith(":"):
            given = os.environ["DISPLAY"] = self._wish
            if not usable(given):
                raise NoDisplay(f"the display {given} does not answer, or does not let this user in")
        if self._wish == "none":
            os.environ.pop("DISPLAY", None)
            self.description = "no display (EGL or OSMesa)"
        elif self._wish != "own" and given and usable(given):
            self.description = f"display {given}"
        else:
            # A dead display is worse than none: with none, builds with EGL or OSMesa find their way alone.
            os.environ.pop("DISPLAY", None)
            program = shutil.which("Xvfb")
            self._xvfb = Xvfb(program) if program else None

    def settle(self) -> None:
        """Make sure, with ParaView imported, that a render cannot end the process."""
        if self._xvfb is not None and self._wish == "auto" and chooses_window_late() and (way := without_x()):
            # A graphics card is found so, and Xvfb would draw on the processor.
            self._xvfb.stop()
            self._xvfb = None
            self.description = f"no display ({way})"
        elif self._xvfb is not None:
            os.environ["DISPLAY"] = self._xvfb.display()
            self.description = f"its own X server {os.environ['DISPLAY']}"
        elif "DISPLAY" not in os.environ and (needs_x() or not without_x()):
            if self._wish == "none":
                raise NoDisplay("display='none' was asked for, but this ParaView has neither EGL nor OSMesa")
            raise NoDisplay(
                "this ParaView draws through X, there is no display, and Xvfb is not installed. "
                "Install it (Debian, Ubuntu: apt install xvfb; Red Hat: dnf install xorg-x11-server-Xvfb; "
                "on a cluster ask for a module) or use a ParaView built with EGL or OSMesa."
            )

    @property
    def server(self) -> Xvfb | None:
        """The private X server, if there is one."""
        return self._xvfb

    def end(self) -> None:
        if self._xvfb is not None:
            self._xvfb.stop()


def needs_x() -> bool:
    """Whether this build can draw through X only."""
    from vtkmodules import vtkRenderingOpenGL2

    if not hasattr(vtkRenderingOpenGL2, "vtkXOpenGLRenderWindow"):
        return False
    others = ("vtkEGLRenderWindow", "vtkOSOpenGLRenderWindow")
    return not chooses_window_late() or not any(hasattr(vtkRenderingOpenGL2, name) for name in others)


def _cookie_file() -> int:
    """An Xauthority file in memory: without one every user of this host may read our windows."""
    fd = os.memfd_create("xauthority")
    any_host = 65535
    fields = [b"", b"", b"MIT-MAGIC-COOKIE-1", secrets.token_bytes(16)]
    os.write(fd, struct.pack(">H", any_host) + b"".join(struct.pack(">H", len(f)) + f for f in fields))
    return fd


def _die_with_parent(parent: int) -> None:
    # SIGTERM, not SIGKILL: Xvfb then removes /tmp/.X11-unix/Xn and /tmp/.Xn-lock.
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
    # Killed before it could be asked for the signal, the parent sends none.
    if os.getppid() != parent:
        os._exit(1)
