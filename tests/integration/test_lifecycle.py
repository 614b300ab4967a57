"""Who starts a process ends it, also when somebody was killed, hangs or works: in five seconds nothing is left."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from jupyter_client.manager import start_new_kernel

from tests.integration.household import children, descriptors, household, listeners, until, x_socket
from tests.integration.interpreter import START, Kernel
from tests.integration.watcher import Watcher

SCENE = "Show(Cone()); view = GetActiveView()\n"
# Longer than any test waits, in one call of ParaView that never looks up.
BUSY = {
    "pipeline": "heavy = Wavelet(WholeExtent=[-200, 200] * 3)\n"
    "contour = Contour(Input=heavy, ContourBy=['POINTS', 'RTData'], Isosurfaces=list(range(60, 260, 4)))\n"
    "contour.UpdatePipeline()",
    "C++": "session.desk.attribute('ctypes', 'PyDLL')(None).usleep(60_000_000)",
}
IMPORT_CTYPES = "session.desk.module('ctypes')"


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def processor_time(pid: int) -> float:
    return sum(psutil.Process(pid).cpu_times()[:2])


def x_server(kernel: Kernel) -> int:
    return next(pid for pid, name in household(kernel.directory).items() if name == "Xvfb")


def screen(kernel: Kernel) -> Path:
    return x_socket(kernel.run("answer = session.about['screen']"))


def assert_gone(directory: Path) -> None:
    until(lambda: not household(directory))
    assert listeners(directory) == []


def failure(kernel: Kernel, code: str, patience: float = 20) -> tuple[str, str]:
    wrong = kernel.attempt(code, patience).wrong
    assert wrong is not None, f"{code} did not fail"
    return wrong


# -- kill -9 -------------------------------------------------------------------------------------------


def test_a_killed_kernel_takes_everything_with_it() -> None:
    with Kernel.started() as kernel:
        kernel.run(SCENE)
        x = screen(kernel)
        with Watcher(kernel.socket(), kernel.show("view"), 320, 240) as viewer:
            viewer.still()
            kill(kernel.process.pid)
            kernel.process.wait()
            until(lambda: not household(kernel.directory))

            assert listeners(kernel.directory) == []
            assert not x.exists()
            assert viewer.states[-1].state == "ended"
            assert "Run the cells again" in viewer.states[-1].message


@pytest.mark.parametrize("how", BUSY)
def test_a_killed_kernel_ends_an_engine_at_work(how: str) -> None:
    with Kernel.started() as kernel:
        kernel.run(SCENE + IMPORT_CTYPES)
        x, engine = screen(kernel), kernel.engine
        spent = processor_time(engine)
        kernel.begin(BUSY[how])
        if how == "pipeline":
            until(lambda: processor_time(engine) > spent + 0.3)
        else:
            time.sleep(0.5)  # Asleep in C, where nobody can see that it has begun.
        kill(kernel.process.pid)
        kernel.process.wait()
        until(lambda: not household(kernel.directory))

        assert not x.exists()
        assert listeners(kernel.directory) == []


def test_a_killed_engine_is_reported_and_a_new_one_works() -> None:
    with Kernel.started() as kernel:
        kernel.run(SCENE)
        x, engine = screen(kernel), kernel.engine
        with Watcher(kernel.socket(), kernel.show("view"), 320, 240) as viewer:
            viewer.still()
            kill(engine)
            until(lambda: viewer.states and viewer.states[-1].state == "lost")
            until(lambda: not {"pvpython", "Xvfb"} & set(household(kernel.directory).values()))
            assert not x.exists()
            assert "pvlink.session().restart() brings" in viewer.states[-1].message
        for code in ("Sphere()", "view.CameraPosition", "widget.screenshot()"):
            name, message = failure(kernel, code)
            assert name == "EngineLost"
            assert "ended with signal 9" in message
            assert "pvlink.session().restart() brings the pipeline back" in message
            assert "pvlink.start() begins with nothing" in message
        kernel.run(START + SCENE + "answer = len(pvlink.show(view).screenshot())")
        assert len(listeners(kernel.directory)) == 1


def test_an_engine_killed_at_work_is_reported_at_once() -> None:
    with Kernel.started() as kernel:
        kernel.run(SCENE + IMPORT_CTYPES)
        engine = kernel.engine
        kernel.begin(BUSY["C++"])
        time.sleep(0.5)
        kill(engine)
        began = time.monotonic()
        said = kernel.said(10)

        assert time.monotonic() - began < 3
        assert said.wrong is not None
        assert said.wrong[0] == "EngineLost"


def test_a_killed_streamer_costs_the_pictures_and_not_the_pipeline() -> None:
    with Kernel.started() as kernel:
        kernel.run(SCENE + "cone = GetActiveSource(); cone.Resolution = 17\nfrom IPython.display import display")
        streamer = kernel.streamer
        with Watcher(kernel.socket(), kernel.show("view"), 320, 240) as viewer:
            viewer.still()
            kill(streamer)
            viewer.until_closed()
        for code in ("widget.screenshot()", "widget.stats"):
            name, message = failure(kernel, code)
            assert name == "StreamerLost"
            assert "pvlink.session().restart() brings it back; the pipeline is untouched" in message
        assert "StreamerLost" in kernel.attempt("display(view)").out
        assert kernel.run("answer = cone.Resolution") == 17
        kernel.run("pvlink.stop()")

        assert listeners(kernel.directory) == []
        assert children(kernel.process.pid) == []


def test_a_killed_x_server_ends_the_engine_with_a_sentence() -> None:
    with Kernel.started() as kernel:
        kernel.run(SCENE)
        x = screen(kernel)
        with Watcher(kernel.socket(), kernel.show("view"), 320, 240) as viewer:
            viewer.still()
            kill(x_server(kernel))
            until(lambda: viewer.states and viewer.states[-1].state == "lost")
            until(lambda: "pvpython" not in household(kernel.directory).values())
        name, message = failure(kernel, "Sphere()")

        assert not x.exists()
        assert name == "EngineLost"
        assert "its X server, a process of its own, has ended" in message


# -- an end in bounded time ----------------------------------------------------------------------------


@pytest.mark.soak
@pytest.mark.parametrize("who", ["engine", "streamer", "both"])
def test_stop_ends_what_hangs(who: str) -> None:
    with Kernel.started() as kernel:
        kernel.run(SCENE)
        kernel.show("view")
        x = screen(kernel)
        for pid in {"engine": [kernel.engine], "streamer": [kernel.streamer]}.get(
            who, [kernel.engine, kernel.streamer]
        ):
            os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        kernel.run("pvlink.stop()", 30)

        assert time.monotonic() - began < 15
        until(lambda: children(kernel.process.pid) == [])
        assert listeners(kernel.directory) == []
        until(lambda: not x.exists())


def test_stop_ends_an_engine_at_work() -> None:
    with Kernel.started() as kernel:
        kernel.run(
            "import threading, time\n"
            + IMPORT_CTYPES
            + "\ndef work():\n    try: "
            + BUSY["C++"]
            + "\n    except pvlink.EngineLost as error: said.append(str(error))\n"
            "said = []\nthread = threading.Thread(target=work); thread.start(); time.sleep(0.5)"
        )
        kernel.run("pvlink.stop(); thread.join(5); answer = said")

        assert children(kernel.process.pid) == []
        assert "was stopped" in kernel.run("answer = said")[0]


def test_a_kernel_that_ends_in_order_leaves_nothing() -> None:
    kernel = Kernel.started()
    kernel.run(SCENE)
    kernel.show("view")
    x = screen(kernel)
    kernel._socket.close()
    kernel._line.close()
    kernel.process.wait(10)
    left = household(kernel.directory), listeners(kernel.directory)
    kernel.close()

    assert left == ({}, [])
    assert not x.exists()


# -- where and how it is started -----------------------------------------------------------------------


@pytest.mark.soak
def test_a_session_outlives_the_thread_that_started_it() -> None:
    with Kernel() as kernel:
        kernel.run(
            "import pvlink, threading\n"
            "thread = threading.Thread(target=pvlink.start); thread.start(); thread.join()\n"
            "session = pvlink.session()\nfrom paraview.simple import *\n" + SCENE
        )
        time.sleep(0.5)
        with Watcher(kernel.socket(), kernel.show("view"), 320, 240) as viewer:
            viewer.still()
        kernel.begin("session.desk.module('ctypes'); " + BUSY["C++"])
        time.sleep(0.5)
        # Nothing but the watchdog ends this one.
        kill(kernel.process.pid)
        kernel.process.wait()
        until(lambda: not household(kernel.directory))


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_whatever_the_umask_nobody_else_can_enter(umask: int) -> None:
    # A short one: a socket's path has 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="pvl-") as place, Kernel(XDG_RUNTIME_DIR=place) as kernel:
        kernel.run(f"import os; os.environ.pop('PVLINK_RUNTIME_DIR'); os.umask({umask})\n" + START + SCENE)
        directory = Path(place) / "pvlink"

        assert directory.stat().st_mode & 0o777 == 0o700
        assert [path.stat().st_mode & 0o777 for path in directory.iterdir()] == [0o600]
        assert kernel.run("answer = len(pvlink.show(view).screenshot())") > 1000


def test_two_kernels_of_one_user_do_not_touch_each_other() -> None:
    with Kernel.started() as one, Kernel.started(PVLINK_RUNTIME_DIR=str(one.directory)) as two:
        sockets = {name.removesuffix(".sock") for name in listeners(one.directory)}
        assert sockets == {one.run("answer = session.id"), two.run("answer = session.id")}
        one.run(SCENE)
        two.run(SCENE + "GetActiveSource().Resolution = 3")
        kill(one.process.pid)
        one.process.wait()
        until(lambda: len(listeners(one.directory)) == 1)

        assert two.run("answer = len(pvlink.show(view).screenshot())") > 1000
        assert two.run("answer = session.alive")


# -- viewers -------------------------------------------------------------------------------------------


def test_a_viewer_that_stops_reading_disturbs_no_other() -> None:
    with Kernel.started() as kernel:
        kernel.run(SCENE)
        view, socket = kernel.show("view"), kernel.socket()
        with Watcher(socket, view, 640, 480) as stalled, Watcher(socket, view, 640, 480) as healthy:
            healthy.still()
            stalled.stall()
            before = len(healthy.frames)
            began = time.monotonic()
            healthy.drag([(300 + 3 * step, 200) for step in range(60)])
            shown = len(healthy.frames) - before

            assert shown >= 55
            assert time.monotonic() - began < 10


def test_garbage_of_a_viewer_ends_only_that_viewer() -> None:
    with Kernel.started() as kernel:
        kernel.run(SCENE)
        view, socket = kernel.show("view"), kernel.socket()
        with Watcher(socket, view, 320, 240) as good:
            still = good.still()
            for garbage in (b"", b"\x00" * 11, b"\xff" * 64, b"GET / HTTP/1.1\r\n\r\n"):
                with Watcher(socket, view, 320, 240) as bad:
                    bad.send_bytes(garbage)
                    bad.until_closed()
            good.drag([(100, 100), (120, 110)])
            good.still(still.id)

        assert kernel.run("answer = session.alive")


# -- again and again -----------------------------------------------------------------------------------


def footprint(kernel: Kernel) -> dict[str, Any]:
    pids = {"kernel": kernel.process.pid, "engine": kernel.engine, "streamer": kernel.streamer}
    return {
        "processes": sorted(household(kernel.directory).values()),
        "listeners": len(listeners(kernel.directory)),
        **{name: descriptors(pid) for name, pid in pids.items()},
    }


@pytest.mark.soak
def test_sessions_begun_and_ended_in_one_kernel_leave_nothing() -> None:
    with Kernel() as kernel:
        kernel.run("import pvlink")
        found = []
        for _ in range(4):
            kernel.run(START + SCENE + "pvlink.show(view).screenshot(); pvlink.stop()")
            found.append((descriptors(kernel.process.pid), children(kernel.process.pid), listeners(kernel.directory)))

    assert found[-1] == found[0]
    assert found[0][1:] == ([], [])


CELL = """\
import pvlink
pvlink.start()
from paraview.simple import *
cone = FindSource("Cone1") or Cone(registrationName="Cone1")
cone.Resolution += 1
Show(cone)
display(GetActiveView())"""
COUNT = """\
import ipywidgets, os
print(len(get_ipython().kernel.comm_manager.comms), len(ipywidgets.widgets.widget._instances), os.getpid(),
      pvlink.session().about["pid"], pvlink.session()._streamer.pid)"""


@pytest.mark.soak
@pytest.mark.parametrize("times", [60, pytest.param(200, marks=pytest.mark.soak)])
def test_a_cell_run_many_times_costs_what_it_cost_at_first(times: int) -> None:
    directory = Path(tempfile.mkdtemp(prefix="pvl-"))
    manager, client = start_new_kernel(env=os.environ | {"PVLINK_RUNTIME_DIR": str(directory)})

    def run(code: str) -> str:
        said: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                said.append(message["content"]["text"])

        reply = client.execute_interactive(code, timeout=60, output_hook=hear)
        assert reply["content"]["status"] == "ok", reply["content"]
        return "".join(said)

    def cost() -> tuple[dict[str, Any], int, int]:
        comms, widgets, kernel, engine, streamer = map(int, run(COUNT).split())
        counts = {
            "comms": comms,
            "widgets": widgets,
            "processes": sorted(household(directory).values()),
            "listeners": len(listeners(directory)),
            "tcp": len([c for c in psutil.Process(kernel).net_connections() if c.status == psutil.CONN_LISTEN]),
            "descriptors": [descriptors(pid) for pid in (engine, streamer)],
            "threads": [psutil.Process(pid).num_threads() for pid in (kernel, engine, streamer)],
        }
        memory = sum(psutil.Process(pid).memory_info().rss for pid in (engine, streamer)) >> 20
        return counts, memory, descriptors(kernel)

    try:
        for _ in range(20):
            run(CELL)
        first, memory, own = cost()
        for _ in range(times - 20):
            run(CELL)
        # The last cell may still be on its way: a descriptor is in a packet for a moment.
        deadline = time.monotonic() + 5
        while (last := cost())[0] != first and time.monotonic() < deadline:
            time.sleep(0.1)
        counts, memory_after, own_after = last
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert_gone(directory)
    directory.rmdir()

    assert counts == first
    # Jupyter's own come and go by one or two.
    assert own_after <= own + 2
    assert memory_after - memory < 20


def restart_kernels(times: int) -> list[dict[str, Any]]:
    found = []
    for _ in range(times):
        with Kernel.started() as kernel:
            kernel.run(SCENE)
            with Watcher(kernel.socket(), kernel.show("view"), 320, 240) as viewer:
                viewer.still()
                found.append(footprint(kernel))
            kill(kernel.process.pid)
            kernel.process.wait()
            assert_gone(kernel.directory)
    return found


@pytest.mark.soak
def test_a_kernel_restarted_thrice_is_the_same_each_time() -> None:
    found = restart_kernels(3)

    assert found == [found[0]] * len(found)


@pytest.mark.soak
def test_a_kernel_restarted_twenty_times_is_the_same_each_time() -> None:
    machine = len(psutil.pids())
    found = restart_kernels(20)

    assert found == [found[0]] * len(found)
    assert abs(len(psutil.pids()) - machine) < 10
