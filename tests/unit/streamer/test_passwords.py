"""Passwords: made well, judged fairly, guessed slowly."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvlink.streamer import passwords
from pvlink.streamer.passwords import GUESS_SECONDS, MAX_KNOWN, Guesses

pytestmark = pytest.mark.trust


def test_made_ones_are_long_different_and_good() -> None:
    made = [passwords.make() for _ in range(500)]
    assert len(set(made)) == 500
    letters = set("".join(made)) - {"-"}
    assert len(letters) * 1.0 == 31
    assert math.log2(31) * 20 > 95
    assert not letters & set("0O1lIi")
    assert all(passwords.weakness(one) is None for one in made)


@pytest.mark.parametrize(
    "weak",
    [
        *("", "a", "short-pw1", "aaaaaaaaaaaa", "abababababab", "1234567890", "0987654321", "qwertyuiop"),
        *("password1234", "x" * 201, "Passw0rd\n12345", "paraview2024", "jupyter12345678", "abcdefghijklmnop"),
        "PASSWORDpassword",
    ],
)
def test_weak_ones_are_told_why(weak: str) -> None:
    assert passwords.weakness(weak)


@pytest.mark.parametrize(
    "good", ["correct horse battery", "Zürich-läuft-39", "7hK!92mQ-pw", "日本語のパスワード七八九"]
)
def test_good_ones_pass(good: str) -> None:
    assert passwords.weakness(good) is None


@given(st.text(max_size=40))
def test_judging_never_fails_and_is_quick(text: str) -> None:
    said = passwords.weakness(text)
    assert said is None or said
    assert passwords.same(text, text)


@given(st.text(max_size=20), st.text(max_size=20))
def test_same_is_the_same(one: str, other: str) -> None:
    if "?" not in one + other:
        assert passwords.same(one, other) == (one == other)


def test_what_is_no_text_is_no_password() -> None:
    assert not passwords.same("\ud800", "correct horse")


def guesses_in(seconds: float, every: float, guesses: Guesses, address: str = "203.0.113.5") -> int:
    looked_at = 0
    for step in range(int(seconds / every)):
        now = step * every
        if not guesses.wait(address, now):
            looked_at += 1
            guesses.wrong(address, now)
    return looked_at


def test_one_wrong_guess_a_second_however_many_try() -> None:
    guesses = Guesses()
    looked_at = 0
    for step in range(10_000):
        now, address = step / 1000, f"203.0.113.{step % 250}"
        if not guesses.wait(address, now):
            looked_at += 1
            guesses.wrong(address, now)
    assert looked_at <= 10


def test_whoever_knew_it_does_not_wait_with_strangers() -> None:
    guesses = Guesses()
    guesses.right("198.51.100.9")
    assert guesses_in(10, 0.01, guesses) == 10
    assert guesses.wait("203.0.113.5", 9.999) > 0
    assert guesses.wait("198.51.100.9", 9.999) == 0


def test_whoever_knew_it_guesses_no_faster() -> None:
    guesses = Guesses()
    guesses.right("198.51.100.9")
    assert guesses_in(10, 0.01, guesses, "198.51.100.9") == 10


def test_a_right_guess_is_looked_at_again_at_once() -> None:
    guesses = Guesses()
    guesses.wrong("198.51.100.9", 5.0)
    assert 0 < guesses.wait("198.51.100.9", 5.5) <= GUESS_SECONDS
    guesses.right("198.51.100.9")
    assert guesses.wait("198.51.100.9", 5.5) == 0


def test_a_clock_set_back_locks_nobody_out() -> None:
    guesses = Guesses()
    guesses.wrong("203.0.113.5", 1e9)
    assert guesses.wait("203.0.113.5", 1e9 - 3600) <= GUESS_SECONDS


def test_it_remembers_so_many_and_no_more() -> None:
    guesses = Guesses()
    for number in range(MAX_KNOWN + 50):
        guesses.right(str(number))
    assert len(guesses._known) == MAX_KNOWN
    guesses.wrong("stranger", 0.0)
    assert guesses.wait("0", 0.0) > 0
    assert guesses.wait(str(MAX_KNOWN + 49), 0.0) == 0
