"""The ways to show a view: as a cell's last expression, with a size, inside other widgets."""

from __future__ import annotations

from tests.browser.conftest import Keep, Open
from tests.browser.view import blank, changed

SIMPLE = """\
from pvlink.simple import *
cone = Cone()
Show(cone)
GetActiveView()"""


def test_a_view_is_shown_by_its_name_with_a_size_and_inside_other_widgets(notebook: Open, keep: Keep) -> None:
    sized = "import pvlink\npvlink.show(GetActiveView(), width=400, height=200)"
    boxed = (
        "import ipywidgets\nipywidgets.HBox([ipywidgets.Label('Beside it'), pvlink.show(height=220, width='600px')])"
    )
    opened = notebook(SIMPLE, sized, boxed)

    opened.run(0)
    first = opened.view().live()
    assert not blank(first.rests())

    opened.run(1)
    second = opened.view(1).live()
    second.rests()
    assert second.box[2:] == (400, 200)

    opened.run(2)
    third = opened.view(2)
    # Out of sight it would not ask for a picture; and a page that still lays itself out moves it away again.
    third.until("(host.scrollIntoView({ block: 'nearest' }), +host.dataset.pvlinkFrame > 0)")
    third.live()
    before = third.rests()
    keep(opened.page, "widget-in-a-box")
    assert third.box[2:] == (600, 220)
    assert changed(before, third.after(third.drag)) > 0.02
