"""What the tests must notice: each entry breaks one promise by changing one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Break:
    """One promise (or an old fault), the lines that keep it, what breaks them, and the tests that must notice."""

    promise: str
    file: str
    keeps: str
    breaks: str
    tests: str


PROMISES = [
    Break(
        "a viewer gets no more frames than its credits",
        "pvlink/streamer/clients.py",
        "return self.window - len(self.in_flight)",
        "return self.window",
        "tests/unit/streamer/test_pacer.py",
    ),
    Break(
        "a slot is freed exactly once",
        "pvlink/streamer/pacer.py",
        "acts.extend(Free(held) for held in done)",
        "acts.extend(Free(held) for held in done[1:])",
        "tests/unit/streamer/test_pacer.py",
    ),
    Break(
        "what rests is sent without loss",
        "pvlink/streamer/pacer.py",
        "return STILL if rested else None",
        "return None",
        "tests/unit/streamer/test_pacer.py",
    ),
    Break(
        "moves merge",
        "pvlink/streamer/inputs.py",
        '    "move": _newest,\n',
        "",
        "tests/unit/streamer/test_inputs.py",
    ),
    Break(
        "clicks never merge",
        "pvlink/streamer/inputs.py",
        '    "pinch": _product,\n',
        '    "pinch": _product,\n    "down": _newest,\n',
        "tests/unit/streamer/test_inputs.py",
    ),
    Break(
        "a still is upright",
        "pvlink/streamer/encoders/png.py",
        "upright = pixels[::-1]",
        "upright = pixels",
        "tests/contracts/test_encoders.py",
    ),
    Break(
        "the relay lets nobody in without Jupyter's leave",
        "pvlink/server/routes.py",
        '    @ws_authenticated\n    @authorized(action="read", resource="pvlink")\n',
        "",
        "tests/unit/server",
    ),
    Break(
        "a stalled viewer delays nobody",
        "pvlink/streamer/link.py",
        "            self.receiver.on_written(client, (time.perf_counter() - began) * 1e3)",
        "            pass",
        "tests/unit/streamer/test_process.py",
    ),
]

STREAMER = "pvlink/streamer"
UNIT = "tests/unit/streamer"
TRUST = "tests/trust"
# Faults that parts of this trade have had, put back one at a time.
FAULTS = [
    Break(
        "listens on 0.0.0.0",
        f"{STREAMER}/reception.py",
        "asyncio.to_thread(socket.create_server, (host, port)",
        'asyncio.to_thread(socket.create_server, ("0.0.0.0", port)',
        f"{TRUST}/test_origins.py",
    ),
    Break(
        "a secret in a synced trait",
        "pvlink/view.py",
        "        return Share.of(self._session, self.view, **options)",
        """        share = Share.of(self._session, self.view, **options)
        self.add_traits(link=traitlets.Unicode(share.password).tag(sync=True))
        self.send_state("link")
        return share""",
        f"{TRUST}/test_canary.py",
    ),
    Break(
        "a null secret is accepted",
        f"{STREAMER}/tickets.py",
        "return isinstance(shown, str) and hmac",
        "return shown is None or isinstance(shown, str) and hmac",
        f"{TRUST}/test_credentials.py {UNIT}/test_tickets.py",
    ),
    Break(
        "a secret is compared by ==",
        f"{STREAMER}/passwords.py",
        'hmac.compare_digest(given.encode("utf-8", "replace"), password.encode("utf-8", "replace"))',
        "given == password",
        "tests/rules/test_secrets.py",
    ),
    Break(
        "no check of the Origin",
        f"{STREAMER}/doors.py",
        "return origin is not None and",
        "return True or",
        f"{UNIT}/test_doors.py {TRUST}/test_origins.py",
    ),
    Break(
        "one lock for all sends",
        f"{STREAMER}/link.py",
        """                for chunk in generate_chunks(message, CHUNK_BYTES):
                    await peer.ws.send_bytes(chunk)
""",
        """                async with self.attachment_atomic:
                    await peer.ws.send_bytes(next(iter(generate_chunks(message, 1 << 30))))
                for _ in ():
""",
        f"{UNIT}/test_process.py {UNIT}/test_many_viewers.py",
    ),
    Break(
        "a queue without a bound",
        f"{STREAMER}/outbox.py",
        "MAX_REPLIES = 256",
        "MAX_REPLIES = 1 << 40",
        f"{UNIT}/test_process.py",
    ),
    Break(
        "no check of the uid",
        f"{STREAMER}/doors.py",
        "return connected.family == socket.AF_UNIX and rendezvous.peer_uid(connected) == os.getuid()",
        "return connected.family == socket.AF_UNIX",
        f"{UNIT}/test_doors.py {TRUST}/test_neighbours.py",
    ),
    Break(
        "a traceback goes to the client",
        f"{STREAMER}/link.py",
        """            sentence = f"{method} failed; the streamer's log has it as error {number}."
""",
        """            import traceback

            sentence = f"error {number}: {traceback.format_exc()}"
""",
        f"{UNIT}/test_process.py",
    ),
    Break(
        "the role is checked in the browser only",
        f"{STREAMER}/inputs.py",
        '("owner", "control")',
        '("owner", "control", "view")',
        f"{UNIT}/test_inputs.py",
    ),
    Break(
        "a ticket can be used again",
        f"{STREAMER}/tickets.py",
        "ticket = self._waiting.pop(name, None)",
        "ticket = self._waiting.get(name)",
        f"{UNIT}/test_tickets.py {TRUST}/test_credentials.py",
    ),
    Break(
        "a socket that everybody can open",
        "pvlink/rendezvous.py",
        "hidden.chmod(0o600)",
        "hidden.chmod(0o666)",
        "tests/unit/test_rendezvous.py",
    ),
    Break(
        "an orphan engine",
        f"{STREAMER}/hub.py",
        "if self._watchdog is not None and kernel_gone:",
        "if self._watchdog is not None and not kernel_gone:",
        f"{UNIT}/test_process.py",
    ),
    Break(
        "a race for a temporary file",
        f"{STREAMER}/certificate.py",
        "os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW",
        "os.O_WRONLY | os.O_CREAT | os.O_TRUNC",
        f"{UNIT}/test_certificate.py",
    ),
    Break(
        "a secret in argv",
        f"{STREAMER}/reception.py",
        "        self._set_alarm()\n        self._changed(wish.view)\n",
        """        import subprocess

        # As a call of the openssl command would have it.
        subprocess.Popen(["/bin/sh", "-c", "sleep 30", password])  # noqa: S607
        self._set_alarm()
        self._changed(wish.view)
""",
        f"{TRUST}/test_canary.py",
    ),
]
