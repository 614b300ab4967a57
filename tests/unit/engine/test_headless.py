"""A display for ParaView: whatever is there, or is not, its first render must not end the process."""

from __future__ import annotations

import os
import secrets
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import pvlink
from pvlink.engine import headless
from pvlink.engine.headless import NoDisplay, Screen, usable

needs_xvfb = pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs Xvfb")
needs_paraview = pytest.mark.skipif(shutil.which("pvpython") is None, reason="needs pvpython")


class FakeXvfb:
    def __init__(self, program: str) -> None:
        self.program = program
        self.stopped = False

    def display(self) -> str:
        return ":77"

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """One with Xvfb, without a display, and with a ParaView that needs X."""
    monkeypatch.setenv("DISPLAY", "")
    monkeypatch.setattr(headless, "Xvfb", FakeXvfb)
    monkeypatch.setattr(headless, "usable", lambda _: False)
    monkeypatch.setattr(headless, "needs_x", lambda: True)
    monkeypatch.setattr(headless, "chooses_window_late", lambda: False)
    monkeypatch.setattr(headless, "without_x", lambda: "EGL")
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/Xvfb")
    return monkeypatch


def decided(wish: str) -> Screen:
    screen = Screen(wish)
    screen.begin()
    screen.settle()
    return screen


def test_a_display_that_answers_is_used(machine: pytest.MonkeyPatch) -> None:
    machine.setenv("DISPLAY", ":3")
    machine.setattr(headless, "usable", lambda display: display == ":3")
    assert decided("auto").description == "display :3"
    assert os.environ["DISPLAY"] == ":3"


@pytest.mark.parametrize("given", ["", ":3", "far.away:0", "localhost:10.0"])
def test_without_one_that_answers_it_brings_its_own(machine: pytest.MonkeyPatch, given: str) -> None:
    machine.setenv("DISPLAY", given)
    assert decided("auto").description == "its own X server :77"
    assert os.environ["DISPLAY"] == ":77"


def test_a_build_that_can_do_without_x_does_so(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(headless, "chooses_window_late", lambda: True)
    screen = decided("auto")
    assert (screen.description, screen.server) == ("no display (EGL)", None)
    assert decided("own").description == "its own X server :77"
    machine.setattr(headless, "without_x", lambda: "")
    assert decided("auto").description == "its own X server :77"


def test_its_own_if_asked_for(machine: pytest.MonkeyPatch) -> None:
    machine.setenv("DISPLAY", ":3")
    machine.setattr(headless, "usable", lambda _: True)
    assert decided("own").description == "its own X server :77"


def test_a_display_asked_for_is_used_or_refused(machine: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoDisplay, match="the display :5 does not answer, or does not let this user in"):
        decided(":5")
    machine.setattr(headless, "usable", lambda display: display == ":5")
    assert decided(":5").description == "display :5"


def test_none_leaves_it_to_egl_or_osmesa(machine: pytest.MonkeyPatch) -> None:
    machine.setenv("DISPLAY", ":3")
    machine.setattr(headless, "needs_x", lambda: False)
    assert "EGL or OSMesa" in decided("none").description
    assert "DISPLAY" not in os.environ


def test_nothing_to_draw_on_is_a_sentence(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(shutil, "which", lambda _: None)
    with pytest.raises(NoDisplay, match=r"no display, and Xvfb is not installed\. Install it .* apt install xvfb"):
        decided("auto")
    machine.setattr(headless, "needs_x", lambda: False)
    decided("auto")


def test_its_own_server_ends_with_it(machine: pytest.MonkeyPatch) -> None:
    screen = decided("auto")
    screen.end()
    assert vars(screen.server)["stopped"]


@pytest.mark.parametrize("display", ["far.away:0", "localhost:10.0", "127.0.0.1:0"])
def test_a_display_over_the_network_is_not_usable(display: str) -> None:
    assert not usable(display)


def test_a_dead_display_is_not_usable() -> None:
    assert not usable(":4711")


# -- for real ------------------------------------------------------------------------------------


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[str]:
    """Somebody else's X server: it runs, and lets us in only with a cookie we have not."""
    cookie = tmp_path / "cookie"
    fields = [b"", b"", b"MIT-MAGIC-COOKIE-1", secrets.token_bytes(16)]
    cookie.write_bytes(struct.pack(">H", 65535) + b"".join(struct.pack(">H", len(f)) + f for f in fields))
    mine, given = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(given), "-screen", "0", "640x480x24", "-nolisten", "tcp", "-auth", str(cookie)],
        pass_fds=[given],
        stderr=subprocess.DEVNULL,
    )
    os.close(given)
    with os.fdopen(mine) as answer:
        yield f":{answer.readline().strip()}"
    server.terminate()
    server.wait(10)


def first_picture(session: pvlink.Session) -> bytes:
    from paraview.simple import Render, Show, Sphere

    Show(Sphere())
    Render()
    return pvlink.show().screenshot()


@needs_xvfb
@needs_paraview
@pytest.mark.parametrize("given", [None, ":4711", "somewhere.else:0", "foreign"])
def test_the_first_picture_comes_whatever_the_display(
    given: str | None, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if given == "foreign":
        given = request.getfixturevalue("foreign")
        assert not usable(str(given))
    if given is None:
        monkeypatch.delenv("DISPLAY", raising=False)
    else:
        monkeypatch.setenv("DISPLAY", given)
    with pvlink.start() as session:
        assert "its own X server" in session.about["screen"]
        assert first_picture(session)[1:4] == b"PNG"
        family = psutil.Process(session.about["pid"]).children()
        assert any("Xvfb" in process.name() for process in family)
    gone, alive = psutil.wait_procs(family, 5)
    assert alive == []
    assert gone


@needs_xvfb
@needs_paraview
def test_our_own_server_lets_nobody_else_in() -> None:
    with pvlink.start(display="own") as session:
        number = session.about["screen"].rpartition(" ")[2]
        assert not usable(number)


@needs_xvfb
@needs_paraview
def test_a_foreign_display_asked_for_is_refused_with_a_sentence(foreign: str) -> None:
    with pytest.raises(pvlink.EngineStartError, match=f"the display {foreign} does not answer, or does not let"):
        pvlink.start(display=foreign)


@needs_paraview
def test_without_xvfb_and_display_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = shutil.which("pvpython")
    assert program is not None
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(pvlink.EngineStartError, match="Xvfb is not installed"):
        pvlink.start(program)
    assert pvlink.session() is None
