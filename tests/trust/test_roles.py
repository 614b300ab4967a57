"""Who may only look changes nothing, whatever it sends: roles are the streamer's business, not the browser's."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import aiohttp
import msgspec
import pytest
from hypothesis import strategies as st

from pvlink.protocol import (
    PROTOCOL_VERSION,
    Action,
    Drawn,
    EventType,
    Grant,
    Input,
    InputEvent,
    Join,
    Ping,
    Revoke,
    ShareName,
    Size,
    Visible,
)
from tests.integration.interpreter import Kernel
from tests.trust.messages import METHODS_ELSEWHERE, foreign, generated, nearly_valid, valid
from tests.unit.streamer.harness import Viewer, until

pytestmark = pytest.mark.trust

GENERATED = 10_000
# Each viewer may send 300 messages a second; so many of them need three seconds.
ATTACKERS = 8
# Fewer than a viewer may ask without reading the answers.
BATCH = 30
SIZE = (320, 240)
WAYS = pytest.mark.parametrize("way", ["jupyter", "link"])
PIPELINE = """\
cone = Cone(Resolution=12)
shown = Show(cone)
view = GetActiveView()
other = CreateView("RenderView"); Show(Sphere(), other)
SetActiveView(view)
Render(view); Render(other)
widget, aside = pvlink.show(view), pvlink.show(other)
import json, pathlib
from IPython.display import display
"""
# All proxies as ParaView itself writes them down, and what a hand changes before ParaView knows: cameras and sizes.
STATE = """\
SaveState("state.pvsm")
seen = []
for each in (view, other):
    camera = each.GetActiveCamera()
    places = [list(place) for place in (camera.GetPosition(), camera.GetFocalPoint(), camera.GetViewUp())]
    seen.append([list(each.ViewSize), places, camera.GetParallelScale(), camera.GetViewAngle()])
answer = [pathlib.Path("state.pvsm").read_text(), json.dumps(seen)]
"""


class Scene:
    """A kernel with two views, one of them shared."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        kernel.run(PIPELINE)
        self.socket = kernel.socket()
        self.view, self.other = kernel.run("answer = [widget.view, aside.view]")
        # Made by the code that is in the messages, should anything run it.
        self.canary = str(kernel.directory / "canary")

    def ran_code(self) -> bool:
        return Path(self.canary).exists()

    def state(self) -> list[str]:
        """ParaView's, line by line: a difference is to be seen."""
        xml, seen = self.kernel.run(STATE)
        return [seen, *xml.splitlines()]

    def share(self, role: str = "view") -> tuple[str, str]:
        """A link's address and password."""
        url, password = self.kernel.run(f"share = widget.share(role={role!r}); answer = [share.url, share.password]")
        return str(url), str(password)

    def shares(self) -> int:
        return int(self.kernel.run("answer = len(session.ask('people', view=widget.view)['people']['shares'])"))


class Visitor(Viewer):
    """Comes by a shared link."""

    async def grant(self, view: str = "1") -> Grant:
        async with self._http.post(self.tickets, json=self.asks, headers={"Origin": self.asks_from}) as answer:
            said = await answer.read()
            assert answer.status == 200, (answer.status, said)
            return msgspec.json.decode(said, type=Grant)

    asks_from = ""


@asynccontextmanager
async def viewer_of(scene: Scene, way: str, role: str, view: str = "", **options: Any) -> AsyncIterator[Viewer]:
    """One that has joined, as this role."""
    if way == "link":
        url, password = scene.share(role)
        viewer: Viewer = await visitor(url, password)
    else:
        viewer = await Viewer.connect(scene.socket)
        viewer.asks = {"role": role}
    try:
        await viewer.join(view or scene.view, *SIZE, **options)
        assert viewer.joined is not None
        assert viewer.joined.role == role
        yield viewer
    finally:
        await viewer.close()


async def visitor(url: str, password: str) -> Visitor:
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    page = urlsplit(url)
    http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting))
    one = await Visitor.over(http, f"https://{page.netloc}/ws")
    one.tickets, one.asks, one.asks_from = f"{url}/ticket", {"password": password}, f"https://{page.netloc}"
    return one


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Kernel.started() as kernel:
        yield Scene(kernel)


# -- everything there is, one by one -------------------------------------------------------------------

EVENTS: list[InputEvent] = [
    *(InputEvent(kind, 0.3, 0.6, amount=1.5, key="r", action="reset") for kind in get_args(EventType)),
    *(InputEvent("action", action=action) for action in get_args(Action)),
    *(InputEvent("key", key=key) for key in ("r", "w", "s", "p", "3", "q", "e", "ArrowLeft", "Escape", "$(reboot)")),
]
DRAG = [
    InputEvent("down", 0.5, 0.5),
    *(InputEvent("move", 0.5 + step / 50, 0.5) for step in range(10)),
    InputEvent("up", 0.7, 0.5),
    InputEvent("wheel", 0.5, 0.5, amount=3.0),
    InputEvent("pinch", 0.5, 0.5, amount=1.2),
]


