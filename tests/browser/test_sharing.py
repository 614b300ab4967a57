"""A shared view, as its owner and those with the link meet it: the panel in JupyterLab, the page, roles, the end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, WebSocketRoute, expect

from tests.browser.conftest import SIX_LINES, Keep, complaints, window
from tests.browser.jupyter import Server, write_notebook
from tests.browser.notebook import BEGIN, Notebook
from tests.browser.view import HOST, View, blank, changed
from tests.chaos.line import Line

pytestmark = pytest.mark.trust

CELLS = [
    SIX_LINES.replace("display(GetActiveView())", "view = pvlink.show(height=480)\nview"),
    BEGIN + "import time\nwhile True: time.sleep(0.01)",
]
SHARE = "share = view.share({options}); import json; print(json.dumps([share.url, share.password]))"
# What a page may remember of a password, and must not.
MEMORY = """() => JSON.stringify([
  {...localStorage}, {...sessionStorage}, document.cookie, location.href, document.referrer, history.state,
  document.documentElement.outerHTML, [...document.querySelectorAll('input')].map(each => each.value),
  performance.getEntries().map(each => each.name),
])"""
# The tool, whose name goes on with how many watch; "Stop sharing this link" is another.
SHARING = re.compile("^Sharing")
THEME = "theme => jupyterapp.commands.execute('apputils:change-theme', { theme })"
# What a stranger reads in the console of a healthy page: nothing.
VIOLATIONS = """
window.violations = [];
addEventListener('securitypolicyviolation', (event) => {
  window.violations.push(event.violatedDirective + ' ' + event.blockedURI);
});
"""
# Elements that a keyboard reaches or a pointer presses, and what they are called.
NAMES = """root => [...root.querySelectorAll('button, input, select, a[href], summary, [tabindex="0"]')]
  .filter(each => each.checkVisibility())
  .map(each => (each.getAttribute('aria-label') ?? each.labels?.[0]?.textContent ?? each.textContent).trim())"""
FOCUSED = "() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"


@dataclass(frozen=True)
class Link:
    url: str
    password: str


class Visit:
    """The page of a link, in a browser that knows nothing of Jupyter."""

    def __init__(self, page: Page, link: Link) -> None:
        self.page = page
        self.link = link
        self.console: list[str] = []
        page.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.console.append(f"error: {error}"))
        page.goto(link.url)

    @property
    def field(self) -> Any:
        return self.page.get_by_label("Password")

    @property
    def word(self) -> Any:
        return self.page.get_by_role("alert")

    def knock(self, password: str) -> None:
        self.field.fill(password)
        self.page.get_by_role("button", name="Open").click()

    def enter(self) -> View:
        self.knock(self.link.password)
        return self.view.live()

    @property
    def view(self) -> View:
        return View(self.page, self.page.locator(HOST))

    def in_order(self) -> None:
        """Nothing was thrown, warned about or forbidden."""
        assert self.page.evaluate("() => window.violations") == []
        # A password that is wrong is told by a 403, and Chromium says so by itself.
        refused = [text for text in self.console if "status of 403" in text or "status of 429" in text]
        assert [
            text for text in self.console if text not in refused and not text.startswith(("log", "info", "verbose"))
        ] == []


@pytest.fixture(scope="module")
def owner(jupyter: Server, context: BrowserContext) -> Iterator[Notebook]:
    write_notebook(jupyter.root / "shared.ipynb", CELLS)
    before = jupyter.kernels()
    page = context.new_page()
    opened = Notebook(page, jupyter, "shared.ipynb", others=before).open()
    opened.run()
    opened.view().live()
    yield opened
    page.close()
    jupyter.end_kernels(but=before)


@pytest.fixture
def share(owner: Notebook) -> Iterator[Callable[..., Link]]:
    """Makes links; whatever is still open after the test is revoked."""

    def make(options: str = "") -> Link:
        return Link(*json.loads(owner.ask(SHARE.format(options=options))))

    yield make
    owner.ask(
        "for one in pvlink.session().ask('people', view=view.view)['people']['shares']:\n"
        "    pvlink.session().ask('revoke', share=one['share'])"
    )


@pytest.fixture(scope="module")
def outside(browser: Browser) -> Iterator[BrowserContext]:
    """A second browser, elsewhere."""
    with window(browser, ignore_https_errors=True) as context:
        context.add_init_script(VIOLATIONS)
        yield context


@pytest.fixture
def visit(outside: BrowserContext) -> Iterator[Callable[[Link], Visit]]:
    made: list[Visit] = []

    def go(link: Link) -> Visit:
        made.append(Visit(outside.new_page(), link))
        return made[-1]

    yield go
    for one in made:
        one.page.close()


def panel(view: View) -> Any:
    """The owner's, opened."""
    found = view.host.get_by_role("dialog", name="Sharing")
    if not found.is_visible():
        view.host.get_by_role("button", name=SHARING).click()
    expect(found).to_be_visible()
    return found


