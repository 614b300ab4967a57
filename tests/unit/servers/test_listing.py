"""A folder's lines: grouped, in order, found, and not kept for ever."""

from __future__ import annotations

import re

import pytest

from pvlink.engine.listing import KEPT, Item, Listing, Order, Shelf, grouped, natural

pytestmark = pytest.mark.servers


def parse(name: str) -> tuple[str, int, str] | None:
    """As ParaView's parser, for the names of these tests: `u10.vtk`."""
    found = re.fullmatch(r"(.*?[^0-9])([0-9]+)(\..*)?", name)
    return None if found is None else (f"{found[1]}.{found[3] or ''}", int(found[2]), found[2])


def lines(*files: str, folders: tuple[str, ...] = ()) -> list[Item]:
    return grouped(list(folders), list(files), parse, lambda name: not name.endswith((".pvd", ".series")))


def listing(*files: str, folders: tuple[str, ...] = (), **known: tuple[int | None, float | None]) -> Listing:
    return Listing(1, 1, "/data", lines(*files, folders=folders), known)


def shown(of: Listing, **order: str | bool) -> list[str]:
    return [of.items[at].name for at in of.order(Order(**order))]  # type: ignore[arg-type]


def test_files_that_differ_in_a_number_are_one_series_in_the_order_of_the_numbers() -> None:
    assert lines("u10.vtk", "u9.vtk", "u100.vtk", "v1.vtk", "v2.vtk") == [
        Item("u..vtk", "series", ("u9.vtk", "u10.vtk", "u100.vtk")),
        Item("v..vtk", "series", ("v1.vtk", "v2.vtk")),
    ]


def test_one_file_with_a_number_is_a_file() -> None:
    assert lines("u10.vtk") == [Item("u10.vtk", "file", ("u10.vtk",))]


def test_names_that_are_nothing_but_a_number_are_a_series_too() -> None:
    assert lines("0002.vti", "0001.vti") == [Item("..vti", "series", ("0001.vti", "0002.vti"))]
    assert [item.kind for item in lines("1.vti", "2.stl")] == ["file", "file"]


def test_files_that_are_lists_of_files_themselves_stay_apart() -> None:
    assert [item.name for item in lines("run1.pvd", "run2.pvd", "a1.vtk.series", "a2.vtk.series")] == [
        "run1.pvd",
        "run2.pvd",
        "a1.vtk.series",
        "a2.vtk.series",
    ]


def test_folders_with_numbers_stay_folders() -> None:
    assert [item.kind for item in lines(folders=("plt1", "plt2"))] == ["folder", "folder"]


def test_names_are_sorted_as_people_count() -> None:
    assert sorted(["f10", "F2", "f1b", "f1", "e11", "10", "9"], key=natural) == [
        "9",
        "10",
        "e11",
        "f1",
        "f1b",
        "F2",
        "f10",
    ]


def test_folders_come_first_in_each_order() -> None:
    of = listing("a.vtk", "c.vtk", folders=("b", "d"))

    assert shown(of) == ["b", "d", "a.vtk", "c.vtk"]
    assert shown(of, reverse=True) == ["d", "b", "c.vtk", "a.vtk"]


def test_what_has_no_size_comes_last_both_ways() -> None:
    of = Listing(1, 1, "/", lines("a", "b", "c"), {"a": (5, 1.0), "c": (9, 3.0)})

    assert shown(of, sort="size") == ["a", "c", "b"]
    assert shown(of, sort="modified", reverse=True) == ["c", "a", "b"]


def test_by_kind_means_by_the_ending() -> None:
    assert shown(listing("b.vtu", "a.vtu", "c.csv"), sort="kind") == ["c.csv", "a.vtu", "b.vtu"]


def test_a_series_is_as_large_as_its_files_and_as_new_as_the_newest() -> None:
    (item,) = lines("u1.vtk", "u2.vtk")
    of = Listing(1, 1, "/", [item], {"u1.vtk": (5, 7.0), "u2.vtk": (6, 3.0)})

    assert of.facts(item) == (11, 7.0)
    of.known["u2.vtk"] = (6, None)
    assert of.facts(item) == (11, None)


def test_the_filter_takes_a_part_of_the_name_or_with_wildcards_the_whole() -> None:
    of = listing("Flow.vtu", "flow.csv", "wall.vtu", "u1.vtk", "u2.vtk")

    assert shown(of, pattern="FLOW") == ["flow.csv", "Flow.vtu"]
    assert shown(of, pattern="*.vtu") == ["Flow.vtu", "wall.vtu"]
    assert shown(of, pattern="u?.vtk") == ["u..vtk"]
    assert shown(of, pattern="vtu*") == []


def test_what_begins_with_a_dot_is_hidden() -> None:
    of = listing("0001.vti", "0002.vti", ".profile", folders=(".git",))

    assert shown(of) == ["..vti"]
    assert shown(of, hidden=True) == [".git", "..vti", ".profile"]


def test_a_name_is_found_by_its_beginning_from_a_place_on_and_round_the_end() -> None:
    of = listing("alpha", "beta", "Bravo", "gamma")
    order = of.order(Order())

    assert [of.find(order, "b", at) for at in (0, 2, 3)] == [1, 2, 1]
    assert of.find(order, "delta", 0) is None


def test_a_file_is_found_in_its_series_and_a_line_by_its_name() -> None:
    of = listing("u1.vtk", "u2.vtk", "zz")
    order = of.order(Order())

    assert of.place(order, "u2.vtk") == 0
    assert of.place(order, "u3.vtk") is None
    assert of.called(order, "zz") == 1


def test_a_file_counts_before_a_series_that_is_called_the_same() -> None:
    of = Listing(1, 1, "/", [Item("u", "series", ("u.1", "u.2")), Item("u", "file", ("u",))], {})

    assert of.called(range(2), "u") == 1


def test_the_shelf_forgets_what_was_not_asked_for_longest() -> None:
    shelf = Shelf()
    first, second = shelf.put(1, "/a", [], {}), shelf.put(1, "/b", [], {})
    for _ in range(KEPT - 2):
        shelf.put(1, "/c", [], {})
    assert shelf.get(first.number, 1) is first
    shelf.put(1, "/d", [], {})

    assert shelf.get(first.number, 1) is first
    assert shelf.get(second.number, 1) is None


def test_a_listing_of_another_connection_is_none_of_this_one() -> None:
    shelf = Shelf()
    made = shelf.put(1, "/a", [], {})

    assert shelf.get(made.number, 2) is None


def test_two_engines_number_their_listings_differently() -> None:
    assert Shelf().put(1, "/a", [], {}).number != Shelf().put(1, "/a", [], {}).number
