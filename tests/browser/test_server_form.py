"""The form of a server configuration in JupyterLab: filled in, pressed, answered; in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Keep, Open

pytestmark = pytest.mark.servers

CLUSTER = Path(__file__).parents[1] / "data" / "servers" / "cluster.pvsc"
# Nothing is started: what Connect was called with is what counts here.
CELL = """
import os, tempfile
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp()
from pvlink import PvlinkError
from pvlink.servers import pvsc
from pvlink.servers.form import Form
begun = []
def connect(settled):
    begun.append(settled)
    if settled.variables["NODES"] == "64":
        raise PvlinkError("Server 'Oscar': the command that starts it, ssh, ended with exit code 3 and said:\\nsbatch: "
                          "error: more nodes than the partition <short> has; " + "and so on, at some length, " * 8)
Form(pvsc.find(pvsc.read(PATH), "Oscar"), connect, version="5.11.0")
"""
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
# Of an element: its own colour and that of the page behind it, as [r, g, b].
COLOURS = """element => {
  const numbers = text => text.match(/[\\d.]+/g).map(Number);
  let behind = element;
  while (behind && (numbers(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) behind = behind.parentElement;
  return [element, behind].map((one, i) =>
    numbers(getComputedStyle(one)[i ? 'backgroundColor' : 'color']).slice(0, 3));
}"""


def contrast(ours: list[float], behind: list[float]) -> float:
    """As https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio has it."""

    def light(colour: list[float]) -> float:
        parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    one, other = sorted((light(ours), light(behind)))
    return (other + 0.05) / (one + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_a_form_is_filled_in_and_answers(theme: str, notebook: Open, keep: Keep) -> None:
    opened = notebook(CELL.replace("PATH", repr(str(CLUSTER))))
    page: Page = opened.page
    page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", THEMES[theme])
    try:
        opened.run()
        output = page.locator(".jp-OutputArea-output .widget-vbox").first
        button, status = output.get_by_role("button", name="Connect"), output.get_by_role("status")
        expect(button).to_be_visible()
        expect(output.locator("input[disabled]")).to_have_count(1)

        output.locator("input[type=number]").first.fill("64")
        output.locator("select").select_option(label="Debug, half an hour")
        button.click()
        expect(status).to_contain_text("more nodes than the partition <short> has")
        keep(page, f"server-form-error-{theme}")
        for text in (status, output.get_by_text("Account to be charged"), output.get_by_text("csrc://login")):
            assert contrast(*text.evaluate(COLOURS)) > 4.5, text
        # A long sentence wraps beside the button, and does not push it together.
        assert button.evaluate("element => element.scrollWidth <= element.clientWidth")
        box, frame = status.bounding_box(), output.bounding_box()
        assert box is not None
        assert frame is not None
        assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1

        output.locator("input[type=number]").first.fill("8")
        output.locator("input[type=text]").first.fill("a1")
        expect(output.locator("input[type=text]").first).to_have_value("a1")
        button.click()
        expect(status).to_have_text(re.compile(r"Connected to Oscar \(csrc://login\.oscar\.example\.org:\d+\)\."))
        keep(page, f"server-form-{theme}")
        said = opened.ask("print(*(begun[1].variables[n] for n in ('ACCOUNT', 'NODES', 'QUEUE', 'LIMIT')))")
        assert said == "a1 8 debug --time=30"
    finally:
        page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", THEMES["light"])
