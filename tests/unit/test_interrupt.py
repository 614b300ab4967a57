"""Ctrl-C while pvlink waits: noted at once, raised where it does no harm."""

from __future__ import annotations

import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import pvlink.interrupt
from pvlink.interrupt import Interrupt, Shelter, strikes_again


@pytest.fixture
def interrupt() -> Iterator[Interrupt]:
    # Of a shell's background job it is ignored.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    one = Interrupt()
    yield one
    one.close()
    assert signal.signal(signal.SIGINT, former) is signal.default_int_handler


def readable(interrupt: Interrupt) -> bool:
    return bool(select.select([interrupt.fd], [], [], 0)[0])


def test_a_signal_is_noted_and_taken_once(interrupt: Interrupt) -> None:
    with interrupt:
        signal.raise_signal(signal.SIGINT)
        assert readable(interrupt)
        assert interrupt.take()
        assert not readable(interrupt)
        assert not interrupt.take()


def test_many_signals_are_one(interrupt: Interrupt) -> None:
    with interrupt:
        for _ in range(100):
            signal.raise_signal(signal.SIGINT)
        assert interrupt.take()
        assert not readable(interrupt)


def test_a_signal_nobody_took_is_raised_at_the_end(interrupt: Interrupt) -> None:
    reached = False
    with pytest.raises(KeyboardInterrupt), interrupt:  # noqa: PT012 - where it is raised is what is tested
        signal.raise_signal(signal.SIGINT)
        reached = True
    assert reached
    assert not interrupt.pending


def test_another_error_goes_first_and_the_signal_with_it(interrupt: Interrupt) -> None:
    with pytest.raises(ZeroDivisionError), interrupt:  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        raise ZeroDivisionError
    with interrupt:
        assert not interrupt.take()


def test_outside_it_is_as_it_was(interrupt: Interrupt) -> None:
    with interrupt:
        pass
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_it_nests(interrupt: Interrupt) -> None:
    with interrupt:
        with interrupt:
            signal.raise_signal(signal.SIGINT)
        assert interrupt.take()
        signal.raise_signal(signal.SIGINT)
        assert interrupt.take()


def test_the_users_own_code_is_interrupted_as_ever(interrupt: Interrupt) -> None:
    with interrupt:
        with pytest.raises(KeyboardInterrupt), interrupt.allowed():
            signal.raise_signal(signal.SIGINT)
        assert not interrupt.take()
        signal.raise_signal(signal.SIGINT)
        assert interrupt.take()
    with interrupt.allowed():
        pass


def test_another_thread_leaves_the_handler_alone(interrupt: Interrupt) -> None:
    seen = []

    def work() -> None:
        with interrupt:
            seen.append((signal.getsignal(signal.SIGINT), interrupt.noting))
            with interrupt.allowed():
                pass

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(signal.default_int_handler, False)]


def test_a_handler_of_the_users_own_is_told(interrupt: Interrupt) -> None:
    told = []
    before = signal.signal(signal.SIGINT, lambda *_: told.append(1))
    try:
        with interrupt:
            signal.raise_signal(signal.SIGINT)
            assert told == []
        assert told == [1]
    finally:
        signal.signal(signal.SIGINT, before)


def test_closed_it_still_says_whether_there_was_one(interrupt: Interrupt) -> None:
    with interrupt:
        interrupt.close()
        signal.raise_signal(signal.SIGINT)
        assert interrupt.take()


# -- destructors ---------------------------------------------------------------------------------


class Reference:
    """What is struck while it is destroyed."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


class Users(Reference):
    def __del__(self) -> None:
        super().__del__()


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is told of other destructors."""
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: told.append(unraisable.object))
    monkeypatch.setattr(pvlink.interrupt, "_LATER", 0.05)
    strikes_again.cache_clear()
    strikes_again(Reference.__del__)
    return told


def test_an_interrupt_in_a_references_destructor_strikes_when_that_is_over(others: list[Any]) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - where it is raised is what is tested
        Reference()
        time.sleep(5)
    assert time.monotonic() - began < 4
    signal.signal(signal.SIGINT, before)
    assert others == []


def test_what_a_users_own_destructor_raises_is_told_as_ever(others: list[Any]) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    Users()
    time.sleep(0.1)
    signal.signal(signal.SIGINT, before)
    assert others == [Users.__del__]


# -- what VTK calls ------------------------------------------------------------------------------

# A function at home in the folder that is sheltered; C calls it, as VTK calls an observer.
OBSERVER = compile("def observer(_):\n    strike()\n    seen.append(1)\n    return 0", "/island/observer.py", "exec")


@pytest.fixture
def shelter() -> Iterator[Shelter]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    one = Shelter("/island")
    one.enter()
    yield one
    one.leave()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def test_a_signal_strikes_after_what_c_has_called_not_in_it(shelter: Shelter) -> None:
    seen: list[int] = []
    space: dict[str, Any] = {"seen": seen, "strike": lambda: signal.raise_signal(signal.SIGINT)}
    exec(OBSERVER, space)  # noqa: S102 - ours
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - where it is raised is what is tested
        # Each call is struck, as in a loop that draws: it ends after the first all the same.
        for _ in range(100):
            sorted([1], key=space["observer"])
    assert seen == [1]


def test_elsewhere_a_signal_strikes_at_once(shelter: Shelter) -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_what_a_user_does_with_the_signal_stays(shelter: Shelter) -> None:
    shelter.leave()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    shelter.enter()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signal.signal(signal.SIGINT, signal.default_int_handler)
