"""What may be changed in a simulation: how it is declared, and what never reaches it."""

from __future__ import annotations

import json
import math
import numbers
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from xml.etree import ElementTree

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvlink.insitu.parameters import (
    AT,
    EXACT,
    MAX_PARAMETERS,
    MAX_TEXT,
    ORDER,
    Parameters,
    Refused,
    declared,
    received,
)

pytestmark = pytest.mark.insitu

FEED = declared({"F": (0.0, 0.1, 0.04)})
SIZE = declared({"n": (1, 10)})
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,63}", fullmatch=True)
HUGE = 10**400
# All that Python or a wire could bring instead of a number, and all kinds of numbers.
ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-20, 20),
        st.integers(-HUGE, HUGE),
        st.floats(allow_nan=True, allow_infinity=True),
        st.floats(-20, 20),
        st.text(max_size=80),
        st.binary(max_size=80),
        st.fractions(),
        st.decimals(),
        st.complex_numbers(),
        st.integers(-100, 100).map(numpy.int32),
        st.floats(width=32).map(numpy.float32),
        st.booleans().map(numpy.bool_),
        st.just(object()),
        st.just(float),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
FLOATS = st.floats(-1e300, 1e300, allow_subnormal=False)
WHOLE = st.integers(-(EXACT // 2), EXACT // 2)


@st.composite
def declarations(draw: st.DrawFn) -> Parameters:
    """One parameter `x`, of whole numbers or not, with a start or without."""
    numbers_: st.SearchStrategy[int | float] = draw(st.sampled_from([FLOATS, WHOLE, st.integers(-20, 20)]))
    low, high = sorted((draw(numbers_), draw(numbers_)))
    if draw(st.booleans()):
        return declared({"x": (low, high)})
    return declared({"x": (low, high, draw(st.sampled_from([low, high])))})


def through_the_wire(parameters: Parameters) -> Parameters:
    return received(json.loads(json.dumps(parameters.facts())))


def fits(value: object, low: float, high: float, whole: bool) -> bool:
    """Said a second time, in other words."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    try:
        number = float(value)
    except OverflowError:
        return False
    return math.isfinite(number) and low <= number <= high and not (whole and math.floor(number) != number)


# -- values ----------------------------------------------------------------------------------------


@settings(max_examples=2000, deadline=None)
@given(declarations(), ANYTHING | st.integers(-20, 20) | st.floats(-20, 20))
def test_what_is_let_through_is_a_plain_finite_number_within_the_range(parameters: Parameters, value: object) -> None:
    for known in (parameters, through_the_wire(parameters)):
        one = known["x"]
        try:
            good = known.checked({"x": value})
        except Refused:
            assert not fits(value, one.low, one.high, one.whole)
            continue
        assert fits(value, one.low, one.high, one.whole)
        assert list(good) == ["x"]
        assert type(good["x"]) is (int if one.whole else float)
        assert one.low <= good["x"] <= one.high
        assert math.isfinite(good["x"])
        assert isinstance(value, numbers.Real)
        assert float(good["x"]) == float(value)


@settings(max_examples=1000, deadline=None)
@given(st.dictionaries(st.text(max_size=5) | st.sampled_from(["F", "n"]), ANYTHING, max_size=4))
def test_all_values_count_or_none_does(values: dict[str, object]) -> None:
    parameters = declared({"F": (0.0, 0.1), "n": (1, 10)})

    try:
        good = parameters.checked(values)
    except Refused:
        return

    assert set(good) == set(values) <= {"F", "n"}


def test_a_value_within_the_range_is_let_through_as_it_is() -> None:
    assert FEED.checked({"F": 0.05}) == {"F": 0.05}
    assert FEED.checked({"F": 0}) == {"F": 0.0}
    assert FEED.checked({"F": Fraction(1, 10)}) == {"F": 0.1}
    assert FEED.checked({}) == {}


def test_a_value_out_of_its_range_is_refused_with_the_range() -> None:
    with pytest.raises(Refused, match=r"^F = 0\.2 is out of its range from 0 to 0\.1\.$"):
        FEED.checked({"F": 0.2})


def test_what_is_no_number_is_refused_with_the_range_and_the_unit() -> None:
    parameters = declared({"F": {"range": (0.0, 0.1), "unit": "1/s"}})

    with pytest.raises(Refused, match=r"^F is a number from 0 to 0\.1 1/s, not 'fast'\.$"):
        parameters.checked({"F": "fast"})


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, "0.05", b"0.05", None, True, [0.05], (0.05,), {"F": 0.05}, 0.05j, Decimal("0.05"),
     HUGE, -HUGE, numpy.float64("nan"), numpy.array([0.05]), numpy.bool_(True)],
    ids=str,
)  # fmt: skip
def test_what_looks_like_a_number_and_is_none_is_refused(value: object) -> None:
    with pytest.raises(Refused, match="F is a number"):
        FEED.checked({"F": value})


@pytest.mark.parametrize("value", [4, 4.0, numpy.int64(4), numpy.float32(4), Fraction(8, 2)], ids=repr)
def test_a_whole_number_may_come_as_any_kind_and_is_an_int(value: object) -> None:
    good = SIZE.checked({"n": value})["n"]

    assert (good, type(good)) == (4, int)


def test_a_number_between_two_whole_ones_is_refused() -> None:
    with pytest.raises(Refused, match=r"^n is a whole number from 1 to 10, not 4\.5\.$"):
        SIZE.checked({"n": 4.5})


def test_everything_that_is_wrong_is_said_at_once() -> None:
    parameters = declared({"F": (0.0, 0.1), "n": (1, 10)})

    with pytest.raises(Refused) as error:
        parameters.checked({"F": 1.0, "n": 2.5, "k": 1})

    for part in ("F = 1 is out", "n is a whole number", "no parameter 'k'. It has F, n."):
        assert part in str(error.value)


def test_a_simulation_without_parameters_says_so() -> None:
    with pytest.raises(Refused, match=r"no parameter 'F'\. It has none\."):
        declared(None).checked({"F": 0.05})


def test_what_is_refused_is_shown_and_not_at_any_length() -> None:
    with pytest.raises(Refused) as error:
        FEED.checked({"F": "fast" * 1000})

    assert len(str(error.value)) < 200


def test_a_number_that_python_does_not_write_is_refused_like_any_other() -> None:
    with pytest.raises(Refused):
        FEED.checked({"F": 10**5000})


def test_what_is_nested_deeper_than_python_writes_is_refused_like_anything_else() -> None:
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]

    with pytest.raises(Refused):
        FEED.checked({"F": nested})


def test_the_first_whole_number_that_no_double_has_is_out_of_a_range_that_ends_before_it() -> None:
    with pytest.raises(Refused):
        declared({"n": (0, EXACT)}).checked({"n": EXACT + 1})


# -- declarations ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "low", "high", "start", "whole"),
    [
        ((0.0, 0.1), 0.0, 0.1, 0.05, False),
        ([0.0, 0.1], 0.0, 0.1, 0.05, False),
        ((0.0, 0.1, 0.04), 0.0, 0.1, 0.04, False),
        ((0, 1.0), 0.0, 1.0, 0.5, False),
        ((0, 10), 0, 10, 5, True),
        ((0, 5), 0, 5, 2, True),
        ((-5, 0), -5, 0, -2, True),
        ((3, 3), 3, 3, 3, True),
        ((0, 10, 7), 0, 10, 7, True),
        ((numpy.int64(0), numpy.int64(10)), 0, 10, 5, True),
        ((numpy.float32(0), numpy.float32(1)), 0.0, 1.0, 0.5, False),
        ({"range": (0.0, 0.1)}, 0.0, 0.1, 0.05, False),
        ({"range": (0.0, 0.1), "start": 0.1}, 0.0, 0.1, 0.1, False),
        ({"range": (0.0, 0.1, 0.02)}, 0.0, 0.1, 0.02, False),
        ({"range": (0, 10), "start": None}, 0, 10, 5, True),
        ((-1.7e308, 1.7e308), -1.7e308, 1.7e308, 0.0, False),
        ((1.6e308, 1.7e308), 1.6e308, 1.7e308, 1.65e308, False),
    ],
    ids=str,
)
def test_each_way_to_declare_one_is_understood(
    given_: object, low: float, high: float, start: float, whole: bool
) -> None:
    one = declared({"F": given_})["F"]

    assert (one.low, one.high, one.whole) == (low, high, whole)
    assert one.start == pytest.approx(start, rel=1e-15)
    assert {type(one.low), type(one.high), type(one.start)} == {int if whole else float}


def test_a_unit_and_a_sentence_about_it_are_kept() -> None:
    one = declared({"F": {"range": (0.0, 0.1), "unit": "1/s", "doc": "feed rate"}})["F"]

    assert (one.unit, one.doc) == ("1/s", "feed rate")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (0.1, "declared by its range"),
        (None, "declared by its range"),
        ("01", "declared by its range"),
        (b"01", "declared by its range"),
        ({0.0, 0.1}, "declared by its range"),
        ((), "declared by its range"),
        ((0.0,), "declared by its range"),
        ((0.0, 0.1, 0.2, 0.3), "declared by its range"),
        ({}, "declared by its range"),
        ({"start": 1}, "declared by its range"),
        ({"range": 1}, "declared by its range"),
        ({"range": (0.0, 0.1, 0.04), "start": 0.04}, "declared by its range"),
        ({"range": (0.0, 0.1), "begin": 0.04}, "there is no begin; there is range, start, unit, doc"),
        ({"range": (0.0, 0.1), 3: 4, "z": 1}, "there is no 3, z"),
        (("a", "b"), "its range is two numbers, not 'a' and 'b'"),
        ((0.0, math.nan), "its range is two numbers"),
        ((-math.inf, 0.0), "its range is two numbers"),
        ((False, True), "its range is two numbers"),
        ((0, HUGE), "its range is two numbers"),
        (((0, 1), (2, 3)), "its range is two numbers"),
        ((0.2, 0.1), "ends, at 0.1, before it begins, at 0.2"),
        ((0, EXACT + 2), "whole numbers go to 9007199254740992"),
        ((-EXACT - 2, 0), "whole numbers go to 9007199254740992"),
        ((0.0, 0.1, 0.2), "F = 0.2 is out of its range"),
        ((0.0, 0.1, "x"), "F is a number"),
        ((0.0, 0.1, True), "F is a number"),
        ({"range": (0, 10), "start": 2.5}, "F is a whole number"),
        ({"range": (0.0, 0.1), "start": math.nan}, "F is a number"),
        ({"range": (0.0, 0.1), "unit": 1}, "texts of at most"),
        ({"range": (0.0, 0.1), "doc": None}, "texts of at most"),
        ({"range": (0.0, 0.1), "unit": "s", "doc": "x" * MAX_TEXT}, "texts of at most"),
    ],
    ids=lambda one: str(one)[:40],
)
def test_a_declaration_that_makes_no_sense_is_refused_with_what_is_wrong(wrong: object, why: str) -> None:
    with pytest.raises(Refused) as error:
        declared({"F": wrong})

    assert why in str(error.value)
    assert "F" in str(error.value)


@pytest.mark.parametrize(
    "name",
    ["", " ", "1st", "feed rate", "f-g", "F\n", "Größe", 'F"/><x a="', "<F>", "a" * 65, "time", "step", ORDER, AT,
     "PartitionType", "FieldAssociation"],
)  # fmt: skip
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="is no name for a parameter"):
        declared({name: (0.0, 0.1)})


def test_what_is_no_text_is_no_name() -> None:
    wanted: Mapping[object, object] = {3: (0.0, 0.1)}

    with pytest.raises(Refused, match="3 is no name"):
        declared(wanted)  # type: ignore[arg-type]  # as a user may write it


def test_more_parameters_than_anybody_has_are_refused() -> None:
    assert len(declared({f"p{number}": (0, 1) for number in range(MAX_PARAMETERS)})) == MAX_PARAMETERS
    with pytest.raises(Refused, match="at most 100 parameters; these are 101"):
        declared({f"p{number}": (0, 1) for number in range(MAX_PARAMETERS + 1)})


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(st.text(max_size=5) | NAMES, ANYTHING | st.tuples(ANYTHING, ANYTHING), max_size=3))
def test_a_declaration_is_understood_or_refused(wanted: dict[str, object]) -> None:
    try:
        parameters = declared(wanted)
    except Refused:
        return

    assert list(parameters) == list(wanted)
    assert through_the_wire(parameters) == parameters


@given(declarations())
def test_where_it_begins_is_within_the_range(parameters: Parameters) -> None:
    one = parameters["x"]

    assert one.checked(one.start) == one.start


def test_both_bounds_and_not_the_start_say_whether_it_is_a_whole_number() -> None:
    apart = declared({"n": {"range": (0, 10), "start": 7.0}})

    assert declared({"n": (0, 10, 7.0)}) == apart


def test_the_middle_of_the_smallest_numbers_is_within_their_range() -> None:
    one = declared({"x": (5e-324, 5e-324)})["x"]

    assert one.low <= one.start <= one.high


# -- the wire --------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(NAMES.filter(lambda name: name not in ("step", "time")), st.tuples(WHOLE, WHOLE).map(sorted)))
def test_what_was_declared_is_received_as_it_was(wanted: dict[str, object]) -> None:
    there = declared(wanted)
    here = through_the_wire(there)

    assert here == there
    assert (list(here), here.proxy_name, here.definition) == (list(there), there.proxy_name, there.definition)


@pytest.mark.parametrize("facts", [None, 3, "F", {}, {"F": (0, 1)}, ["F"], [None], [{}, 3]], ids=str)
def test_what_makes_no_sense_is_not_received(facts: object) -> None:
    with pytest.raises(Refused, match=r"make no sense|no name"):
        received(facts)


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(
    ("name", "low", "high", "start", "unit", "doc", "whole", "more"), ANYTHING | st.integers(0, 3) | st.just("x")
)), max_size=2))  # fmt: skip
def test_what_is_received_keeps_its_own_promise_or_is_refused(facts: list[dict[str, object]]) -> None:
    try:
        parameters = received(facts)
    except Refused:
        return

    for one in parameters.values():
        assert one.low <= one.high
        assert isinstance(one.whole, bool)
    ElementTree.fromstring(parameters.definition)  # noqa: S314 - of our own making


def test_facts_of_a_later_version_do_no_harm() -> None:
    facts = [{**FEED["F"].facts(), "colour": "red"}]

    assert received(facts) == FEED


# -- ParaView's proxy ------------------------------------------------------------------------------


@given(st.dictionaries(NAMES.filter(lambda name: name not in ("step", "time")), st.tuples(WHOLE, WHOLE).map(sorted)))
def test_the_definition_has_every_parameter_and_the_order(wanted: dict[str, object]) -> None:
    parameters = declared(wanted)

    proxy = ElementTree.fromstring(parameters.definition).find("ProxyGroup/SourceProxy")  # noqa: S314 - our own

    assert proxy is not None
    assert proxy.get("name") == parameters.proxy_name
    starts = {one.get("name"): float(one.get("default_values", "")) for one in proxy.iter("DoubleVectorProperty")}
    assert starts == {**{name: float(one.start) for name, one in parameters.items()}, ORDER: 0.0, AT: -1.0}
    assert list(starts)[-2:] == [ORDER, AT]


def test_the_same_declaration_is_the_same_proxy() -> None:
    again = declared({"F": {"range": (0.0, 0.1), "start": 0.04}})

    assert again.proxy_name == FEED.proxy_name
    assert again.proxy_name.startswith("PvlinkParameters")


def test_another_declaration_is_another_proxy() -> None:
    others = [
        {"G": (0.0, 0.1, 0.04)},
        {"F": (0.0, 0.1, 0.05)},
        {"F": (0.0, 0.1, 0.04), "G": (0.0, 0.1, 0.04)},
        {"G": (0.0, 0.1, 0.04), "F": (0.0, 0.1, 0.04)},
        {},
    ]

    assert len({declared(one).proxy_name for one in (*others, {"F": (0.0, 0.1, 0.04)})}) == len(others) + 1


def test_two_proxies_of_one_name_are_defined_alike() -> None:
    # ParaView keeps what it had under a name: of what is in the definition, nothing may differ.
    wider = declared({"F": {"range": (0.0, 0.5), "start": 0.04, "unit": "1/s"}})

    assert (wider.proxy_name == FEED.proxy_name) is (wider.definition == FEED.definition)
