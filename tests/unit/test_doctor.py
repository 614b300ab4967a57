"""What the doctor finds and how it says it: the parts that need no ParaView."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pvlink.checkup import bounds, displays, extensions, frontends, servers
from pvlink.checkup.bounds import Pending, program
from pvlink.checkup.causes import CAUSES, explain
from pvlink.checkup.engines import Trial, graphics, verdict
from pvlink.checkup.findings import Finding, Report
from pvlink.checkup.servers import Answer, Server
from pvlink.version import __version__

pytestmark = pytest.mark.ways

WELL = Finding("pvlink", "ok", "pvlink is here")
NOTED = Finding("graphics", "note", "Drawn on the CPU", "Nothing, if it is quick enough.")
BAD = Finding("paraview", "problem", "No ParaView found.\nLooked & looked", "Install `paraview`.", {"path": None})
SERVER = Server(1, "localhost", 8888, "/user/ada/", False, "sesame-open-up")


# -- how it is shown -----------------------------------------------------------------------------


def test_a_report_is_true_where_nothing_is_a_problem() -> None:
    assert Report([WELL, NOTED])
    assert not Report([WELL, BAD, NOTED])


def test_a_terminal_sees_each_sentence_and_its_cure_below() -> None:
    assert repr(Report([WELL, BAD])).splitlines() == [
        "ok       pvlink is here",
        "PROBLEM  No ParaView found.",
        "         Looked & looked",
        "         -> Install `paraview`.",
        "",
        "1 problem: what to do stands below each.",
    ]


def test_a_cell_sees_a_table_in_which_nothing_of_the_text_is_html() -> None:
    shown = Report([Finding("a", "problem", "<script>alert(1)</script>", "`a < b`")])._repr_html_()

    assert "<script>" not in shown
    assert "<code>a &lt; b</code>" in shown
    assert "PROBLEM" in shown


def test_programs_read_names_levels_and_facts() -> None:
    said = json.loads(Report([BAD]).json())

    assert said["good"] is False
    assert said["findings"] == [
        {
            "name": "paraview",
            "good": False,
            "level": "problem",
            "sentence": "No ParaView found.\nLooked & looked",
            "cure": "Install `paraview`.",
            "facts": {"path": None},
        }
    ]


def test_what_the_environment_keeps_secret_is_in_no_form_of_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_TOKEN", "sesame-open-up")
    report = Report([Finding("a", "note", "said sesame-open-up", "?token=other-one&x", {"b": ["sesame-open-up"]})])

    for shown in (repr(report), report._repr_html_(), report.json()):
        assert "sesame" not in shown
        assert "other-one" not in shown


# -- bounds --------------------------------------------------------------------------------------


def test_a_check_that_does_not_come_back_is_left_behind() -> None:
    leave = threading.Event()

    def hangs() -> Iterator[Finding]:
        leave.wait(30)
        yield WELL

    (found,) = Pending("disk", hangs, 0.05).findings()
    leave.set()

    assert (found.name, found.level) == ("disk", "problem")
    assert "network file system" in found.cure


def test_a_check_that_raises_is_a_finding_and_not_the_end() -> None:
    def fails() -> list[Finding]:
        raise OSError(24, "Too many open files")

    (found,) = Pending("start", fails, 5).findings()

    assert found.level == "problem"
    assert "Too many open files" in found.sentence


def test_a_program_that_hangs_ends_in_time_with_what_it_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "FAREWELL_SECONDS", 0.5)
    began = time.monotonic()
    # A session of its own for the child, and a shell that does not hear what it is asked.
    script = f"trap '' INT; setsid sleep 60 & echo $! > {tmp_path}/pid; wait; wait"

    said = program(["sh", "-c", script], 0.5)

    assert said.code is None
    assert time.monotonic() - began < 10
    state = Path(f"/proc/{int((tmp_path / 'pid').read_text())}/stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"


def test_what_a_program_says_is_kept_from_its_end() -> None:
    said = program([sys.executable, "-c", "import sys; sys.stderr.write('x' * 9000 + 'last')"], 20)

    assert said.code == 0
    assert said.err.endswith("xlast")
    assert len(said.err) == 4000


# -- ParaView ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "cause", "words"),
    [
        (
            "x: error while loading shared libraries: libfoo.so.1: cannot open shared object file",
            "loader",
            "libfoo.so.1",
        ),
        ("/lib/libc.so.6: version `GLIBC_2.38' not found (required by pvpython)", "loader", "GLIBC_2.38"),
        ("it did not: this ParaView's Python is 2.7; pvlink needs 3.9 or newer", "old", "2.7"),
        ("it did not: this is ParaView 5.4.1; pvlink needs 5.10 or newer", "old", "5.4.1"),
        ("python3 is not ParaView's Python: No module named 'paraview'", "stranger", "No module named"),
        ("there is no display, and Xvfb is not installed. Install it", "display", "Xvfb"),
        ("Xvfb did not start within 20 s (exit code 1)", "display", "did not come up"),
        ("/opt/pv cannot be run: Exec format error.", "program", "Exec format error"),
        ("is not a working pvpython: it ended with signal 11 and said nothing.", "crash", "signal 11"),
        ("something new", "unknown", "something new"),
    ],
)
def test_what_paraview_said_is_put_in_words_with_a_cure(said: str, cause: str, words: str) -> None:
    name, sentence, cure = explain("/opt/pv", said)

    assert name == cause
    assert words in sentence
    assert cure


def test_every_cause_can_be_said() -> None:
    for cause in CAUSES:
        (cause.sentence + cause.cure).format(path="/opt/pv", what="it")


def test_a_picture_of_one_colour_is_a_problem_of_the_driver() -> None:
    drawn = {"values": 3, "seconds": 0.1, "renderer": {"window": "vtkEGLRenderWindow", "renderer": "NVIDIA A100"}}
    display = displays.Display("", "none", None, blocked=False)

    found = {one.name: one for one in verdict(Trial(1.0, {"name": "ParaView 6.0.0"}, drawn), "/opt/pv", display, 45)}

    assert found["picture"].level == "problem"
    assert "driver" in found["picture"].cure


def test_a_gpu_is_told_from_a_program_on_the_cpu() -> None:
    cpu = graphics({"window": "vtkXOpenGLRenderWindow", "vendor": "Mesa", "renderer": "llvmpipe (LLVM 15.0.6)"})
    gpu = graphics({"window": "vtkEGLRenderWindow", "vendor": "NVIDIA Corporation", "renderer": "NVIDIA H200/PCIe"})

    assert (cpu.level, cpu.facts["gpu"]) == ("note", False)
    assert (gpu.level, gpu.facts["gpu"]) == ("ok", True)
    assert "EGL" in gpu.sentence


@pytest.mark.parametrize(
    ("answer", "state"), [(b"\1", "answers"), (b"\0", "locked"), (b"", "dead"), (None, "hangs"), ("none", "dead")]
)
def test_a_display_is_asked_in_a_way_that_cannot_hang(
    answer: bytes | str | None, state: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(displays, "SOCKETS", tmp_path)
    monkeypatch.setattr(displays, "PATIENCE", 0.2)
    monkeypatch.setenv("DISPLAY", ":7")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        if answer != "none":
            server.bind(str(tmp_path / "X7"))
            server.listen()

        def serve() -> None:
            if isinstance(answer, bytes):
                peer, _ = server.accept()
                peer.recv(100)
                peer.sendall(answer)
                peer.close()

        thread = threading.Thread(target=serve)
        thread.start()
        assert displays.look().state == state
        thread.join()


def test_a_display_forwarded_by_ssh_is_not_asked_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", "localhost:10.0")

    assert displays.look().state == "far"


# -- Jupyter -------------------------------------------------------------------------------------


def settings(folder: Path, name: str, **content: object) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
    return folder


def test_settings_count_in_jupyters_order(tmp_path: Path) -> None:
    on, off = ({"jpserver_extensions": {"pvlink.server": state}} for state in (True, False))
    env = settings(tmp_path / "env", "jupyter_server_config.d/pvlink.json", ServerApp=on)
    user = settings(tmp_path / "user", "jupyter_server_config.json", ServerApp=off)

    assert extensions.server_extension([]) is None
    assert extensions.server_extension([env, user]) is True
    assert extensions.server_extension([user, env]) is False
    settings(tmp_path / "env", "jupyter_server_config.json", ServerApp=off)
    assert extensions.server_extension([env, user]) is False


@pytest.mark.parametrize("disabled", [{"pvlink": True}, {"pvlink:plugin": True}, ["pvlink"]])
def test_a_lab_extension_switched_off_in_any_spelling_is_seen(tmp_path: Path, disabled: object) -> None:
    settings(tmp_path, "labconfig/page_config.json", disabledExtensions=disabled)

    assert extensions.lab_extension_disabled([tmp_path], [])
    assert not extensions.lab_extension_disabled([], [tmp_path])


def test_a_damaged_settings_file_is_passed_over_as_jupyter_does(tmp_path: Path) -> None:
    (tmp_path / "jupyter_server_config.json").write_text("{")

    assert extensions.server_extension([tmp_path]) is None


@pytest.mark.parametrize(
    ("answer", "session", "level", "words"),
    [
        (Answer(200, alive=True, version=__version__), "0" * 32, "ok", "finds this session"),
        (Answer(200, alive=False, version=__version__), None, "ok", "relay"),
        (Answer(200, alive=False, version=__version__), "0" * 32, "problem", "does not find this kernel's session"),
        (Answer(200, alive=True, version="0.0.9"), None, "problem", "0.0.9"),
        (Answer(200, alive=True), None, "problem", "an older pvlink"),
        (Answer(404), None, "problem", "without pvlink's relay"),
        (Answer(403), None, "note", "did not let the doctor in"),
        (Answer(500), None, "problem", "500"),
        (Answer(0, why="timed out"), None, "problem", "timed out"),
        (Answer(0, why="it listens at 10.0.0.1 only"), None, "note", "10.0.0.1"),
    ],
)
def test_a_servers_answer_is_put_in_words(answer: Answer, session: str | None, level: str, words: str) -> None:
    found = servers.verdict(SERVER, answer, session)

    assert found.level == level
    assert words in found.sentence
    assert "sesame" not in repr((found, SERVER))


def test_a_token_goes_to_nobody_else_who_took_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        server = Server(1, "localhost", other.getsockname()[1], "/", False, "sesame-open-up")
        # To whoever listens there as another user.
        monkeypatch.setattr(os, "getuid", lambda: 12345)
        answer = servers.ask(server, servers.NOBODY)
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.accept()

    assert answer.status == 0


def test_a_server_that_can_be_reached_from_elsewhere_only_is_not_asked() -> None:
    server = Server(1, "192.0.2.1", 8888, "/", False, "sesame-open-up")

    assert servers.ask(server, servers.NOBODY).why == "it listens at 192.0.2.1 only, not on loopback"


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        (["JPY_PARENT_PID"], "a Jupyter server"),
        (["JPY_PARENT_PID", "JUPYTERHUB_USER"], "JupyterHub"),
        (["JPY_PARENT_PID", "VOILA_KERNEL_ID"], "Voila"),
        (["JPY_PARENT_PID", "VSCODE_PID"], "VS Code"),
        (["JPY_PARENT_PID", "COLAB_RELEASE_TAG"], "Google Colab"),
    ],
)
def test_the_front_end_is_known_by_what_it_leaves_in_the_environment(variables: list[str], name: str) -> None:
    found = frontends.here(dict.fromkeys(variables, "1"))

    assert found is not None
    assert found.name == name
    assert frontends.here({}) is None


@pytest.mark.parametrize(("kind", "level"), [("tcp", "note"), ("ipc", "ok")])
def test_the_transport_of_a_kernel_is_told_and_its_key_is_not(tmp_path: Path, kind: str, level: str) -> None:
    file = tmp_path / "kernel.json"
    file.write_text(json.dumps({"transport": kind, "ip": "127.0.0.1", "key": "sesame-open-up"}))

    found = frontends.transport(file)

    assert found.level == level
    assert "sesame" not in repr(found)