def changing(view: str) -> list[msgspec.Struct]:
    """What would move or resize, if it were allowed."""
    inputs = [Input(number, [event]) for number, event in enumerate(EVENTS, 1)]
    return [*inputs, Input(1000, DRAG), Input(1 << 40, EVENTS), Size(500, 400), Size(16, 16), Size(8192, 8192)]


@WAYS
async def test_each_thing_a_looker_may_send_changes_nothing(scene: Scene, way: str) -> None:
    async with viewer_of(scene, "jupyter", "owner") as owner, viewer_of(scene, way, "view") as looker:
        # At rest: ParaView changes a thing or two by itself with the first full picture.
        await until(lambda: owner.frames and looker.frames and owner.frames[-1].still)
        before, shares = scene.state(), scene.shares()
        for message in changing(scene.view):
            answer = await looker.call(message)
            if isinstance(message, Input):
                assert "may look at this view" in answer["error"]["message"], message
            # A page says its size without being asked: that is no fault, and no change.
            else:
                assert answer["result"] is None, message
        # Bigger than all others, and joining again.
        join = Join(PROTOCOL_VERSION, scene.view, 4000, 3000, ["jpeg", "png"])
        assert (await looker.call(join))["result"]["role"] == "view"
        for visible in (False, True):
            await looker.call(Visible(visible))
        await looker.call(Drawn(1 << 40))
        assert (await looker.call(Ping(5.0)))["result"] == {"time": 5.0}
        for name in {scene.other, "0", "", "1", "2", f"{scene.view} "} - {scene.view}:
            answer = await looker.call(Join(PROTOCOL_VERSION, name, *SIZE, ["jpeg"]))
            assert answer["error"]["message"] == "This ticket is for another view."
        assert scene.state() == before
        assert scene.shares() == shares
        answered = {client for frame in [*owner.frames, *looker.frames] for client in frame.inputs}
        assert looker.joined is not None
        assert looker.joined.client not in answered
        assert not looker.people


@WAYS
async def test_methods_of_elsewhere_are_none_of_ours(scene: Scene, way: str) -> None:
    async with viewer_of(scene, way, "view") as looker:
        before = scene.state()
        for method in METHODS_ELSEWHERE:
            for argument in ({}, {"role": "owner"}, f"open({scene.canary!r}, 'w')", [scene.view, "reset"]):
                answer = await looker.ask(method, argument)
                assert answer["error"]["message"] == "There is no such method.", method
        assert scene.state() == before
        assert not scene.ran_code()


@WAYS
@pytest.mark.parametrize("role", ["control", "view"])
async def test_passwords_links_and_people_are_the_owners(scene: Scene, way: str, role: str) -> None:
    async with viewer_of(scene, "jupyter", "owner") as owner, viewer_of(scene, way, role) as guest:
        url, password = scene.share()
        name = url.rpartition("/")[2]
        for message in (ShareName(name), Revoke(name), ShareName("nonsense")):
            answer = await guest.call(message)
            assert answer["error"]["message"] == "Only the owner of this view may do that."
            assert password not in str(answer)
        await until(lambda: owner.people and len(owner.people[-1].viewers) == 2)
        assert [one.role for one in owner.people[-1].viewers if one.role != "owner"] == [role]
        assert not guest.people
        # The link is there as before, and its owner has what the guest may not.
        assert (await owner.call(ShareName(name)))["result"] == {"password": password}
        assert (await owner.call(Revoke(name)))["result"] is None
        assert "ended already" in (await owner.call(ShareName(name)))["error"]["message"]


async def test_an_owner_of_one_view_does_not_see_the_links_of_another(scene: Scene) -> None:
    async with viewer_of(scene, "jupyter", "owner", scene.other) as neighbour:
        name = scene.share()[0].rpartition("/")[2]
        for message in (ShareName(name), Revoke(name)):
            assert "ended already" in (await neighbour.call(message))["error"]["message"]
        assert scene.shares() > 0


# -- those who may ---------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["owner", "control"])
@pytest.mark.parametrize(
    "message", [Input(1, [InputEvent("action", action="rotate-left")]), Input(1, DRAG), Size(330, 250)]
)
async def test_the_same_from_those_who_may_does_change_it(scene: Scene, role: str, message: msgspec.Struct) -> None:
    """Else the tests above would prove nothing."""
    way = "jupyter" if role == "owner" else "link"
    async with viewer_of(scene, way, role) as viewer:
        await until(lambda: viewer.frames and viewer.frames[-1].still)
        before, last = scene.state(), viewer.frames[-1].id
        assert (await viewer.call(message))["result"] is None
        await until(lambda: viewer.frames[-1].still and viewer.frames[-1].id > last)
        assert scene.state() != before


