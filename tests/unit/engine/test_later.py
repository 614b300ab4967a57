"""Functions of the kernel, called without waiting for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pvlink.engine import later
from pvlink.engine.later import Later

Done = Callable[[bool, Any], None]


class BusyKernel:
    """Takes calls and answers when the test says so."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.waiting: list[Done] = []

    def call(self, _reference: Any, args: tuple[Any, ...], done: Done) -> None:
        self.calls.append(args)
        self.waiting.append(done)

    def answer(self, failed: bool = False) -> None:
        self.waiting.pop(0)(failed, None)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> BusyKernel:
    one = BusyKernel()
    monkeypatch.setattr(later, "call_later", one.call)
    return one


def test_a_call_returns_at_once_with_nothing(kernel: BusyKernel) -> None:
    assert Later("f")(1, 2) is None
    assert kernel.calls == [(1, 2)]


def test_while_one_is_under_way_only_the_newest_is_kept(kernel: BusyKernel) -> None:
    function = Later("f")
    for number in range(1000):
        function(number)
    assert kernel.calls == [(0,)]
    kernel.answer()
    assert kernel.calls == [(0,), (999,)]
    kernel.answer()
    assert len(kernel.calls) == 2


def test_a_call_that_failed_does_not_stop_the_next(kernel: BusyKernel) -> None:
    function = Later("f")
    function(1)
    kernel.answer(failed=True)
    function(2)
    assert kernel.calls == [(1,), (2,)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.booleans(), max_size=60))
def test_at_most_one_is_under_way_and_the_last_always_arrives(kernel: BusyKernel, steps: list[bool]) -> None:
    kernel.calls.clear()
    kernel.waiting.clear()
    function, made = Later("f"), 0
    for call in steps:
        if call:
            made += 1
            function(made)
        elif kernel.waiting:
            kernel.answer()
        assert len(kernel.waiting) <= 1
    while kernel.waiting:
        kernel.answer()
    numbers = [number for (number,) in kernel.calls]
    assert numbers == sorted(set(numbers))
    assert numbers[-1:] == ([made] if made else [])
