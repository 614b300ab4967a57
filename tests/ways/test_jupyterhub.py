"""JupyterHub, with its own proxy: two users, each with a live view, and neither reaches the other's by any route."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import SIX_LINES, Keep, window
from tests.browser.notebook import Notebook
from tests.browser.view import View, blank, changed
from tests.ways.hub import Hub, Seat, no_hub, running
from tests.ways.room import Person, no_room, processes_of

APART = not no_room()
pytestmark = [
    pytest.mark.ways,
    pytest.mark.skipif(bool(no_hub()), reason=no_hub()),
    pytest.mark.skipif(shutil.which("pvpython") is None, reason="needs pvpython"),
]
as_two_users = pytest.mark.skipif(not APART, reason=f"one system user only: {no_room()}")

# What a websocket comes to: "open" and the code it was closed with, or the code alone if it was never open.
KNOCK = """url => new Promise(done => {
  const socket = new WebSocket(url);
  let opened = false;
  socket.onopen = () => { opened = true; };
  socket.onclose = ({ code }) => done([opened, code]);
  setTimeout(() => done([opened, 0]), 5000);
})"""
# Whether a process may connect to a streamer's socket.
CONNECT = """
import socket
with socket.socket(socket.AF_UNIX) as one:
    try:
        one.connect({path!r})
        print("connected")
    except OSError as error:
        print(type(error).__name__)"""

STOPPED = "host.querySelector('.pvlink-status [role=status]').innerText.includes('JupyterHub has stopped')"


@dataclass
class Guest:
    """Somebody with a browser of their own, and a view in it."""

    seat: Seat
    page: Page
    notebook: Notebook
    # Seconds from the click on "Sign in" to the first picture; the server, JupyterLab, kernel and ParaView are new.
    waited: float = 0.0

    @property
    def view(self) -> View:
        return self.notebook.view()

    @property
    def session(self) -> str:
        return self.notebook.ask("print(pvlink.session().id)")

    @property
    def socket(self) -> Path:
        return Path(self.notebook.ask(f"print(__import__('pvlink').rendezvous.find({self.session!r}))"))

    def get(self, address: str, **headers: str) -> tuple[int, str]:
        """What the browser gets, cookies and all."""
        answer = self.page.request.get(address, headers=headers)
        return answer.status, answer.text()

    def post(self, address: str, content: Any, *, xsrf: str = "", **headers: str) -> tuple[int, str]:
        """`xsrf`: the path whose cookie is sent back as JupyterLab does; none without it."""
        if xsrf:
            headers["X-XSRFToken"] = self.xsrf(xsrf)
        answer = self.page.request.post(address, data=content, headers=headers)
        return answer.status, answer.text()

    def xsrf(self, path: str) -> str:
        (found,) = [
            cookie["value"]
            for cookie in self.page.context.cookies()
            if cookie["name"] == "_xsrf" and cookie["path"] == path
        ]
        return str(found)

    def knock(self, address: str) -> tuple[bool, int]:
        opened, code = self.page.evaluate(KNOCK, address.replace("http://", "ws://"))
        return bool(opened), int(code)


@contextmanager
def guest(browser: Browser, seat: Seat) -> Iterator[Guest]:
    name = f"{seat.person.name}.ipynb"
    with window(browser) as context:
        page = context.new_page()
        seat.log_in(page)
        began = time.monotonic()
        page.wait_for_url(f"{seat.url}lab*", timeout=90_000)
        notebook = at_work(seat, page, name)
        yield Guest(seat, page, notebook, time.monotonic() - began)


def at_work(seat: Seat, page: Page, name: str) -> Notebook:
    """A notebook of one cell, run, with a live view."""
    seat.write(name, [SIX_LINES])
    page.goto(f"{seat.url}lab/tree/{name}?reset")
    notebook = Notebook(page, seat, name).ready()
    notebook.run()
    notebook.view().live()
    return notebook


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    # Not below pytest's own folder, which other users may not enter.
    with tempfile.TemporaryDirectory(prefix="hub-") as folder, ExitStack() as stack:
        home = Path(folder)
        people = [Person(name, uid, home / name) for name, uid in (("alice", 64001), ("bob", 64002))]
        if APART:
            for person in people:
                assert processes_of(person.uid) == []
                stack.callback(shutil.rmtree, f"/tmp/pvlink-{person.uid}", ignore_errors=True)
        yield stack.enter_context(running(people, home, apart=APART))


@pytest.fixture(scope="module")
def seats(hub: Hub) -> dict[str, Seat]:
    return {person.name: Seat(hub, person) for person in hub.people}


@pytest.fixture(scope="module")
def alice(browser: Browser, seats: dict[str, Seat]) -> Iterator[Guest]:
    # Hers starts when she logs in; his is there by then.
    seats["bob"].begin()
    with guest(browser, seats["alice"]) as one:
        yield one


@pytest.fixture(scope="module")
def bob(browser: Browser, seats: dict[str, Seat], alice: Guest) -> Iterator[Guest]:
    with guest(browser, seats["bob"]) as one:
        yield one


def test_each_user_sees_a_live_view_and_turns_it(alice: Guest, bob: Guest, keep: Keep) -> None:
    for one in (alice, bob):
        one.page.bring_to_front()
        first = one.view.rests()
        turned = one.view.after(one.view.drag)
        keep(one.page, f"hub-{one.seat.person.name}")

        assert not blank(first)
        assert changed(first, turned) > 0.05
    assert alice.waited < 60


@as_two_users
def test_their_processes_are_theirs(alice: Guest, bob: Guest) -> None:
    for one in (alice, bob):
        owners = {psutil.Process(process.pid).uids().real for process in processes_of(one.seat.person.uid)}
        assert owners == {one.seat.person.uid}
        assert int(one.notebook.ask("import os; print(os.getuid())")) == one.seat.person.uid
        lines = [" ".join(process.cmdline()) for process in processes_of(one.seat.person.uid)]
        assert sum("pvlink.streamer" in line for line in lines) == 1
        assert sum("engine/__main__.py" in line for line in lines) >= 1


def test_another_user_of_the_hub_gets_nowhere_at_the_owners_address(alice: Guest, bob: Guest) -> None:
    routes = f"{alice.seat.url}pvlink/{alice.session}"
    view = {"view": alice.notebook.shown()}
    token = {"Authorization": f"token {bob.seat.token}"}
    assert alice.get(routes) == (200, '{"alive": true}')

    for proof in ({}, token):
        status, said = bob.get(routes, **proof)
        assert status == 403
        assert "alive" not in said
        status, said = bob.post(f"{routes}/ticket", view, xsrf=bob.seat.base, **proof)
        assert status == 403
        assert "key" not in said
    assert bob.get(f"{routes}?token={bob.seat.token}")[0] == 403
    assert bob.knock(f"{routes}/ws") == (False, 1006)
    assert bob.knock(f"{routes}/ws?token={bob.seat.token}") == (False, 1006)


@as_two_users
def test_nor_by_the_server_of_the_other_user(alice: Guest, bob: Guest) -> None:
    routes = f"{bob.seat.url}pvlink/{alice.session}"

    assert bob.get(routes) == (200, '{"alive": false}')
    status, said = bob.post(f"{routes}/ticket", {"view": "1"}, xsrf=bob.seat.base)
    assert (status, '"alive": false' in said) == (404, True)
    assert bob.knock(f"{routes}/ws") == (True, 4404)


@as_two_users
def test_nor_by_a_process_of_the_other_user(alice: Guest, bob: Guest) -> None:
    path = str(alice.socket)
    assert alice.notebook.ask(CONNECT.format(path=path)) == "connected"
    assert bob.notebook.ask(CONNECT.format(path=path)) == "PermissionError"


def test_nor_by_the_owners_kernel(alice: Guest, bob: Guest) -> None:
    (kernel,) = alice.seat.kernels()
    token = {"Authorization": f"token {bob.seat.token}"}

    for where in (alice.seat.url, bob.seat.url):
        status, said = bob.get(f"{where}api/kernels/{kernel}", **token)
        assert status in (403, 404)
        assert '"id"' not in said
        assert bob.knock(f"{where}api/kernels/{kernel}/channels")[0] is False
    assert bob.get(f"{alice.seat.url}api/kernels", **token)[0] == 403
    assert kernel not in bob.seat.kernels()


def test_cookies_are_for_the_users_own_path_and_a_ticket_needs_the_xsrf_one(alice: Guest, bob: Guest) -> None:
    place = f"{alice.seat.url}pvlink/{alice.session}/ticket"
    view = {"view": alice.notebook.shown()}

    assert alice.post(place, view)[0] == 403
    assert alice.post(place, view, xsrf=alice.seat.base)[0] == 200
    for one, other in ((alice, bob), (bob, alice)):
        cookies = {cookie["name"]: cookie["path"] for cookie in one.page.context.cookies()}
        assert cookies[f"jupyterhub-user-{one.seat.person.name}"] == one.seat.base
        assert f"jupyterhub-user-{other.seat.person.name}" not in cookies


def test_the_hub_finds_its_servers_of_the_right_version(alice: Guest, hub: Hub) -> None:
    said = hub.log.read_text()
    assert "singleuser version" not in said
    assert alice.page.request.get(f"{alice.seat.url}api").headers["x-jupyterhub-version"] == hub.ask("")["version"]


@pytest.mark.soak
def test_a_server_with_a_name_has_views_and_leaves_nothing_when_the_hub_stops_it(alice: Guest, keep: Keep) -> None:
    seat = Seat(alice.seat.hub, alice.seat.person, "fast")
    seat.started()
    page = alice.page.context.new_page()
    notebook = at_work(seat, page, "named.ipynb")
    view = notebook.view()
    first = view.rests()
    turned = view.after(view.drag)
    keep(page, "hub-named")
    assert changed(first, turned) > 0.05
    socket = Path(notebook.ask("print(pvlink.rendezvous.find(pvlink.session().id))"))
    processes = seat.processes()
    lines = [" ".join(process.cmdline()) for process in processes]
    assert [line for line in lines if "pvlink.streamer" in line]
    assert [line for line in lines if "engine/__main__.py" in line]

    seat.stopped()
    view.until("host.dataset.pvlinkState !== 'live'")
    assert psutil.wait_procs(processes, 10)[1] == []
    assert not socket.exists()
    keep(page, "hub-named-stopped")
    page.close()
    alice.view.after(alice.view.drag)


@as_two_users
def test_a_user_whose_server_was_stopped_has_no_process_left_and_reads_why(
    alice: Guest, bob: Guest, keep: Keep
) -> None:
    uid = alice.seat.person.uid
    assert len(processes_of(uid)) > 3
    alice.seat.stopped()

    deadline = time.monotonic() + 10
    while (left := processes_of(uid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []
    assert list(Path(f"/tmp/pvlink-{uid}").iterdir()) == []
    alice.page.bring_to_front()
    alice.view.until(STOPPED)
    keep(alice.page, "hub-stopped")
    bob.page.bring_to_front()
    bob.view.after(bob.view.drag)