def viewers(view: View, count: int) -> None:
    expect(view.host.get_by_role("button", name=f"Sharing: {count} viewer")).to_be_attached(timeout=10_000)


# -- the page ------------------------------------------------------------------------------------------


def test_a_link_asks_for_its_password_and_shows_the_view(
    owner: Notebook, share: Callable[..., Link], visit: Callable[[Link], Visit], keep: Keep
) -> None:
    link = share()
    one = visit(link)
    expect(one.field).to_be_focused()
    assert one.page.evaluate(NAMES, one.page.query_selector("#door")) == ["Password", "Open"]
    keep(one.page, "sharing-door")
    one.knock("not the password")
    expect(one.word).to_have_text("This is not the password of this link.")
    expect(one.field).to_be_focused()
    # One guess a second; the next one is told to wait.
    one.page.keyboard.press("Enter")
    expect(one.word).to_contain_text("one a second is looked at")
    keep(one.page, "sharing-door-wrong")
    expect(one.page.get_by_role("button", name="Open")).to_be_enabled(timeout=5000)

    seen = one.enter().rests()
    keep(one.page, "sharing-page")

    assert not blank(seen)
    one.in_order()
    for kept in (one.page.evaluate(MEMORY), json.dumps(one.page.context.storage_state())):
        assert link.password not in kept
    # Who comes again is asked again: nothing was kept.
    one.page.reload()
    expect(one.field).to_be_focused()
    expect(one.field).to_have_value("")


def test_a_page_that_is_no_link_says_so_at_once(share: Callable[..., Link], visit: Callable[[Link], Visit]) -> None:
    link = share()
    one = visit(Link(link.url.rpartition("/")[0] + "/nothing", link.password))
    one.knock("whatever it is")
    expect(one.word).to_contain_text("does not exist, or no longer")
    expect(one.field).to_be_disabled()


