"""What is written about a job."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from pvlink.errors import OptionError
from pvlink.launchers import batch, order, site
from pvlink.launchers.node import letters

STATUS = {"key": "k", "state": "ready", "host": "n0", "port": 4711, "version": "5.11", "connect_id": 42}


OSCAR = """
title = "Oscar {x}"
[ssh]
host = "oscar.example.org"
[mail]
to = "ann@example.org"
sendmail = "/bin/mail"
"""


@pytest.fixture
def plan() -> dict[str, Any]:
    settled = order.settle(site.read(OSCAR, "x.toml", "oscar"))
    return dict(vars(batch.plan(settled, "20261128-0a1b2c3d", "/home/ann")))


def test_it_says_where_it_is_and_what_to_do(plan: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    found = letters.letter(plan, STATUS)
    text = found.get_content()
    assert found["Subject"] == "ParaView at Oscar {x}: job 7 is ready"
    for part in (
        "n0",
        "4711",
        "pvlink connect 7",
        "ssh -N -L 11111:n0:4711 oscar.example.org",
        "nobody has been connected for 10 min",
        "Linux, macOS and Windows",
    ):
        assert part in text
    assert "42" not in text


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("grace", "Nobody had been connected"),
        ("limit", "Its time was over."),
        ("server:-11", "(server:-11). Its last words:\n\noh"),
    ],
)
def test_it_says_how_it_ended(plan: dict[str, Any], why: str, said: str) -> None:
    found = letters.letter(plan, {"key": "k", "state": "ended", "why": why, "said": "oh"})
    assert found["Subject"].endswith("has ended")
    assert said in found.get_content()


def test_sendmail_gets_the_address_with_the_letter(plan: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Any] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **how: ran.append((command, how["input"])))
    letters.send(plan["mail"], letters.letter(plan, STATUS))
    ((command, given),) = ran
    assert command == ["/bin/mail", "-t", "-i"]
    assert b"To: ann@example.org" in given


@pytest.mark.parametrize("text", ["ann", "ann@", "-x@y", "a@b c", "a@b,c@d", "a@b\nBcc: c@d", "a@-b"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="mail="):
        order.settle(site.Site(name="x"), mail=text)


def test_without_an_address_nothing_is_written() -> None:
    assert batch.plan(order.settle(site.Site(name="x")), "20261128-0a1b2c3d", "/h").mail is None
