"""A host behind ssh: the only door to asyncssh. Keys, agent, `~/.ssh/config`, jump hosts; host keys always checked."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import asyncssh

from pvlink.launchers.site import Ssh

# Asks the user; the answer, or none where he gives up. `hidden`: not to be seen while it is typed.
Ask = Callable[[str, bool], Awaitable[str | None]]

CONNECT_SECONDS, LOGIN_SECONDS = 20.0, 300.0
# A link that is cut is noticed after three of these.
KEEPALIVE_SECONDS = 15.0
_SILENT = "gssapi-keyex,gssapi-with-mic,hostbased,publickey"
# Between what a login shell says by itself and what the command does.
MARK = "pvlink-begins-here"
_RUN = f'printf "%s\\n" {MARK}; exec "$@"'
# Where a host keeps the keys of its neighbours.
NEIGHBOURS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2", "~/.ssh/known_hosts")


class UnreachableError(Exception):
    """Why there is no way there, in a sentence."""


class _Client(asyncssh.SSHClient):
    """Asks the user what only he knows."""

    def __init__(self, ask: Ask, host: str) -> None:
        self._ask = ask
        self._host = host

    async def password_auth_requested(self) -> str | None:
        return await self._ask(f"Password for {self._host}: ", True)

    async def kbdint_auth_requested(self) -> str | None:
        return ""

    async def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        answers = []
        said = " ".join(part for part in (name, instructions) if part)
        for prompt, echo in prompts:
            answer = await self._ask(f"{self._host}: {said + ' ' if said else ''}{prompt}", not echo)
            if answer is None:
                return None
            answers.append(answer)
            said = ""
        return answers


class Host:
    """A connection, made when it is first needed, and again when it was lost."""

    def __init__(self, target: Ssh, ask: Ask) -> None:
        self._target = target
        self._ask = ask
        self._lock = asyncio.Lock()
        self._hops: list[asyncssh.SSHClientConnection] = []
        self._nodes: dict[str, asyncssh.SSHClientConnection] = {}
        self._neighbours: bytes | None = None
        # Of keys, in this process's memory only.
        self._phrases: dict[str, str] = {}

    async def run(self, command: list[str], given: str, patience: float) -> tuple[int, str, str]:
        """By a login shell, which knows where Slurm is."""
        connection = await self._connected()
        words = shlex.join(["bash", "-lc", _RUN, "bash", *command])
        try:
            done = await asyncio.wait_for(connection.run(words, input=given, errors="replace"), patience)
        except TimeoutError:
            raise UnreachableError(f"{command[0]} has not answered for {patience:.0f} s on {self._name}.") from None
        except (OSError, asyncssh.Error) as error:
            raise UnreachableError(f"{self._name}: {_reason(error)}.") from None
        out = str(done.stdout or "")
        _, found, rest = out.partition(f"{MARK}\n")
        code = done.returncode if done.returncode is not None else 255
        return code, rest if found else out, str(done.stderr or "")

    async def tcp(self, host: str, port: int) -> Any:
        """A connection from there to a port of a node."""
        return await self._opened(await self._connected(), lambda one: one.open_connection(host, port, encoding=None))

    async def unix(self, node: str, path: str) -> Any:
        """A connection to a unix socket of a node, by ssh to the node itself."""
        connection = await self._node(node)
        return await self._opened(connection, lambda one: one.open_unix_connection(path, encoding=None))

    async def loopback(self, node: str, port: int) -> Any:
        """A connection to a port of a node, by ssh to the node itself."""
        connection = await self._node(node)
        return await self._opened(connection, lambda one: one.open_connection("127.0.0.1", port, encoding=None))

    async def close(self) -> None:
        for connection in [*self._nodes.values(), *reversed(self._hops)]:
            connection.abort()
        self._nodes, self._hops = {}, []

    @property
    def _name(self) -> str:
        user = self._target.user
        return f"{user}@{self._target.host}" if user else self._target.host

    async def _opened(self, connection: asyncssh.SSHClientConnection, opens: Callable[[Any], Awaitable[Any]]) -> Any:
        try:
            return await asyncio.wait_for(opens(connection), CONNECT_SECONDS)
        except TimeoutError:
            raise UnreachableError("nothing answers: a firewall, perhaps") from None
        except asyncssh.ChannelOpenError as error:
            raise UnreachableError(_refusal(error)) from None
        except (OSError, asyncssh.Error) as error:
            raise UnreachableError(_reason(error)) from None

    async def _connected(self) -> asyncssh.SSHClientConnection:
        async with self._lock:
            if self._hops and not self._hops[-1].is_closed():
                return self._hops[-1]
            await self.close()
            tunnel = None
            target = self._target
            for jump in target.jumps:
                user, _, host = jump.rpartition("@")
                name, _, port = host.partition(":")
                tunnel = await self._connect(name, user, int(port or 0), "", tunnel)
                self._hops.append(tunnel)
            found = await self._connect(target.host, target.user, target.port, target.identity, tunnel)
            self._hops.append(found)
            return found

    async def _node(self, node: str) -> asyncssh.SSHClientConnection:
        """Through the login node, which knows its neighbours' keys."""
        login = await self._connected()
        known = self._nodes.get(node)
        if known is None or known.is_closed():
            user = str(login.get_extra_info("username") or "")
            neighbours = await self._of_the_neighbours(login)
            known = self._nodes[node] = await self._connect(node, user, 0, self._target.identity, login, neighbours)
        return known

    async def _of_the_neighbours(self, login: asyncssh.SSHClientConnection) -> bytes:
        if self._neighbours is None:
            files = " ".join(path if path.startswith("~") else shlex.quote(path) for path in NEIGHBOURS)
            with contextlib.suppress(OSError, asyncssh.Error, TimeoutError):
                done = await asyncio.wait_for(login.run(f"cat {files} 2>/dev/null"), CONNECT_SECONDS)
                self._neighbours = str(done.stdout or "").encode()
        return self._neighbours or b""

    async def _connect(
        self, host: str, user: str, port: int, identity: str, tunnel: Any, neighbours: bytes | None = None
    ) -> asyncssh.SSHClientConnection:
        options: dict[str, Any] = {
            "client_factory": lambda: _Client(self._ask, host),
            "connect_timeout": CONNECT_SECONDS,
            # A person may have to find his telephone.
            "login_timeout": LOGIN_SECONDS,
            "keepalive_interval": KEEPALIVE_SECONDS,
        }
        if user:
            options["username"] = user
        if port:
            options["port"] = port
        if identity:
            options["client_keys"] = [_expanded(identity)]
        if neighbours is not None:
            options["known_hosts"] = neighbours + b"\n" + _known()
        if tunnel is not None:
            options["tunnel"] = tunnel
        # First by what needs nobody: an agent, keys without a passphrase. Then with all that a person can say.
        trials: list[dict[str, Any]] = [
            {"ignore_encrypted": True, "preferred_auth": _SILENT},
            {"passphrase": self._passphrase},
        ]
        trusted = False
        while True:
            try:
                return await asyncssh.connect(host, **options, **trials[0])
            except asyncssh.HostKeyNotVerifiable:
                if trusted or neighbours is not None or not await self._trust(host, port, tunnel):
                    raise UnreachableError(_unknown(host, neighbours is not None)) from None
                trusted = True
            except asyncssh.PermissionDenied as error:
                if len(trials) == 1:
                    raise UnreachableError(_denied(host, user, error)) from None
                trials.pop(0)
            except (OSError, asyncssh.Error, TimeoutError) as error:
                raise UnreachableError(f"{host} cannot be reached by ssh: {_reason(error)}") from None

    async def _passphrase(self, key: str) -> str | None:
        """Of a key that has one; asked once, and again where it was wrong."""
        if not _is_locked(key, None):
            return None
        while (known := self._phrases.get(key)) is None or _is_locked(key, known):
            said = await self._ask(f"Passphrase for {key}: ", True)
            if not said:
                return None
            self._phrases[key] = said
            if _is_locked(key, said):
                raise UnreachableError(f"this is not the passphrase of {key}.")
        return known

    async def _trust(self, host: str, port: int, tunnel: Any) -> bool:
        """Ask once about a host that nobody knows; one whose key has changed is refused."""
        place = f"[{host}]:{port}" if port not in (0, 22) else host
        if any(asyncssh.match_known_hosts(_known(), host, "", port or 22)[:1]):
            return False
        try:
            key = await asyncssh.get_server_host_key(host, port or (), tunnel=tunnel)
        except (OSError, asyncssh.Error):
            return False
        if key is None:
            return False
        print_of = key.get_fingerprint()
        said = await self._ask(f"{place} is not known yet. Its key is {print_of}. Is that right? (yes/no) ", False)
        if said is None or said.strip().lower() not in ("yes", "y"):
            return False
        _remember(f"{place} ".encode() + key.export_public_key().strip() + b"\n")
        return True


