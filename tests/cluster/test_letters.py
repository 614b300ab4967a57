"""Mail about a job, received by a real mail server: and whoever follows it gets there."""

from __future__ import annotations

import email
import email.policy
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.cluster.network import Network
from tests.cluster.test_jobs import BEGIN, LOOK, SHOW
from tests.cluster.test_ssh import cluster, laptop
from tests.integration.household import until

pytestmark = pytest.mark.cluster


@contextmanager
def post_office(net: Network) -> Iterator[Path]:
    """A mail server on the login node; the folder of its box."""
    box = net.root / "box"
    serve = ["-m", "aiosmtpd", "-n", "-l", "10.99.2.1:2525", "-c", "aiosmtpd.handlers.Mailbox", str(box)]
    with subprocess.Popen([*net.login.enter, sys.executable, *serve]) as server:
        try:
            until(lambda: box.exists())
            yield box
        finally:
            server.kill()


def letters(box: Path) -> list[EmailMessage]:
    found = sorted((box / "new").glob("*"), key=lambda file: file.stat().st_mtime_ns)
    return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in found]


def test_a_letter_says_when_it_is_ready_and_whoever_follows_it_gets_there() -> None:
    with cluster() as net, post_office(net) as box, laptop(net) as kernel:
        site = "from pathlib import Path; p = Path('~/.config/pvlink/sites/far.toml').expanduser()"
        mail = '[mail]\nsmtp = "10.99.2.1:2525"\nsender = "hpc@example.org"\n'
        kernel.run(f"{site}; p.write_text(p.read_text() + {mail!r})")
        kernel.run(BEGIN)
        number = kernel.run("job = pvlink.launch('far', ranks=1, mail='ann@example.org').wait(60); answer = job.number")
        until(lambda: letters(box))
        (ready,) = letters(box)
        assert (ready["From"], ready["To"]) == ("hpc@example.org", "ann@example.org")
        assert ready["Subject"] == f"ParaView at far: job {number} is ready"
        text = ready.get_content()
        assert f'session.connect(pvlink.attach("{number}"))' in text
        assert f"pvlink connect {number}" in text
        # Step by step, as a person without pvlink would on the laptop.
        key = ["-i", str(net.root / "id"), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
        show = re.search(r"ssh 10\.99\.1\.1 (cat \S+/status)", text)
        way = re.search(r"ssh -N -L (11111:\S+) 10\.99\.1\.1", text)
        assert show is not None
        assert way is not None
        said = net.laptop.run("ssh", *key, "root@10.99.1.1", show[1])
        number_of = re.search(r'"connect_id": (\d+)', said)
        assert number_of is not None
        # The letter itself does not open the door.
        assert number_of[1] not in text
        tunnel = subprocess.Popen([*net.laptop.enter, "ssh", *key, "-N", "-L", way[1], "root@10.99.1.1"])
        try:
            connect = f"session.connect('cs://localhost:11111', connect_id={number_of[1]}, timeout=20)"
            assert "1 rank" in kernel.run(f"answer = repr({connect})")
            assert kernel.run(SHOW + LOOK)
            kernel.run("session.disconnect(); job.cancel()")
        finally:
            tunnel.kill()
            tunnel.wait()
        until(lambda: len(letters(box)) == 2)
        ended = letters(box)[1]
        assert ended["Subject"] == f"ParaView at far: job {number} has ended"
        assert "It was cancelled, or its time was over." in ended.get_content()
