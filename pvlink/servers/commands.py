"""How a server is started: a command, here or by ssh, and the words it is made of.

Where ParaView makes one long string of a command and cuts it into words again, here are words from the beginning: no
shell on this machine. They are cut where ParaView cuts them, or the files of sites would not work: an argument
`$ARGS$` with "-n 4" is two words, and with "" it is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pvlink.errors import OptionError
from pvlink.servers.address import Address

# `delay` of a command that is waited for to its end.
TO_THE_END = -1.0
TUNNEL_PORT = "PV_SSH_PF_SERVER_PORT"
# Variables within variables; a site's have two levels.
_DEPTH = 8
_VARIABLE = re.compile(r"\$([^$\s]+)\$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Ssh:
    """How a command is run on the server's host."""

    user: str = ""
    # Of the ssh server; 0 is ssh's own choice.
    port: int = 0
    # Which ssh.
    program: str = ""
    # None: no tunnel. 0: one whose port here is the server's own.
    tunnel: int | None = None
    # Kept for ParaView, which opens a window for ssh to ask in; a kernel has none.
    terminal: str | None = None
    askpass: bool = False


@dataclass(frozen=True)
class Command:
    """What starts the server."""

    program: str
    arguments: tuple[str, ...] = ()
    # Seconds from its start to the first try to connect; -1: until it has ended.
    delay: float = 0
    # Seconds it may take to end where it is waited for; 0: as long as it likes.
    process_wait: float = 0
    ssh: Ssh | None = None


@dataclass(frozen=True)
class Manual:
    """The user starts it."""


class Words:
    """The words of one server's command."""

    def __init__(self, server: str, variables: Mapping[str, str], paths: frozenset[str]) -> None:
        """`server`: its name, for messages; `paths`: variables that are one word, also with a space in it."""
        self._server = server
        self._variables = variables
        self._paths = paths

    def argv(self, command: Command, address: Address) -> tuple[str, ...]:
        """All of them, the program first. Raises OptionError."""
        words = self._words(command.program)
        for argument in command.arguments:
            # One that is written with a space is one word, as in ParaView. (ssh joins them all, and so does ParaView.)
            words += [self._filled(argument)] if re.search(r"\s", argument) else self._words(argument)
        if not words:
            raise OptionError(f"Server {self._server!r}: its command is empty. Give exec= in <Command>.")
        if command.ssh is not None:
            words = [*self._ssh(command.ssh, address), *words]
        for word in words:
            if _CONTROL.search(word):
                raise OptionError(
                    f"Server {self._server!r}: {word!r} in its command has a control character. Mend the file."
                )
        return tuple(words)

    def _ssh(self, ssh: Ssh, address: Address) -> list[str]:
        host, port, user = address.server.host, address.server.port, self._filled(ssh.user)
        if not host:
            raise OptionError(
                f"Server {self._server!r} is started by ssh, and its resource, {str(address)!r}, names no host to log "
                f'in to. Write it: resource="{address.scheme}://login.example.org:{port}".'
            )
        if user.startswith("-") or re.search(r"\s", user):
            raise OptionError(f"Server {self._server!r}: {user!r} is no user's name.")
        words = self._words(ssh.program) or ["ssh"]
        if ssh.tunnel is not None:
            words += ["-R" if address.reverse else "-L", f"{self._variables[TUNNEL_PORT]}:localhost:{port}"]
            # Else the command would run on without its tunnel, and connecting fail with nothing said.
            words += ["-o", "ExitOnForwardFailure=yes"]
        if ssh.port:
            words += ["-p", str(ssh.port)]
        return [*words, f"{user}@{host}" if user else host]

    def _words(self, text: str) -> list[str]:
        sole = _VARIABLE.fullmatch(text)
        if sole and sole[1] in self._paths and self._variables[sole[1]]:
            return [self._filled(text)]
        return _cut(self._filled(text))

    def _filled(self, text: str) -> str:
        for _ in range(_DEPTH):
            names = _VARIABLE.findall(text)
            if not names:
                return text
            unknown = next((name for name in names if name not in self._variables), None)
            if unknown is not None:
                raise OptionError(
                    f"Server {self._server!r}: its command asks for ${unknown}$, which is no option of it, no variable "
                    "of ParaView's and none of the environment. Add an <Option> or <Set> of that name to the file."
                )
            text = _VARIABLE.sub(lambda match: self._variables[match[1]], text)
        raise OptionError(f"Server {self._server!r}: the variable ${names[0]}$ stands for itself, again and again.")


def _cut(text: str) -> list[str]:
    """Words, as Qt cuts a command: at spaces, but for those in double quotes, of which three are one."""
    words: list[str] = []
    word, begun, quoted = "", False, False
    for part in re.findall(r'"""|"|\s+|[^"\s]+', text):
        if part == '"':
            quoted, begun = not quoted, True
        elif part.isspace() and not quoted:
            if begun:
                words.append(word)
            word, begun = "", False
        else:
            word, begun = word + ('"' if part == '"""' else part), True
    return [*words, word] if begun else words
