"""The kernel's end of the file browser: what pages ask, and what they are told."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from pvlink.errors import OptionError
from pvlink.servers.browser import KEPT, Browser, code_for
from tests.unit.servers.fake_disk import FakeDesk, Session, line

pytestmark = pytest.mark.servers

SERIES = line(1, "u..vtk", "series", count=5, first="u0.vtk", last="u4.vtk")


class Page:
    """One front end, and all it was told."""

    def __init__(self, browser: Browser, client: str = "c1") -> None:
        self.browser = browser
        self.client = client
        self.told: list[dict[str, Any]] = []
        browser.send = self.told.append
        self.asked = 0

    def ask(self, pvlink: str, **facts: Any) -> dict[str, Any]:
        self.asked += 1
        self.browser._heard(None, {"pvlink": pvlink, "client": self.client, "ask": self.asked, **facts}, [])
        # What the kernel sends is JSON, in UTF-8.
        json.dumps(self.told[-1], ensure_ascii=False).encode()
        assert (self.told[-1]["client"], self.told[-1]["ask"]) == (self.client, self.asked)
        return self.told[-1]


def opened(*lines: Any, path: str = "/data", **options: Any) -> tuple[FakeDesk, Page]:
    desk = FakeDesk(*lines)
    return desk, Page(Session(desk).open(path, **options))


def test_a_path_that_cannot_be_is_said_at_once() -> None:
    with pytest.raises(OptionError, match="No such file"):
        Session(FakeDesk()).open("/none")


def test_unknown_options_are_said_at_once() -> None:
    with pytest.raises(OptionError, match=r"session\.open\(\) has no option 'colour'"):
        Session(FakeDesk()).open("/data", colour="red")
    with pytest.raises(OptionError, match="160 to 8192"):
        Session(FakeDesk()).open("/data", height=10)


def test_the_first_page_was_read_when_the_browser_was_made() -> None:
    desk, page = opened(line(0, "a"))
    said = page.ask("list")

    assert len(desk.asked) == 1
    assert (said["path"], said["parts"], said["total"], said["host"]) == ("/data", ["/", "data"], 1, "node7")
    assert said["entries"] == [[0, "a", "file", 5, 0.0, False, 1, "a", "a", None, ""]]


def test_a_page_that_is_loaded_again_sees_the_folder_as_it_is_now() -> None:
    desk, page = opened(line(0, "a"))
    page.ask("list")
    desk.lines.append(line(1, "b"))

    assert page.ask("list")["total"] == 2


def test_no_name_that_is_no_text_goes_to_a_page_or_comes_from_one() -> None:
    desk, page = opened(line(3, "b\udcffd\n", "folder"))
    said = page.ask("list")
    page.ask("list", number=said["number"], line=3)
    page.ask("list", number=said["number"], place=0)

    assert said["entries"][0][1] == "b\ufffdd\\n"
    assert said["places"][0] == ["Home", "/home/u\ufffd"]
    assert [asked["path"] for asked in desk.asked[1:]] == ["/data/b\udcffd\n", "/home/u\udcff"]


def test_a_part_of_the_path_leads_up() -> None:
    desk, page = opened(path="/data/a/b")
    number = page.ask("list")["number"]
    for part in range(4):
        page.ask("list", number=number, part=part)

    assert [asked["path"] for asked in desk.asked[1:]] == ["/", "/data", "/data/a", "/data/a/b"]


def test_whoever_goes_elsewhere_has_the_folder_read_and_whoever_scrolls_has_not() -> None:
    desk, page = opened(*(line(at, f"f{at}") for at in range(300)))
    number = page.ask("list")["number"]
    page.ask("list", number=number, begin=200)
    page.ask("list", number=number, again=True)
    page.ask("list", number=number, path="/elsewhere")

    assert [asked["number"] for asked in desk.asked[1:]] == [number, 0, 0]
    assert desk.asked[1]["begin"] == 200
    assert desk.asked[3]["around"] is True


def test_order_filter_and_search_go_to_the_engine() -> None:
    desk, page = opened(line(0, "a"))
    number = page.ask("list")["number"]
    page.ask("list", number=number, sort="size", reverse=True, pattern="*.vtk", hidden=True, find="x", begin=5)
    asked = desk.asked[-1]

    assert [asked[key] for key in ("sort", "reverse", "pattern", "hidden", "find", "begin")] == [
        *("size", True, "*.vtk", True, "x", 5),
    ]


def test_what_was_opened_is_the_browsers_source() -> None:
    desk, page = opened(line(0, "a.vtk"), line(1, "b.vtk"))
    before = page.browser.source
    number = page.ask("list")["number"]
    said = page.ask("open", number=number, lines=[0], reader="BReader")

    assert desk.opened == [(["/data/a.vtk"], "BReader")]
    assert before is None
    assert page.browser.source is not None
    assert said["pvlink"] == "opened"
    assert said["code"] == "source = OpenDataFile('/data/a.vtk'); Show(source)"


def test_several_files_and_a_series_open_as_one() -> None:
    desk, page = opened(line(0, "a.vtk"), SERIES, line(2, "b.vtk"))
    number = page.ask("list")["number"]
    page.ask("open", number=number, lines=[0, 2])
    said = page.ask("open", number=number, lines=[1])

    assert desk.opened[0] == (["/data/a.vtk", "/data/b.vtk"], None)
    assert len(desk.opened[1][0]) == 5
    assert said["code"] == "source = OpenDataFile(pvlink.session().files('/data')['u..vtk'].files); Show(source)"


def test_readers_are_those_of_what_is_chosen() -> None:
    _, page = opened(line(0, "a.vtk"))
    number = page.ask("list")["number"]

    assert page.ask("readers", number=number, lines=[0])["readers"] == [["AReader", "A files"], ["BReader", "B files"]]


def test_what_goes_wrong_is_told_to_the_page() -> None:
    desk, page = opened(line(0, "x.abc"))
    number = page.ask("list")["number"]

    assert "no reader for files that end in .abc" in page.ask("open", number=number, lines=[0])["message"]
    assert "No such file" in page.ask("list", number=number, path="/none")["message"]
    assert "No file is chosen" in page.ask("open", number=number)["message"]
    assert "not known any more" in page.ask("open", number=number, lines=[99])["message"]
    assert "too long ago" in page.ask("readers", number=12345, lines=[0])["message"]
    desk.wrong = RuntimeError("in ParaView")
    assert page.ask("list", number=number, path="/")["message"] == "RuntimeError: in ParaView"
    desk.wrong = KeyboardInterrupt()  # type: ignore[assignment]
    assert "interrupted" in page.ask("list", number=number, path="/")["message"]


def test_messages_that_are_no_browsers_are_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    desk, page = opened(line(0, "a"))
    with caplog.at_level(logging.CRITICAL):
        wrong: Any
        for wrong in (None, [], {}, {"pvlink": "list"}, {"pvlink": "run", "client": "c", "ask": 1}):
            page.browser._heard(None, wrong, [])
        for more in ({"path": "x" * 5000}, {"lines": [-1]}, {"lines": "all"}, {"sort": "owner"}, {"code": "1"}):
            page.browser._heard(None, {"pvlink": "list", "client": "c", "ask": 1, **more}, [])

    assert page.told == []
    assert len(desk.asked) == 1


def test_listings_that_pages_may_mean_are_bounded() -> None:
    desk, page = opened(line(0, "a"))
    first = page.ask("list")["number"]
    for _ in range(KEPT):
        desk.forget()
        page.ask("list", path="/data")

    assert "too long ago" in page.ask("readers", number=first, lines=[0])["message"]
    assert page.ask("list", number=first, again=True)["pvlink"] == "listing"


def test_the_line_of_code_reads_the_same_by_the_same_reader() -> None:
    facts = {"reader": "PNGSeriesReader", "usual": False}

    assert code_for(["/a.png"], facts, "/", None) == (
        "source = pvlink.session().open_files('/a.png', reader='PNGSeriesReader')"
    )
    # OpenDataFile ends ParaView 5.11 with such a name.
    assert "open_files('/\\udcff.vtk'" in code_for(["/\udcff.vtk"], {**facts, "usual": True}, "/", None)
    assert (
        code_for(["/a", "/b"], {**facts, "usual": True}, "/", None)
        == "source = OpenDataFile(['/a', '/b']); Show(source)"
    )


def test_a_name_never_becomes_code() -> None:
    name = "/x'); import os; os.system('id') #\n.vtk"
    code = code_for([name], {"reader": "R", "usual": True}, "/", None)

    assert code == f"source = OpenDataFile({name!r}); Show(source)"
    assert "\n" not in code
