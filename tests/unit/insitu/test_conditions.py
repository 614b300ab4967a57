"""Conditions: what can be asked of a simulation, and that nothing else gets into it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pvlink.insitu.conditions import MAX_LENGTH, MEASURES, Condition, NoCondition, Number, Quantity, quantity

pytestmark = pytest.mark.insitu

# More digits than a double has.
HUGE = "1" + "0" * 400
VALUES: dict[str, Number] = {
    "step": 120, "time": 1.5, "F": 0.04, "n": 7, "zero": 0,
    "max(V)": 0.5, "min(V)": -2.0, "mean(V)": 0.1, "sum(T)": 3e4, "std(T)": 2.5, "max('velocity magnitude')": 9.0,
}  # fmt: skip
TOKENS = [
    "max", "min", "abs", "V", "F", "step", "time", "(", ")", "[", "]", "{", "}", "and", "or", "not", "if", "else", "in",
    "is", "lambda", "for", "await", "yield", "<", ">", "==", "!=", ">=", "<=", "+", "-", "*", "/", "**", "//", "%", "@",
    "~", "&", "|", "^", ":=", ":", ",", ".", "*", "'V'", '"', "f'{V}'", "b''", "0", "1", "0.5", "1e999", "1j", "True",
    "None", "...", "__import__('os')", "\\", "\n", "\t", "#", "\0", "é", "\ud800",
]  # fmt: skip


def deep(levels: int, act: Callable[[], bool]) -> bool:
    """As a simulation does that is many calls deep by itself."""
    return act() if levels == 0 else deep(levels - 1, act)


# -- what is understood ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("max(V) > 0.4", True),
        ("max(V) > 0.5", False),
        ("max(V) >= 0.5", True),
        ("min(V) < -1", True),
        ("abs(min(V)) > 1", True),
        ("step >= 100 and mean(V) < 300", True),
        ("step >= 100 and mean(V) > 300", False),
        ("step < 100 or time == 1.5", True),
        ("not step < 100", True),
        ("not (step < 100 or n != 8)", False),
        ("0 < F < 0.1", True),
        ("0 < F < 0.1 < F", False),
        ("sum(T) / n > 4000", True),
        ("-max(V) + 2 * F - 1 < +0.1", True),
        ("max('velocity magnitude') == 9", True),
        ('max("V") == max(V)', True),
        ("  \n step == 120  ", True),
        ("step == 120 # the last one", True),
        ("step / zero > 0", False),
        ("step / zero != 0", False),
        ("1e999 > step", True),
    ],
)
def test_a_condition_is_read_as_python_is_read(text: str, true: bool) -> None:
    assert Condition(text).holds(VALUES) is true


def test_a_condition_says_what_it_needs() -> None:
    condition = Condition("max(V) > F and (step > 10 or max('V') > mean('a b')) and not min(U) < abs(-std(T))")

    assert condition.needs == {
        Quantity("max", "V"), Quantity("mean", "a b"), Quantity("min", "U"), Quantity("std", "T"),
    }  # fmt: skip
    assert condition.names == {"F", "step"}


@pytest.mark.parametrize("measure", MEASURES)
def test_a_quantity_is_a_measure_of_an_array(measure: str) -> None:
    assert quantity(f"{measure}(V)") == quantity(f" {measure}('V') ") == Quantity(measure, "V")
    assert str(quantity(f"{measure}(V)")) == f"{measure}(V)"


@pytest.mark.parametrize(
    "text",
    ["", "V", "max", "max()", "max(V, U)", "max(V=1)", "max(1)", "max(*V)", "max(max(V))", "median(V)", "abs(V)",
     "max(V) > 1", "max(V) + 1", "x.max(V)", "max(V.x)", "max(b'V')", "max(V)(U)", "(max(V), min(V))", "max(V"],
)  # fmt: skip
def test_what_is_no_quantity_is_refused_with_what_is_one(text: str) -> None:
    with pytest.raises(NoCondition, match=r"max\(V\)"):
        quantity(text)


# -- what does not get through ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "V.x > 1", "max(V).real > 1", "(1).real > 0", "''.join > 1",
        "f(V) > 1", "max(V)() > 1", "print(1) > 1", "__import__('os').system('true') > 0", "eval('1') > 0",
        "abs() > 1", "abs(1, 2) > 1", "abs(x=1) > 1", "abs(*V) > 1", "abs(**V) > 1",
        "2 ** 99999999 > 1", "2 // 1 > 1", "2 % 1 > 1", "2 @ 1 > 1", "1 << 99 > 1", "1 | 2 > 1", "~1 > 1",
        "'a' > 'b'", "max(V) > 'b'", "b'a' > 1", "f'{V}' > 1", "None > 1", "... > 1", "1j > 1", "True > 0",
        "(lambda: 1) > 1", "(lambda: 1)() > 1", "[V] > 1", "(V, U) > 1", "{V} > 1", "{1: V} > 1",
        "[x for x in V] > 1", "sum(x for x in V) > 1", "{x for x in V} > 1", "{x: x for x in V} > 1",
        "V[0] > 1", "V[:] > 1", "(x := 1) > 0", "(1 if F > 0 else 2) > 1", "(await V) > 1", "(yield V) > 1",
        "F in V", "F not in V", "F is 1", "F is not 1", "(F > 1) + 1 > 1", "(F > 1) > 0", "(F and n) > 0",
        "not F", "F and n > 1", "n > 1 or F", "F", "max(V)", "1", "-1", "abs(F)", "True", "not 1",
        "F > 1; n > 1", "F = 1", "import os", "F >", "> 1", "()", "", "   ", "#", "\0", "F > 1\nn > 1", "F > 0x",
    ],
)  # fmt: skip
def test_nothing_but_numbers_and_comparisons_gets_through(text: str) -> None:
    with pytest.raises(NoCondition) as error:
        Condition(text)

    assert "A condition is such as" in str(error.value)


# `max` of two things, or of one that is no array, is Python's and no measure.
@pytest.mark.parametrize("text", ["max(1, 2) > 1", "max(V, U) > 1", "max(V + U) > 1", "max(max(V)) > 1"])
def test_a_measure_is_no_function_of_pythons(text: str) -> None:
    with pytest.raises(NoCondition, match="has no place in a condition"):
        Condition(text)


@pytest.mark.parametrize("text", [None, 3, b"F > 1", ["F > 1"]], ids=repr)
def test_what_is_no_text_is_no_condition(text: object) -> None:
    with pytest.raises(NoCondition):
        Condition(text)  # type: ignore[arg-type]  # from a wire


def test_a_condition_is_as_long_as_somebody_would_write() -> None:
    text = "step > 1".ljust(MAX_LENGTH)

    assert Condition(text).holds(VALUES)
    with pytest.raises(NoCondition):
        Condition(text + " ")


@pytest.mark.parametrize(
    "text", ["(" * 240 + "F" + ")" * 240 + " > 1", "[" * 450, "-" * 480 + "F", "F" + "(" * 450, "F" + "[0]" * 150]
)
def test_what_is_nested_for_no_reason_is_no_condition(text: str) -> None:
    with pytest.raises(NoCondition):
        Condition(text)


@settings(max_examples=1000, deadline=None)
@given(st.one_of(
    st.text(max_size=40),
    st.text(max_size=MAX_LENGTH + 20),
    st.lists(st.sampled_from(TOKENS), max_size=25).map("".join),
    st.lists(st.sampled_from(TOKENS), max_size=25).map(" ".join),
))  # fmt: skip
def test_whatever_is_written_is_a_condition_or_none(text: str) -> None:
    try:
        condition = Condition(text)
    except NoCondition:
        return

    everything = dict.fromkeys((*map(str, condition.needs), *condition.names), 1.0)
    assert condition.holds(everything) in (True, False)
    for missing in everything:
        assert not condition.holds({name: value for name, value in everything.items() if name != missing})


@pytest.mark.parametrize("text", ["not " + "-" * 480 + "F", "f(" + "-" * 480 + "F) > 1"], ids=lambda one: one[:5])
def test_what_is_wrong_in_a_deep_one_is_said_like_anything_else(text: str) -> None:
    with pytest.raises(NoCondition):
        Condition(text)


def test_what_was_read_once_is_evaluated_wherever_the_simulation_is() -> None:
    try:
        condition = Condition("-" * 480 + "F > 1")
    except NoCondition:
        return

    assert deep(600, lambda: condition.holds({"F": 2.0}))


@pytest.mark.parametrize("text", [f"F > {HUGE}", f"F * {HUGE} > 1", f"F - {HUGE} < 1", f"{HUGE} / 3 > F"])
def test_a_number_that_is_too_large_costs_the_condition_and_not_the_simulation(text: str) -> None:
    try:
        condition = Condition(text)
    except NoCondition:
        return

    condition.holds({"F": 0.5})


# -- when it holds ---------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.integers(0, 1000).map(str),
    st.floats(0, 1000).map(repr),
    st.sampled_from(["step", "time", "F", "n", "max(V)", "min(V)", "sum(T)", "max('velocity magnitude')"]),
)
ARITHMETIC = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(" ".join),
        st.tuples(st.just("("), inner, st.sampled_from("+-"), inner, st.just(")")).map("".join),
        inner.map(lambda one: f"abs({one})"),
        inner.map(lambda one: f"-{one}"),
        inner.map(lambda one: f"+({one})"),
    ),
    max_leaves=4,
)
COMPARISONS = st.builds(
    lambda first, rest: first + "".join(f" {op} {number}" for op, number in rest),
    ARITHMETIC,
    st.lists(st.tuples(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), ARITHMETIC), min_size=1, max_size=3),
)
CONDITIONS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map("".join),
        inner.map(lambda one: f"not {one}"),
        inner.map(lambda one: f"({one})"),
    ),
    max_leaves=4,
)


@settings(max_examples=1000, deadline=None)
@given(CONDITIONS, st.dictionaries(st.sampled_from(sorted(VALUES)), st.integers(-50, 50) | st.floats(-1e6, 1e6)))
def test_a_condition_holds_when_python_says_so(text: str, others: dict[str, Number]) -> None:
    assume(len(text) <= MAX_LENGTH)
    values = {**VALUES, **others}
    measures = {name: lambda array, name=name: values[str(Quantity(name, array))] for name in MEASURES}
    names: dict[str, object] = {"abs": abs, "V": "V", "T": "T", "__builtins__": {}, **measures, **values}
    try:
        expected = eval(text, names)  # noqa: S307 - made above
    except ZeroDivisionError:
        # To a simulation that is no number, and no reason to stop.
        assert Condition(text).holds(values) in (True, False)
        return

    assert Condition(text).holds(values) is expected


@pytest.mark.parametrize(
    "text",
    ["max(V) > 1", "not max(V) > 1", "max(V) != 1", "not max(V) == 1", "max(V) > 1 or step > 0", "step > 0 or n > 1",
     "not (n > 1 and step < 0)", "0 * n == 0", "step == 120 or min(V) < 0 or F > 0"],
)  # fmt: skip
@pytest.mark.parametrize("none", [{}, {"n": math.nan, "max(V)": math.nan, "F": math.nan}], ids=["missing", "no number"])
def test_what_is_not_known_makes_all_of_it_false(text: str, none: dict[str, Number]) -> None:
    assert not Condition(text).holds({"step": 120, **none})


def test_an_infinite_value_is_compared_like_any_other() -> None:
    assert Condition("max(V) > 1e300").holds({"max(V)": math.inf})
    assert not Condition("max(V) - max(V) != 1").holds({"max(V)": math.inf})


def test_an_array_and_a_parameter_may_have_the_same_name() -> None:
    condition = Condition("max(F) > F")

    assert condition.holds({"F": 1.0, "max(F)": 2.0})
    assert not condition.holds({"F": 1.0})
    assert not condition.holds({"max(F)": 2.0})
