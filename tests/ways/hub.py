"""A real JupyterHub with its proxy, and users who sit at their servers."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Page

from tests.browser.jupyter import START_S, Server, free_port, write_notebook
from tests.ways.room import Person, Room, environment, known, masks

# A hub interrupts a server, asks it to end after 30 s, kills it after 30 more, and looks for 5 whether it is dead.
STOP_S = 70.0

CONFIG = Path(__file__).with_name("hub_config.py")
# Installed by `make test` (tools/bootstrap.py).
PROXY = Path(sys.prefix) / "hub" / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
SPAWNERS = {True: "jupyterhub.spawner.LocalProcessSpawner", False: "jupyterhub.spawner.SimpleLocalProcessSpawner"}


def no_hub() -> str:
    """Why there can be no hub here; empty if there can."""
    if not PROXY.exists():
        return f"JupyterHub's proxy is not installed ({PROXY}): make test brings it, with npm"
    return "" if shutil.which("node") else "JupyterHub's proxy needs Node"


class Seat(Server):
    """A user's server on the hub, as the browser tests know servers."""

    def __init__(self, hub: Hub, person: Person, name: str = "") -> None:
        base = f"{hub.base}user/{person.name}/{f'{name}/' if name else ''}"
        super().__init__(hub.home / f"{person.name}-{name}", [], base=base)
        # All servers of a user begin in the same home.
        self.port, self.root = hub.port, person.home
        self.hub, self.person, self.name = hub, person, name
        self.token = hub.ask(f"users/{person.name}/tokens", "POST", {"note": "tests"})["token"]

    def write(self, name: str, cells: list[str]) -> None:
        """A notebook of the user's own."""
        write_notebook(self.root / name, cells)
        if self.hub.apart:
            os.chown(self.root / name, self.person.uid, self.person.uid)

    @property
    def place(self) -> str:
        return f"users/{self.person.name}/" + (f"servers/{self.name}" if self.name else "server")

    @property
    def known(self) -> dict[str, Any]:
        """What the hub knows of it; empty if it does not run."""
        user = self.hub.ask(f"users/{self.person.name}")
        found: dict[str, Any] = user["servers"].get(self.name, {})
        return found

    def begin(self) -> None:
        """Ask the hub for it."""
        self.hub.ask(self.place, "POST", {})

    def started(self) -> None:
        self.begin()
        deadline = time.monotonic() + START_S
        while not self.known.get("ready"):
            assert time.monotonic() < deadline, f"the server did not start:\n{self.hub.said()}"
            time.sleep(0.1)

    def stopped(self) -> None:
        """By the hub, as its culler would."""
        self.hub.ask(self.place, "DELETE", {})
        deadline = time.monotonic() + STOP_S
        while self.known:
            assert time.monotonic() < deadline, f"the server did not stop:\n{self.hub.said()}"
            time.sleep(0.1)

    def processes(self) -> list[psutil.Process]:
        """All that the hub's spawner started and what came of it, by the mark that it leaves in their environment."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("JUPYTERHUB_SERVICE_PREFIX") == self.base:
                    found.append(process)
        return found

    def log_in(self, page: Page) -> None:
        """As a person: name and password into the hub's form. Ends where the hub leads to."""
        page.goto(f"http://127.0.0.1:{self.port}{self.hub.base}")
        page.fill("#username_input", self.person.name)
        page.fill("#password_input", self.hub.passwords[self.person.name])
        page.click("#login_submit")


class Hub:
    """`apart`: each user's processes are that system user's; otherwise all are ours."""

    base = "/science/"

    def __init__(self, home: Path, people: list[Person], *, apart: bool) -> None:
        self.home, self.people, self.apart = home, people, apart
        self.port = free_port()
        self.token = secrets.token_hex(16)
        self.passwords = {person.name: secrets.token_hex(8) for person in people}
        self.log = home / "hub.log"

    def command(self) -> list[str]:
        """What starts it, after its folder was filled."""
        self.home.mkdir(mode=0o700)
        shutil.copy(CONFIG, self.home)
        facts = {
            "base": self.base,
            "port": self.port,
            "hub_port": free_port(),
            "proxy_port": free_port(),
            "proxy": [shutil.which("node"), str(PROXY)],
            "proxy_token": secrets.token_hex(16),
            "token": self.token,
            "passwords": self.passwords,
            "homes": str(self.people[0].home.parent / "{username}"),
            "spawner": SPAWNERS[self.apart],
            "server": [sys.executable, "-P", "-m", "jupyterhub.singleuser", *([] if self.apart else ["--allow-root"])],
        }
        (self.home / "facts.json").write_text(json.dumps(facts))
        return [sys.executable, "-P", "-m", "jupyterhub", "--config", str(self.home / CONFIG.name)]

    def environment(self) -> dict[str, str]:
        kept = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "PVLINK_PVPYTHON")
        return {name: os.environ[name] for name in kept if name in os.environ} | {"HOME": str(self.home)}

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_S
        while True:
            try:
                self.ask("")
            except OSError:
                late = process.poll() is not None or time.monotonic() > deadline
                assert not late, f"the hub did not start; it said:\n{self.said()}"
                time.sleep(0.1)
            else:
                return

    def said(self) -> str:
        """Its log's end, without what the tests themselves ask for."""
        lines = self.log.read_text().splitlines()
        return "\n".join(line for line in lines if "hub/api/users" not in line and "/api/routes" not in line)[-6000:]

    def ask(self, path: str, method: str = "GET", content: Any = None) -> Any:
        """The hub's own interface, as its administrator."""
        address = f"http://127.0.0.1:{self.port}{self.base}hub/api/{path}"
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(address, body, method=method)
        request.add_header("Authorization", f"token {self.token}")
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - http, here
            said = answer.read()
        return json.loads(said) if said else None


@contextmanager
def running(people: list[Person], home: Path, *, apart: bool) -> Iterator[Hub]:
    """A hub that serves these people, each with a home below `home`; all of it ends here."""
    home.chmod(0o711)
    for person in people:
        person.home.mkdir(mode=0o700)
        if apart:
            os.chown(person.home, person.uid, person.uid)
    hub = Hub(home / "hub", people, apart=apart)
    command, env = hub.command(), hub.environment()
    with ExitStack() as stack:
        if apart:
            users = home / "users"
            users.mkdir(mode=0o700)
            room = stack.enter_context(Room(masks(environment()) + known(people, users)))
            process = room.start(command, home=hub.home, env=env, log=hub.log)
        else:
            with hub.log.open("w") as log:
                process = subprocess.Popen(command, cwd=hub.home, env=env, stdout=log, stderr=log)
        stack.callback(ended, process)
        hub.wait(process)
        yield hub


def ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