def _is_locked(key: str, phrase: str | None) -> bool:
    try:
        asyncssh.read_private_key(key, phrase)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        return True
    except OSError:
        return False
    return False


def _denied(host: str, user: str, error: asyncssh.PermissionDenied) -> str:
    return (
        f"{user + '@' if user else ''}{host} does not let you in ({error.reason}). Does `ssh {host}` work in a "
        "terminal? The site's file may name a user and a key: ssh.user, ssh.identity."
    )


def _expanded(path: str) -> str:
    return str(Path(path).expanduser())


def _known() -> bytes:
    """Hosts that this user knows."""
    with contextlib.suppress(OSError):
        return Path("~/.ssh/known_hosts").expanduser().read_bytes()
    return b""


def _remember(line: bytes) -> None:
    known = Path("~/.ssh/known_hosts").expanduser()
    known.parent.mkdir(mode=0o700, exist_ok=True)
    with known.open("ab") as file:
        file.write(line)


def _unknown(host: str, node: bool) -> str:
    if node:
        return (
            f"the key of {host} is not one that the login node or you know, so nobody can say that it is that node. "
            f"`ssh {host}` on the login node makes it known"
        )
    return (
        f"The key of {host} is not the one that ~/.ssh/known_hosts has for it, or you did not accept it. If it was "
        f"changed for a reason, `ssh-keygen -R {host}` forgets the old one."
    )


def _refusal(error: asyncssh.ChannelOpenError) -> str:
    """Why a forward was not opened, and who could change that."""
    reason = (error.reason or "").strip().rstrip(".") or "no reason was given"
    if error.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED:
        return f"its sshd refuses to forward (AllowTcpForwarding, AllowStreamLocalForwarding, PermitOpen): {reason}"
    return reason


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"it has not answered for {CONNECT_SECONDS:.0f} s"
    if isinstance(error, asyncssh.ChannelOpenError):
        return _refusal(error)
    if isinstance(error, asyncssh.Error):
        return (error.reason or type(error).__name__).strip().rstrip(".")
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