@pytest.mark.parametrize("how", ["dark", "phone"])
def test_the_page_is_at_home_in_the_dark_and_on_a_phone(
    how: str, share: Callable[..., Link], browser: Browser, keep: Keep
) -> None:
    phone = {"viewport": {"width": 390, "height": 780}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
    options: dict[str, Any] = {"color_scheme": "dark"} if how == "dark" else phone
    with window(browser, ignore_https_errors=True, **options) as context:
        context.add_init_script(VIOLATIONS)
        one = Visit(context.new_page(), share())
        keep(one.page, f"sharing-door-{how}")
        one.enter().rests()
        keep(one.page, f"sharing-page-{how}")
        one.in_order()
        wide, high = one.page.evaluate(
            "() => [document.documentElement.scrollWidth - innerWidth, document.body.scrollHeight - innerHeight]"
        )
        assert (wide, high) == (0, 0)


# -- roles ---------------------------------------------------------------------------------------------


def test_who_may_look_cannot_move_and_who_may_control_can(
    owner: Notebook, share: Callable[..., Link], visit: Callable[[Link], Visit]
) -> None:
    looker = visit(share())
    watching = looker.enter()
    viewers(owner.view(), 2)
    first = watching.rests()
    watching.drag()
    watching.press("r")
    watching.press("+")
    for label in ("Reset camera", "Standard views"):
        expect(watching.tool(label)).to_be_hidden()
    expect(watching.tool("Save screenshot")).to_be_attached()
    expect(watching.host.get_by_role("button", name=SHARING)).to_be_hidden()
    assert changed(first, watching.rests()) == 0.0
    # A window of another size gets the same picture, and leaves the others theirs.
    looker.page.set_viewport_size({"width": 700, "height": 500})
    assert watching.rests().shape == first.shape

    mover = visit(share('role="control"'))
    moving = mover.enter()
    viewers(owner.view(), 3)
    expect(moving.tool("Reset camera")).to_be_attached()
    expect(moving.host.get_by_role("button", name=SHARING)).to_be_hidden()
    place, seen = moving.rests(), owner.view().frame
    moved = moving.after(moving.drag)
    assert changed(place, moved) > 0.05
    owner.view().painted_after(seen)
    looker.in_order()
    mover.in_order()


def test_a_browser_that_makes_itself_an_owner_is_none(
    owner: Notebook, share: Callable[..., Link], outside: BrowserContext
) -> None:
    """The role is the streamer's: here a visitor has changed what his own page was told."""
    page = outside.new_page()
    told: list[str] = []

    def promote(route: WebSocketRoute) -> None:
        streamer = route.connect_to_server()

        def claim(message: bytes | str) -> None:
            if isinstance(message, bytes) and b"\xa4role\xa4view" in message:
                message = message.replace(b"\xa4role\xa4view", b"\xa4role\xa5owner")
                # wslink's header: number, offset, length of the whole.
                message = message[:8] + (len(message) - 12).to_bytes(4, "little") + message[12:]
                told.append("owner")
            route.send(message)

        streamer.on_message(claim)

    page.route_web_socket("**/ws", promote)
    one = Visit(page, share())
    view = one.enter()
    assert told
    # His page believes it.
    expect(view.tool("Reset camera")).to_be_attached()
    owner.page.bring_to_front()
    before = owner.view().rests()

    page.bring_to_front()
    first = view.rests()
    view.drag()
    view.press("i")
    page.set_viewport_size({"width": 800, "height": 700})
    assert changed(first, view.rests()) == 0.0
    expect(view.host.get_by_role("button", name=SHARING)).to_be_hidden()
    owner.page.bring_to_front()
    assert changed(before, owner.view().rests()) == 0.0
    page.close()
    # Each of his tries was refused, and his console is where he reads it.
    assert complaints
    assert [text for text in complaints if "You may look at this view, not change it." not in text] == []
    complaints.clear()


# -- the owner's panel ---------------------------------------------------------------------------------


def test_the_owner_sees_who_watches_and_shows_the_password_on_demand(
    owner: Notebook, share: Callable[..., Link], visit: Callable[[Link], Visit], keep: Keep
) -> None:
    view = owner.view()
    expect(view.host.get_by_role("button", name=SHARING)).to_be_hidden()
    link = share()
    viewers(view, 1)
    visit(link).enter()
    viewers(view, 2)
    owner.page.bring_to_front()
    keep(owner.page, "sharing-watched")

    box = panel(view)
    expect(box).to_contain_text("2 viewers")
    people = box.get_by_role("list", name="Who watches").get_by_role("listitem")
    expect(people).to_have_count(2)
    expect(people.nth(0)).to_contain_text("(you)")
    expect(people.nth(1)).to_contain_text("127.0.0.1")
    expect(people.nth(1)).to_contain_text("view only, by a link")
    expect(box).to_contain_text(link.url)
    assert link.password not in box.inner_text()
    assert all(box.evaluate(NAMES))
    # By keys alone, in the order they are seen.
    order = []
    for _ in range(5):
        owner.page.keyboard.press("Tab")
        order.append(owner.page.evaluate(FOCUSED))
    assert order[:4] == ["Stop sharing this link", "Copy link", "Show password", "Copy password"]
    keep(owner.page, "sharing-panel")
    box.get_by_role("button", name="Show password").click()
    expect(box).to_contain_text(link.password)
    keep(owner.page, "sharing-panel-password")
    owner.page.evaluate(THEME, "JupyterLab Dark")
    view.until("document.body.dataset.jpThemeLight === 'false'")
    owner.page.wait_for_timeout(300)
    keep(owner.page, "sharing-panel-dark")
    owner.page.evaluate(THEME, "JupyterLab Light")
    view.until("document.body.dataset.jpThemeLight === 'true'")

    # A change of JupyterLab's theme takes the focus to itself, sooner or later.
    box.get_by_role("button", name="Copy link").focus()
    owner.page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(view.host.get_by_role("button", name=SHARING)).to_be_focused()
    assert link.password not in owner.page.content()
    owner.save()
    assert link.password not in owner.path.read_text()


def test_the_owner_ends_a_visit_at_once(
    owner: Notebook, share: Callable[..., Link], visit: Callable[[Link], Visit], keep: Keep
) -> None:
    link = share()
    one = visit(link)
    guest = one.enter()
    last = guest.rests()
    viewers(owner.view(), 2)
    owner.page.bring_to_front()

    panel(owner.view()).get_by_role("button", name="Stop sharing this link").click()
    expect(owner.view().host.get_by_role("button", name=SHARING)).to_be_hidden()
    one.page.bring_to_front()
    guest.becomes("ended", timeout=3000)
    guest.steady()
    keep(one.page, "sharing-revoked")

    assert guest.sentence == "The owner has stopped sharing this view."
    assert changed(last, guest.pixels()) == 0.0
    # The door is gone with its last link.
    with pytest.raises(Exception, match="ERR_CONNECTION_REFUSED"):
        one.page.goto(link.url)


def test_a_link_ends_with_its_time(share: Callable[..., Link], visit: Callable[[Link], Visit]) -> None:
    guest = visit(share("expires=4")).enter()
    guest.becomes("ended", timeout=8000)
    assert guest.sentence == "The time of this link is over. Ask its owner for another."


# -- busy, cut, Voila ----------------------------------------------------------------------------------


def test_the_page_works_while_the_kernel_is_busy(
    owner: Notebook, share: Callable[..., Link], visit: Callable[[Link], Visit]
) -> None:
    link = share('role="control"')
    owner.page.bring_to_front()
    owner.start(1)
    try:
        one = visit(link)
        guest = one.enter()
        before = guest.rests()
        assert changed(before, guest.after(guest.drag)) > 0.05
        one.in_order()
    finally:
        owner.page.evaluate("() => jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.interrupt()")
        owner.ended()


def test_a_visit_outlives_a_cut_without_another_password(
    share: Callable[..., Link], visit: Callable[[Link], Visit], keep: Keep
) -> None:
    link = share('role="control"')
    address = urlsplit(link.url)
    assert address.port is not None
    with Line(address.port) as line:
        one = visit(Link(f"https://127.0.0.1:{line.port}{address.path}", link.password))
        guest = one.enter()
        guest.fits()
        before = guest.rests()
        line.down()
        guest.becomes("reconnecting")
        guest.steady()
        keep(one.page, "sharing-reconnecting")
        assert changed(before, guest.pixels()) == 0.0
        painted = len(guest.paints())
        line.up()
        guest.becomes("live")
        # What it is sent on coming back is not yet what the drag shows.
        guest.until("host.pvlinkPaints.length > argument", painted)
        guest.rests()

        assert changed(before, guest.after(guest.drag)) > 0.05
        expect(one.field).to_have_count(0)
        assert one.page.evaluate("() => window.violations") == []


@pytest.mark.soak
def test_a_visitor_of_a_dashboard_may_look(jupyter: Server, page: Page) -> None:
    """Where its author says `role="control"` he may move, too: test_frontends.py."""
    before_kernels = jupyter.kernels()
    write_notebook(jupyter.root / "look.ipynb", [SIX_LINES])
    page.goto(f"{jupyter.url}voila/render/look.ipynb?token={jupyter.token}")
    view = View(page, page.locator(HOST).first).live()
    before = view.rests()
    view.drag()
    view.press("r")
    view.press("+")

    assert not blank(before)
    assert changed(before, view.rests()) == 0.0
    expect(view.tool("Reset camera")).to_be_hidden()
    page.goto("about:blank")
    jupyter.end_kernels(but=before_kernels)