# -- ten thousand ----------------------------------------------------------------------------------


# By either door the same streamer decides.
@pytest.mark.soak
@pytest.mark.parametrize("way", ["jupyter", "link"])
async def test_ten_thousand_generated_messages_of_a_looker_change_nothing(scene: Scene, way: str) -> None:
    join = st.fixed_dictionaries(
        {
            "protocol": st.just(PROTOCOL_VERSION),
            "view": st.sampled_from([scene.view, scene.view, scene.other]),
            "width": st.integers(1, 8192),
            "height": st.integers(1, 8192),
            "codecs": st.sampled_from([["jpeg"], ["png", "jpeg"], ["h264"]]),
        },
    )
    kinds = (
        valid(scene.canary, join=join),
        valid(scene.canary, join=join),
        nearly_valid(scene.canary),
        foreign(scene.canary),
    )
    messages = generated(st.lists(st.one_of(*kinds), min_size=10, max_size=10), GENERATED)
    files = {path.name for path in scene.kernel.directory.iterdir()} | {"state.pvsm", "stop"}
    async with AsyncExitStack() as stack:
        owner = await stack.enter_async_context(viewer_of(scene, "jupyter", "owner"))
        await until(lambda: owner.frames and owner.frames[-1].still)
        url, password = scene.share()
        before, shares = scene.state(), scene.shares()
        # Something to see meanwhile.
        scene.kernel.begin(
            "import time\nwhile not pathlib.Path('stop').exists():\n"
            "    cone.Resolution = 42 - cone.Resolution\n    Render(view)\n    time.sleep(0.02)\n"
            "cone.Resolution = 12\npathlib.Path('stop').unlink()\n"
        )
        seen = len(owner.frames)
        await until(lambda: len(owner.frames) > seen)

        async def attack(part: list[Any]) -> None:
            looker = await _looker(scene, way, url, password)
            try:
                for start in range(0, len(part), BATCH):
                    for message in part[start : start + BATCH]:
                        await looker.send(message.wire)
                    # Fails on a connection that was closed: nothing of it is so wrong, so all of it is looked at.
                    assert (await looker.call(Ping(1.0)))["result"] == {"time": 1.0}
            finally:
                await looker.close()

        try:
            async with asyncio.TaskGroup() as group:
                for number in range(ATTACKERS):
                    group.create_task(attack(messages[number::ATTACKERS]))
            during = len(owner.frames) - seen
        finally:
            (scene.kernel.directory / "stop").touch()
            said = await asyncio.to_thread(scene.kernel.said)
        assert said.wrong is None
        assert during > 10
        assert scene.state() == before
        assert scene.shares() == shares
        assert {path.name for path in scene.kernel.directory.iterdir()} <= files
        assert not scene.ran_code()
        assert (await owner.call(Ping(2.0)))["result"] == {"time": 2.0}
        assert not any(frame.inputs.keys() - {owner.joined and owner.joined.client} for frame in owner.frames)
        assert scene.kernel.run("answer = session.alive")


async def _looker(scene: Scene, way: str, url: str, password: str) -> Viewer:
    if way == "link":
        looker: Viewer = await visitor(url, password)
    else:
        looker = await Viewer.connect(scene.socket)
        looker.asks = {"role": "view"}
    await looker.join(scene.view, *SIZE)
    return looker


# -- which role a session gives ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("started", "environment", "asked", "role"),
    [
        ("pvlink.start()", {}, "owner", "owner"),
        ("pvlink.start()", {}, "view", "view"),
        ("pvlink.start(role='control')", {}, "owner", "control"),
        ("pvlink.start(role='view')", {}, "owner", "view"),
        ("pvlink.start()", {"VOILA_PREHEAT": "True"}, "owner", "view"),
        ("pvlink.start(role='control')", {"VOILA_PREHEAT": "True"}, "owner", "control"),
        ("pvlink.start(role='control')", {"VOILA_PREHEAT": "True"}, "view", "view"),
    ],
)
async def test_the_session_says_what_those_from_jupyter_may_be(
    started: str, environment: dict[str, str], asked: str, role: str
) -> None:
    """`asked` is what Jupyter lets this user be at most; the lesser of the two counts."""
    with Kernel(**environment) as kernel:
        kernel.run(f"import pvlink; session = {started}\nfrom paraview.simple import *\nShow(Cone())")
        viewer = await Viewer.connect(kernel.socket())
        viewer.asks = {"role": asked}
        joined = await viewer.join(kernel.show(), *SIZE)
        await viewer.close()
    assert joined.role == role


def test_a_role_that_is_none_is_refused() -> None:
    with Kernel() as kernel:
        wrong = kernel.attempt("import pvlink; pvlink.start(role='admin')").wrong
    assert wrong == ("OptionError", "role='admin': it is 'owner', 'control' or 'view'.")
