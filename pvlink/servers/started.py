"""Servers that are started for a session: here under MPI, or as a configuration file of ParaView's says."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from pvlink.companions import Taker
from pvlink.errors import ServerError
from pvlink.servers import chain, serving
from pvlink.servers.configuration import Settled
from pvlink.servers.link import TICK, Line, Link, Wish
from pvlink.servers.origins import Engine, Options, Packing, Reached
from pvlink.servers.served import Served
from pvlink.servers.server import Told
from pvlink.servers.starting import Running, by_hand


@dataclass
class Started:
    """A pvserver on this machine, under MPI if it has several ranks."""

    options: Options
    # What `serving.choose` takes.
    how: dict[str, Any]
    label: str = ""
    packing: Packing = field(init=False)
    _served: Served | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        ranks = self.how.get("ranks", 1)
        self.label = f"localhost ({ranks} rank{'' if ranks == 1 else 's'})"
        self.packing = Packing(self.options.compression)

    def open(self, link: Link, engine: Engine, told: Told) -> list[int]:
        if engine.program is None:
            raise ServerError("No pvpython was found whose server could be started.", "pvserver")
        told(0.0, {"message": "Starting a ParaView server"})
        plan = serving.choose(
            engine.program, allow_insecure=self.options.allow_insecure, patience=self.options.timeout, **self.how
        )
        wish = Wish((), engine.minor, self.label, plan.connect_id, self.options.timeout)
        if plan.reverse:
            wish = Wish((Line("listen", "127.0.0.1", 0),), *_rest(wish))
            link.begin(wish)
            try:
                self._served = plan.start(_port(link))
            except BaseException:
                link.close()
                raise
        else:
            self._served = plan.start()
            line = self._served.line()
            ours = Line("fd", socket=line.socket) if line.socket is not None else Line("connect", line.host, line.port)
            wish = Wish((ours,), *_rest(wish), pid=self._served.pids.get(0, 0))
            link.begin(wish)
        return link.wait(wish, told)

    def taken(self, by: Taker) -> None:
        """It has nothing to tell."""

    def left(self, by: Taker) -> None:
        """Nor has it here."""

    def moved(self) -> bool:
        return False

    def close(self) -> None:
        served, self._served = self._served, None
        if served is not None:
            served.end()

    def ended(self) -> str:
        served = self._served
        if served is None:
            return ""
        # It may take a moment to fall after its line has; one that was stopped will not.
        stopped = any(chain.state(pid) in ("T", "t") for pid in served.pids.values())
        served.wait(0.0 if stopped else 1.0)
        said = served.ended()
        if not said:
            # It was cut off, and hangs: nobody can use it any more. The exception need not wait for its end.
            self._served = None
            threading.Thread(target=served.end, name="pvlink ends a server").start()
        return said

    def hung(self) -> str:
        stopped = [] if self._served is None else list(self._served.stopped_ranks())
        return f"Of its ranks {_words(stopped)} stopped." if stopped else ""

    def memory(self) -> list[dict[str, Any]] | None:
        if self._served is None:
            return None
        return [
            {"rank": one.rank, "host": one.host, "used": one.resident, "of": _memory_of_this_machine()}
            for one in self._served.memory()
        ]

    @property
    def version(self) -> str:
        return "" if self._served is None else self._served.version

    @property
    def safety(self) -> str:
        return "" if self._served is None else self._served.safety


class Configured(Reached):
    """As a server configuration of ParaView's says, with its questions answered; its command is run each time."""

    def __init__(self, settled: Settled, options: Options) -> None:
        # ParaView's for ever: a day.
        patience = {"timeout": 86400.0 if settled.timeout is None else max(1.0, settled.timeout)}
        numbered = {} if settled.connect_id is None else {"connect_id": settled.connect_id}
        super().__init__(settled.address, Options(**{**vars(options), **patience, **numbered}), settled.name)
        self._settled = settled
        self._running: Running | None = None

    def open(self, link: Link, engine: Engine, told: Told) -> list[int]:
        self.close()
        if not self.address.reverse:
            self._start(engine, told)
            return super().open(link, engine, self._watched(told))
        # Who comes must find us there.
        self.begin(link, engine)
        try:
            self._start(engine, told)
        except BaseException:
            link.close()
            raise
        return self.finish(link, engine, self._watched(told))

    def _watched(self, told: Told) -> Told:
        """A command that has failed ends the wait for its server."""

        def watched(waited: float, state: dict[str, Any]) -> None:
            if self._running is not None:
                self._running.check()
            told(waited, state)

        return watched

    def _start(self, engine: Engine, told: Told) -> None:
        if not self._settled.argv:
            print(f"pvlink: {by_hand(self._settled, engine.version)}")  # noqa: T201
            return
        self._running = Running(self._settled)
        self._running.wait(lambda waited: told(waited, {"message": f"Starting {self.label}"}))

    def close(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.end()

    def ended(self) -> str:
        if self._running is None or self._running.code is None:
            return ""
        said = self._running.said
        return f"Its command ended with {self._running.code}." + (f" Its last words: {said}" if said else "")


def _rest(wish: Wish) -> tuple[str, str, int, float]:
    return wish.version, wish.label, wish.connect_id, wish.timeout


def _port(link: Link) -> int:
    """Where the relay listens for a server that comes."""
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline:
        state = link.state()
        if state["listening"]:
            return int(state["listening"].rpartition(":")[2])
        if state["state"] != "opening":
            raise ServerError(state["message"], state["reason"])
        time.sleep(TICK)
    raise ServerError("The relay does not listen for the server.", "failed")


def _words(numbers: list[int]) -> str:
    return f"number {numbers[0]} is" if len(numbers) == 1 else f"numbers {', '.join(map(str, numbers))} are"


def _memory_of_this_machine() -> int:
    with open("/proc/meminfo") as file:  # noqa: PTH123 - one line of a file that is none
        return int(file.readline().split()[1]) << 10
