"""A listing as a user has it: entries, pages, names, a table in a cell."""

from __future__ import annotations

import datetime

import pytest

from pvlink.errors import DataError, OptionError
from pvlink.servers import names
from pvlink.servers.files import GULP, PAGE
from tests.unit.servers.fake_disk import FakeDesk, Session, line

pytestmark = pytest.mark.servers

SERIES = line(
    1, "u..vtk", "series", count=5, first="u0.vtk", last="u4.vtk", reader="VtkReader", description="VTK files"
)


def many(count: int) -> FakeDesk:
    return FakeDesk(*(line(at, f"f{at}") for at in range(count)))


def test_a_listing_gives_its_entries() -> None:
    listing = Session(FakeDesk(line(0, "sub", "folder", size=None, modified=None), SERIES)).files("/data")
    folder, series = listing

    assert (folder.name, folder.path, folder.kind, folder.size, folder.modified) == (
        *("sub", "/data/sub", "folder", None, None),
    )
    assert series.modified == datetime.datetime.fromtimestamp(0, datetime.UTC)
    assert (series.count, series.first, series.last, series.reader) == (5, "u0.vtk", "u4.vtk", "VtkReader")
    assert series.files == [f"/data/u..vtk{step}" for step in range(5)]
    assert (listing.path, listing.parent, listing.host) == ("/data", "/", "node7")
    assert listing.places["Root"] == "/"


def test_the_engine_is_asked_once_for_what_one_page_holds() -> None:
    desk = many(3)
    listing = Session(desk).files("/data", pattern="f", hidden=True)

    assert [entry.name for entry in listing] == [entry.name for entry in listing.page(0)] == ["f0", "f1", "f2"]
    assert (len(listing), listing.pages) == (3, 1)
    assert desk.asked == [{"path": "/data", "count": PAGE, "pattern": "f", "hidden": True}]


def test_pages_come_when_they_are_asked_for() -> None:
    desk = many(450)
    listing = Session(desk).files("/data")

    assert [len(listing.page(number)) for number in range(4)] == [200, 200, 50, 0]
    assert [asked.get("begin") for asked in desk.asked] == [None, 200, 400]
    with pytest.raises(OptionError, match="the first page is 0"):
        listing.page(-1)


def test_who_goes_through_all_of_it_asks_seldom() -> None:
    desk = many(GULP + PAGE + 1)

    assert len(list(Session(desk).files("/data"))) == GULP + PAGE + 1
    assert len(desk.asked) == 3


def test_an_engine_that_has_forgotten_reads_the_folder_again() -> None:
    desk = many(450)
    listing = Session(desk).files("/data")
    desk.forget()
    del desk.lines[220:]

    assert len(listing.page(1)) == 20
    assert len(listing) == 220
    assert [entry.name for entry in listing][-1] == "f219"


def test_a_name_is_looked_up_where_the_list_is() -> None:
    desk = many(5000)
    listing = Session(desk).files("/data")

    assert listing["f4321"].path == "/data/f4321"
    assert "f4999" in listing
    assert "g" not in listing
    assert len(desk.asked) == 4
    with pytest.raises(KeyError, match="no 'g' among the 5000 entries of /data"):
        listing["g"]


def test_an_entry_opens_itself() -> None:
    session = Session(desk := FakeDesk(line(0, "a.vtk"), SERIES))

    session.files("/data")["u..vtk"].open()
    session.files("/data")["a.vtk"].open("BReader")

    assert desk.opened == [([f"/data/u..vtk{step}" for step in range(5)], None), (["/data/a.vtk"], "BReader")]


def test_what_there_is_to_say_of_a_source_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    session = Session(desk := FakeDesk(line(0, "a.vtk")))
    desk.note = "Nothing was read from it."
    session.open_files("/data/a.vtk")

    assert capsys.readouterr().out == "pvlink: /data/a.vtk: Nothing was read from it.\n"


def test_what_the_engine_refuses_is_the_users_to_mend() -> None:
    session = Session(FakeDesk())

    with pytest.raises(OptionError, match="No such file"):
        session.files("/none")
    with pytest.raises(DataError, match=r"no reader for files that end in \.abc"):
        session.open_files("/data/x.abc")


def test_other_errors_stay_what_they_are() -> None:
    desk = FakeDesk()
    desk.wrong = RuntimeError("ParaView's own")

    with pytest.raises(RuntimeError, match="ParaView's own"):
        Session(desk).files("/data")


def test_a_message_can_be_sent_to_a_notebook_whatever_the_name() -> None:
    with pytest.raises(DataError) as refused:
        Session(FakeDesk()).open_files("/data/\udcff\n.abc")

    assert str(refused.value).startswith("/data/\ufffd\\n.abc cannot be read")


def test_in_a_cell_names_are_text() -> None:
    listing = Session(FakeDesk(line(0, '<img src=x onerror="alert(1)">'), line(1, "a\nb\udcff"))).files("/data")
    shown = listing._repr_html_()

    assert "<img" not in shown
    assert 'onerror="' not in shown
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;" in shown
    assert "a\\nb\ufffd" in shown
    shown.encode()


def test_a_long_list_says_how_much_more_there_is() -> None:
    listing = Session(many(1234)).files("/data")

    assert listing._repr_html_().count("<tr>") == 201
    assert "1,034 more" in listing._repr_html_()
    assert repr(listing).count("\n") == 21
    assert "/data on node7: 1,234 entries" in repr(listing)


def test_an_empty_folder_is_no_error() -> None:
    listing = Session(FakeDesk()).files("/data")

    assert (len(listing), list(listing), repr(listing)) == (0, [], "/data on node7: 0 entries")
    assert "0 entries" in listing._repr_html_()


@pytest.mark.parametrize(
    ("bytes_", "said"),
    [
        (None, ""),
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (99_949, "99.9 kB"),
        (99_951, "100 kB"),
        (999_500, "1.0 MB"),
        (123_456_789, "123 MB"),
        (10**18, "1000 PB"),
    ],
)
def test_sizes_are_said_as_people_say_them(bytes_: int | None, said: str) -> None:
    assert names.size(bytes_) == said


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain é 漢", "plain é 漢"),
        ("a\tb\x1b", "a\\tb\\x1b"),
        ("\udcff\ud800", "\ufffd\ufffd"),
        ("gpj\u202etxt", "gpj\ufffdtxt"),
        ("a\u2028b", "a\ufffdb"),
        ("\x7f\x85", "\\x7f\ufffd"),
    ],
)
def test_names_are_shown_in_one_line_and_in_their_direction(name: str, shown: str) -> None:
    assert names.shown(name) == shown
