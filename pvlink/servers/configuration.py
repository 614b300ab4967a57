"""A server as a site describes it, and the same with its questions answered. Pure: nothing is started or looked up."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from pvlink.errors import OptionError
from pvlink.servers.address import RENDER_PORT, SERVER_PORT, Address, Place, port_of
from pvlink.servers.commands import TUNNEL_PORT, Command, Manual, Words
from pvlink.servers.elements import Element
from pvlink.servers.options import CONNECT_ID, HIGHEST_WHOLE, Ask, Draw, File, Option, Set, String, Switch, Value

# How long ParaView tries to reach a server that waits; one that comes to us it awaits for ever.
PATIENCE = 60.0
FOR_EVER = -1.0
# What a remote shell leaves alone.
_PLAIN = re.compile(r"[\w@%+=:,./~ \[\]-]*", re.ASCII)


@dataclass(frozen=True)
class Settled:
    """A configuration with its questions answered: what to start, and where to connect then.

    Its values may hold a connect-id, so that it prints no more than its name and address.
    """

    name: str
    # Where to connect, or to listen; the near end of a tunnel, if there is one.
    address: Address
    # Seconds; none is for ever.
    timeout: float | None
    connect_id: int | None = field(repr=False)
    # All of ParaView's and the file's: what the command gets in its environment.
    variables: Mapping[str, str] = field(repr=False)
    # Empty where the user starts the server.
    argv: tuple[str, ...] = field(repr=False)
    delay: float = 0
    process_wait: float = 0
    # Where the server itself is, or will be: with a tunnel not where we connect.
    server: Address | None = None
    # By ssh, which has no terminal here to ask a password in.
    remote: bool = False
    # What was answered and may be remembered.
    answers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Configuration:
    """One server of a file."""

    name: str
    address: Address
    startup: Manual | Command | None = None
    # What is asked, set and switched, in the file's order.
    asks: tuple[Ask, ...] = ()
    # Seconds as the file says; none is ParaView's choice, -1 for ever.
    timeout: float | None = None
    # Elements and attributes of the server that pvlink has no use for, as they were.
    kept: tuple[Element, ...] = ()
    kept_attributes: tuple[tuple[str, str], ...] = ()

    @property
    def options(self) -> tuple[Option, ...]:
        return tuple(ask for ask in self.asks if isinstance(ask, Option))

    def settle(
        self,
        values: Mapping[str, Value] | None = None,
        *,
        host: str = "localhost",
        version: str = "",
        environment: Mapping[str, str] | None = None,
        draw: Draw = secrets.randbelow,
    ) -> Settled:
        """The values of options checked, the others at their defaults. Raises OptionError.

        `host` is this machine's name and `version` the engine's, for servers that must call back or fit; variables of
        `environment` may stand in the command, too.
        """
        answers = self._answers(dict(values or {}), draw)
        # ParaView's own names come from here only: one that a process outside has left would name another server.
        around = {name: value for name, value in (environment or {}).items() if not name.startswith("PV_")}
        variables = around | self._predefined(host, version)
        variables |= {one.name: one.value for one in self.asks if isinstance(one, Set)} | answers
        for one in self.asks:
            if isinstance(one, Switch):
                variables |= {two.name: two.value for two in one.sets(variables.get(one.name))}
        server = self._server(variables)
        if "PV_CONNECTION_URI" not in answers:
            variables["PV_CONNECTION_URI"] = str(server)
        reached = self._reached(server, variables)
        command = self.startup if isinstance(self.startup, Command) else None
        ours = {name: value for name, value in variables.items() if around.get(name) != value}
        for name, value in ours.items():
            if "\0" in value or "\0" in name:
                raise OptionError(f"Server {self.name!r}: {name} has a character that no environment takes.")
        return Settled(
            self.name,
            reached,
            self._patience,
            self._connect_id(variables),
            ours,
            () if command is None else Words(self.name, variables, self._paths(command)).argv(command, server),
            command.delay if command else 0,
            command.process_wait if command else 0,
            server,
            command is not None and command.ssh is not None,
            {option.name: answers[option.name] for option in self.options if option.remembered},
        )

    @property
    def _patience(self) -> float | None:
        if self.timeout is None:
            return None if self.address.reverse else PATIENCE
        return self.timeout if self.timeout >= 0 else None

    def _answers(self, values: dict[str, Value], draw: Draw) -> dict[str, str]:
        for name in values:
            if name not in {option.name for option in self.options}:
                names = ", ".join(option.name for option in self.options) or "it has none"
                raise OptionError(f"Server {self.name!r} has no option {name!r}. Its options: {names}.")
        return {option.name: self._answer(option, values.get(option.name), draw) for option in self.options}

    def _answer(self, option: Option, given: Value | None, draw: Draw) -> str:
        what = f"Server {self.name!r}, option {option.name}"
        command = self.startup if isinstance(self.startup, Command) else None
        if option.name == CONNECT_ID and given is None and command is None and option.random:
            raise OptionError(
                f"Server {self.name!r} is started by hand, with a connect-id that would be a random one: choose one "
                f"yourself, give it to the server and here, {CONNECT_ID}=<number>."
            )
        first = option.kind.first(draw)
        answer = option.kind.check(first if given is None else given, what)
        if answer == first or option.random:
            return answer
        if option.readonly:
            raise OptionError(f"{what} is read-only in its file: {first!r}.")
        if command and command.ssh and isinstance(option.kind, String | File) and not _PLAIN.fullmatch(answer):
            raise OptionError(
                f"{what}: {answer!r} goes to a shell on {self.address.server.host}, which would read more in it than "
                "words. Letters, digits, spaces and @%+=:,./~[]_- pass."
            )
        return answer

    def _predefined(self, host: str, version: str) -> dict[str, str]:
        """ParaView's own variables."""
        pair = self.address.render is not None
        single, data = (Place("", -1), self.address.server) if pair else (self.address.server, Place("", -1))
        render = self.address.render or Place("", -1)
        numbers = dict(zip(("MAJOR", "MINOR", "PATCH"), version.split("-")[0].split("."), strict=False))
        return {
            "PV_CLIENT_HOST": host,
            "PV_CLIENT_PLATFORM": "Linux",
            "PV_CONNECTION_URI": str(self.address),
            "PV_CONNECTION_SCHEME": self.address.scheme,
            "PV_SERVER_HOST": single.host,
            "PV_SERVER_PORT": str(single.port),
            "PV_DATA_SERVER_HOST": data.host,
            "PV_DATA_SERVER_PORT": str(data.port),
            "PV_RENDER_SERVER_HOST": render.host,
            "PV_RENDER_SERVER_PORT": str(render.port),
            "PV_APPLICATION_NAME": "pvlink",
            **{f"PV_VERSION_{part}": value for part, value in numbers.items()},
            **({"PV_VERSION": ".".join(version.split(".")[:2]), "PV_VERSION_FULL": version} if version else {}),
        }

    def _server(self, variables: Mapping[str, str]) -> Address:
        """The address with the ports that were asked for."""

        def port(name: str) -> int:
            return port_of(variables[name], f"Server {self.name!r}, {name}")

        if self.address.render is None:
            return self.address.with_ports(port("PV_SERVER_PORT"))
        found = self.address.with_ports(port("PV_DATA_SERVER_PORT"), port("PV_RENDER_SERVER_PORT"))
        same = found.reverse or found.places[0].host == found.places[1].host
        if same and found.places[0].port == found.places[1].port:
            raise OptionError(
                f"Server {self.name!r}: data and render server cannot share port {found.server.port}. ParaView's own "
                f"choice is {SERVER_PORT} and {RENDER_PORT}."
            )
        return found

    def _reached(self, server: Address, variables: dict[str, str]) -> Address:
        ssh = self.startup.ssh if isinstance(self.startup, Command) else None
        if ssh is None or ssh.tunnel is None:
            variables.setdefault(TUNNEL_PORT, str(server.server.port))
            return server
        if server.render is not None:
            raise OptionError(
                f"Server {self.name!r}: <PortForwarding> makes a tunnel for cs:// and csrc:// only, in ParaView, too; "
                f"this is {server.scheme}://. Write the tunnels into the command."
            )
        said = variables.get(TUNNEL_PORT) or str(ssh.tunnel or server.server.port)
        variables[TUNNEL_PORT] = str(port_of(said, f"Server {self.name!r}, the port of its tunnel"))
        if server.reverse:
            return server
        return Address(Place("localhost", int(variables[TUNNEL_PORT])))

    def _connect_id(self, variables: Mapping[str, str]) -> int | None:
        said = variables.get(CONNECT_ID)
        if not said:
            return None
        if not (said.isascii() and said.isdigit() and int(said) <= HIGHEST_WHOLE):
            raise OptionError(f"Server {self.name!r}: its connect-id is a whole number from 1 to {HIGHEST_WHOLE}.")
        # ParaView's word for none.
        return int(said) or None

    def _paths(self, command: Command) -> frozenset[str]:
        """Variables that are one word each, also with a space in them. Over ssh nothing is: that joins its words."""
        files = (option.name for option in self.options if isinstance(option.kind, File))
        return frozenset(files) if command.ssh is None else frozenset()
