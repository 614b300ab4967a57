"""A simulation in JupyterLab and as a dashboard: seen, paused, changed and turned, in both themes."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Keep, Open
from tests.browser.jupyter import Server, write_notebook
from tests.browser.test_server_form import COLOURS, THEMES, contrast
from tests.browser.view import HOST, View, blank, changed
from tests.insitu.running import Running, needs_simulation

pytestmark = needs_simulation

LONG = ("--steps", "100000", "--pause", "0.02", "--size", "32")
WATCH = """\
import pvlink
session = pvlink.start()
sim = session.monitor({live!r})
sim"""
SKIN = """\
sim.add("Contour", "skin", of="input", ContourBy=["POINTS", "V"], Isosurfaces=[0.1])
sim.view("skin", width=600, height=300)"""
PLOT = 'sim.plot("max(V)", "mean(U)")'


def panel(page: Page) -> Locator:
    return page.locator(".widget-vbox").filter(has=page.get_by_role("button", name="Run until")).first


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.soak)])
def test_it_is_seen_paused_changed_and_turned(theme: str, notebook: Open, keep: Keep) -> None:
    with Running(2, *LONG) as simulation:
        opened = notebook(WATCH.format(live=simulation.live), SKIN, PLOT)
        page = opened.page
        page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", THEMES[theme])
        try:
            for number in range(3):
                opened.run(number)
            shown, view = panel(page), opened.view().live()
            head = shown.get_by_role("status")
            expect(head).to_contain_text("gray_scott.py runs, at step")
            expect(page.locator("svg polyline")).to_have_count(2)
            assert not blank(view.pixels())

            shown.get_by_role("button", name="Pause").click()
            expect(head).to_contain_text("You have paused it.")
            still = view.rests()
            turned = view.after(view.drag)
            assert changed(still, turned) > 0.02
            expect(shown).to_contain_text("how fast U is fed")

            send = shown.locator("button", has_text="Set")
            expect(send).to_be_disabled()
            field = shown.locator(".widget-readout").first
            field.fill("0.0552")
            field.press("Enter")
            expect(send).to_be_enabled()
            send.click()
            expect(shown).to_contain_text("F 0.04 → 0.055")
            expect(shown).to_contain_text("counts from the next step on.")

            at = int(str(head.inner_text()).split("step ")[1].split(".")[0])
            shown.get_by_placeholder("step").fill(str(at + 40))
            shown.get_by_role("button", name="Run until").click()
            expect(head).to_contain_text(f"It was to run until step {at + 40}.")
            keep(page, f"simulation-{theme}")
            for text in (head, shown.get_by_text("steps/s"), shown.get_by_text("how fast U is fed")):
                assert contrast(*text.first.evaluate(COLOURS)) > 4.5, text
            shown.get_by_role("button", name="Resume").click()
            expect(head).to_contain_text("gray_scott.py runs, at step")

            simulation.kill()
            expect(head).to_contain_text("has died", timeout=10_000)
            keep(page, f"simulation-died-{theme}")
        finally:
            page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", THEMES["light"])


def test_a_colleague_watches_a_dashboard(tmp_path: Path, page: Page, keep: Keep) -> None:
    server = Server.voila(tmp_path / "voila", "watch.ipynb")
    with Running(2, *LONG) as simulation:
        write_notebook(server.root / "watch.ipynb", [WATCH.format(live=simulation.live), SKIN, PLOT])
        with server:
            page.goto(server.url)
            view = View(page, page.locator(HOST).first).live()
            expect(page.get_by_role("status").first).to_contain_text("gray_scott.py runs, at step")
            # Who looks at a dashboard may steer nothing, unless its author says so.
            expect(page.get_by_text("F = 0.04")).to_be_visible()
            expect(page.get_by_role("button", name="Pause")).to_have_count(0)
            assert not blank(view.pixels())
            keep(page, "simulation-voila")
