"""The file browser in a cell: with the mouse, with the keys, and what it leaves in Python."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Keep, Open
from tests.browser.notebook import Notebook

pytestmark = pytest.mark.servers

START = """\
import pvlink
session = pvlink.start()
from paraview.simple import *"""
WRITE = """\
contour = Contour(Input=Wavelet(), ContourBy=['POINTS', 'RTData'], Isosurfaces=[157.0])
for step in range(12):
    SaveData({folder!r} + f'/flow_{{step}}.vtp', proxy=contour)
Delete(contour); Delete(FindSource('Wavelet1'))"""
NASTY = "<img src=x onerror=window.pwned=1>"
ROW = ".pvlink-files-row"


class Files:
    """A file browser on a page."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.page: Page = notebook.page
        self.root = self.page.locator(".pvlink-files")
        self.grid = self.root.get_by_role("grid")
        self.alert = self.root.get_by_role("alert")
        self.result = self.root.locator(".pvlink-files-result")

    def row(self, name: str) -> Locator:
        return self.root.locator(ROW).filter(has=self.page.get_by_text(name, exact=True))

    def here(self, name: str) -> None:
        """Wait until the folder of that name is shown."""
        expect(self.root.locator(".pvlink-files-crumb[aria-current]")).to_have_text(name)

    def chosen(self) -> list[str]:
        return self.root.locator(f"{ROW}[aria-selected=true] .pvlink-files-name").all_inner_texts()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browse") / "results"
    folder.mkdir()
    for name in ("sub", NASTY):
        (folder / name).mkdir()
    (folder / "sub" / "inside.csv").write_text("a\n1\n")
    for name in ("notes.abc", "new\nline.csv", "x" * 251 + ".txt"):
        (folder / name).write_text("a\n1\n")
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.csv")).write_text("a,b\n1,2\n")
    (folder / "many").mkdir()
    for number in range(1000):
        (folder / "many" / f"f{number}x.dat{number}y").touch()
    return folder


@pytest.fixture
def files(notebook: Open, data: Path) -> Iterator[Files]:
    opened = notebook(START, f"browser = session.open({str(data)!r}); browser")
    opened.run(0)
    opened.ask(WRITE.format(folder=str(data)))
    opened.run(1)
    files = Files(opened)
    files.here("results")
    yield files
    assert opened.page.evaluate("window.pwned") is None


def test_a_series_is_opened_with_the_mouse_and_is_the_browsers_source(files: Files, data: Path, keep: Keep) -> None:
    files.row("flow_..vtp").click()
    expect(files.root.get_by_role("combobox")).to_contain_text("XMLPolyDataReader")
    keep(files.page, "files")
    files.root.get_by_role("button", name="Open", exact=True).click()

    expect(files.result).to_contain_text("flow_0.vtp* is open, by XMLPolyDataReader")
    assert files.notebook.ask("print(len(browser.source.TimestepValues))") == "12"
    # The line that it shows does the same.
    code = files.result.locator("code").last.inner_text()
    assert code == f"source = OpenDataFile(pvlink.session().files({str(data)!r})['flow_..vtp'].files); Show(source)"
    files.notebook.ask(f"Delete(browser.source); {code}")
    assert files.notebook.ask("print(len(source.TimestepValues))") == "12"


def test_folders_are_gone_through_with_the_keys_alone(files: Files) -> None:
    files.grid.focus()
    files.press("s", "Enter")
    files.here("sub")
    files.press("ArrowDown", "Enter")
    expect(files.result).to_contain_text("inside.csv is open, by CSVReader")
    files.grid.focus()
    files.press("Backspace")
    files.here("results")
    files.press("End", "Home", "Shift+ArrowDown")
    assert len(files.chosen()) == 2
    # A notebook would have taken these for its own: D D deletes a cell.
    files.press("d", "d")
    assert files.page.evaluate("() => jupyterapp.shell.currentWidget.content.widgets.length") == 2


def test_names_are_text_whatever_they_are(files: Files, keep: Keep) -> None:
    for name in (NASTY, "new\\nline.csv", "caf\ufffd.csv", "x" * 251 + ".txt"):
        expect(files.row(name)).to_be_visible()
    assert files.root.locator("img").count() == 0
    files.row("caf\ufffd.csv").dblclick()
    expect(files.result).to_contain_text("caf\ufffd.csv is open, by CSVReader")
    assert files.notebook.ask("print(browser.source.GetDataInformation().GetNumberOfRows())") == "1"
    files.row(NASTY).dblclick()
    files.here(NASTY)
    keep(files.page, "files-empty")


def test_what_cannot_be_opened_is_said(files: Files) -> None:
    files.row("notes.abc").dblclick()
    expect(files.alert).to_contain_text("no reader for files that end in .abc")
    files.root.get_by_role("button", name="Type a path").click()
    field = files.root.get_by_role("textbox", name="Path")
    field.fill("/no/where")
    field.press("Enter")
    expect(files.alert).to_contain_text("/no/where on this machine cannot be read: No such file or directory.")
    files.here("results")
    files.root.get_by_role("button", name="Root", exact=True).click()
    files.here("/")
    expect(files.alert).to_be_hidden()


@pytest.mark.soak
def test_a_large_folder_is_scrolled_through(files: Files) -> None:
    files.row("many").dblclick()
    files.here("many")
    expect(files.root.locator(".pvlink-files-count")).to_contain_text("1,000 entries")
    assert files.root.locator(ROW).count() < 60
    files.grid.focus()
    files.press("End")
    expect(files.row("f999x.dat999y")).to_be_visible()
    files.root.get_by_role("searchbox").fill("f77?x*")
    expect(files.root.locator(".pvlink-files-count")).to_contain_text("10 entries")
    files.root.get_by_role("button", name="Name").click()
    expect(files.root.locator(ROW).first).to_contain_text("f779x.dat779y")


@pytest.mark.soak
def test_it_is_fit_to_see_in_the_dark_and_in_a_narrow_cell(files: Files, keep: Keep) -> None:
    files.page.evaluate("() => jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    try:
        expect(files.page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
        files.row("flow_..vtp").click()
        keep(files.page, "files-dark")
        assert _contrast(files.row("flow_..vtp").locator(".pvlink-files-kind span")) > 4.5
        assert _contrast(files.row("notes.abc").locator(".pvlink-files-kind span")) > 4.5
        files.page.set_viewport_size({"width": 700, "height": 900})
        expect(files.row("flow_..vtp").locator(".pvlink-files-kind")).to_be_hidden()
        expect(files.row("flow_..vtp").locator(".pvlink-files-name")).to_be_visible()
        keep(files.page, "files-narrow")
    finally:
        files.page.evaluate("() => jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")


CONTRAST = """(element) => {
  const numbers = (text) => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  let under = element;
  while (numbers(getComputedStyle(under).backgroundColor)[3] === 0) under = under.parentElement;
  const [a, b] = [getComputedStyle(element).color, getComputedStyle(under).backgroundColor].map(numbers).map(light);
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""


def _contrast(text: Locator) -> float:
    """Of a text to what is behind it; 4.5 is what WCAG wants."""
    return float(text.evaluate(CONTRAST))
