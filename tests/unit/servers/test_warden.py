"""The warden's parts: what is below a process, states, shut doors, what an X server leaves, folders nobody holds."""

from __future__ import annotations

import ast
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pvlink.servers import belongings, ranks, screen
from pvlink.servers.chain import descendants, life, parent_of, state
from pvlink.servers.network import deafen, shut_doors
from tests.servers.local import until

pytestmark = pytest.mark.servers

TREE = "import subprocess, sys; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); p.wait()"
DOOR = (
    "import socket; s = socket.create_server(('', 0)); print(s.getsockname()[1], flush=True); s.accept(); print('in')"
)


@contextlib.contextmanager
def python(code: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process, and the number that it says."""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        try:
            yield one, int(one.stdout.readline())
        finally:
            below = descendants(one.pid)
            for pid in below:
                os.kill(pid, signal.SIGKILL)
            one.kill()
            one.wait()
            # Their parent is gone: somebody else waits for them.
            assert until(lambda: not any(map(state, below)), 5)


@pytest.mark.parametrize("name", ["warden", "chain", "network", "screen"])
def test_it_is_python_3_9_with_nothing_installed(name: str) -> None:
    tree = ast.parse(Path(screen.__file__).with_name(f"{name}.py").read_text(), feature_version=(3, 9))
    names = {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    ours = {f"pvlink.servers.{one}" for one in ("chain", "network", "screen")}
    assert {one.split(".")[0] for one in names - ours} <= sys.stdlib_module_names


def test_what_is_below_a_process_is_seen() -> None:
    with python(TREE) as (one, child):
        assert descendants(one.pid) == [child]
        assert {one.pid, child} <= set(descendants(os.getpid()))
        assert (parent_of(child), parent_of(one.pid)) == (one.pid, os.getpid())
    assert parent_of(child) == 0


def test_states_are_told() -> None:
    with python(TREE) as (one, child):
        assert until(lambda: state(child) == "S", 5)
        os.kill(child, signal.SIGSTOP)
        assert until(lambda: state(child) == "T", 5)
        assert ranks.not_running({0: one.pid, 1: child}) == [1]
        assert [each.rank for each in ranks.memory({1: child, 0: one.pid})] == [0, 1]
        assert ranks.resident(child) > 0
        assert life(child) is not None
    assert (state(child), ranks.resident(child), life(child)) == ("", 0, None)
    assert ranks.not_running({1: child}) == [1]


def test_shut_doors_let_nobody_in() -> None:
    with python(DOOR) as (one, port):
        assert shut_doors(one.pid, all_of_them=True)
        with pytest.raises(TimeoutError):
            socket.create_connection(("127.0.0.1", port), 0.3)
        assert one.poll() is None


def test_doors_on_loopback_may_stay_open() -> None:
    with python(DOOR.replace("''", "'127.0.0.1'")) as (one, port):
        assert shut_doors(one.pid, all_of_them=False)
        socket.create_connection(("127.0.0.1", port), 5).close()


def test_a_process_of_somebody_else_or_nobody_is_not_shut() -> None:
    with python(TREE) as (_, child):
        pass
    assert not shut_doors(child, all_of_them=True)


@pytest.mark.parametrize("filters", [True, False])
@pytest.mark.parametrize("host", ["", "127.0.0.1", "::"])
def test_a_listener_is_deafened_with_and_without_the_right_to_filter(
    host: str, filters: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not filters:
        monkeypatch.setattr("pvlink.servers.network.ATTACH_FILTER", -1)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family, dualstack_ipv6=family == socket.AF_INET6) as one:
        port = one.getsockname()[1]
        deafen(one)
        for address in ("127.0.0.1", "::1") if family == socket.AF_INET6 else ("127.0.0.1",):
            with pytest.raises(TimeoutError):
                socket.create_connection((address, port), 0.3)


def test_the_owner_of_a_port_is_known() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mine:
        port = mine.getsockname()[1]
        assert ranks.listener_of(os.getpid(), port)
        with python(TREE) as (one, _):
            assert not ranks.listener_of(one.pid, port)
    assert not ranks.listener_of(os.getpid(), port)


def test_an_x_server_s_socket_is_swept_only_when_nobody_is_behind_it() -> None:
    number = 29000 + os.getpid() % 1000
    path = Path(f"/tmp/.X11-unix/X{number}")
    path.parent.mkdir(mode=0o1777, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as alive:
        alive.bind(str(path))
        alive.listen()
        screen.sweep(f":{number}")
        assert path.exists()
    screen.sweep(f":{number}")
    assert not path.exists()
    screen.sweep(f":{number}")


def test_folders_are_swept_when_nobody_holds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(belongings, "_SHARED", tmp_path)
    held = belongings.Belongings()
    assert held.folder.parent == tmp_path
    assert held.folder.stat().st_mode & 0o777 == 0o700
    held.folder.joinpath("vader_segment.0").touch()
    other = tmp_path / "somebody's"
    other.mkdir()
    belongings.sweep()
    assert held.folder.exists()
    os.close(held._lock)
    belongings.sweep()
    assert not held.folder.exists()
    assert other.exists()
    # One that is being made.
    new = tmp_path / f"pvlink-served-{os.getuid()}-x"
    new.mkdir()
    belongings.sweep()
    assert new.exists()
    os.utime(new, (1.0, 1.0))
    belongings.sweep()
    assert not new.exists()


def test_what_carries_the_mark_is_found_and_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(belongings, "_SHARED", tmp_path)
    one = belongings.Belongings()
    os.close(one._lock)
    with subprocess.Popen(["sleep", "60"], env={belongings.MARK: one._mark}) as process:
        try:
            assert until(lambda: belongings.marked(one._mark), 5)
            assert belongings.marked(one._mark) == [process.pid]
            assert belongings.marked("0" * 16) == []
            one.clear()
            assert process.wait(5) == -signal.SIGKILL
        finally:
            process.kill()
    assert not one.folder.exists()
