"""The script that a job runs: the site's own lines, then pvlink's part with all it needs. Pure; golden files show it.

It is one text, handed to sbatch or to a shell, and nothing has to be installed there but ParaView, bash and a Python.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from pvlink.errors import OptionError
from pvlink.launchers import amounts, words
from pvlink.launchers.order import Order

# What goes along, by where it lies in this package. With empty folders around it, it is found there as it is here.
PARTS = (
    "launchers/node/steward.py",
    "launchers/node/server.py",
    "launchers/node/annex.py",
    "launchers/node/doors.py",
    "launchers/node/events.py",
    "launchers/node/greetings.py",
    "launchers/node/pipe.py",
    "launchers/node/rank.py",
    "launchers/node/letters.py",
    "servers/chain.py",
    "servers/screen.py",
    "streamer/pvserver/handshake.py",
    "streamer/pvserver/peers.py",
)
# Ends each part; no line of ours is it.
END = "PVLINK-END-OF-PART"
# What the steward would say.
_GAVE_UP = '{"key": "%s", "state": "ended", "why": "setup", "said": "%s"}'
# The programs a job starts: small files that make the neighbours importable, and no more than them.
_PROGRAM = """\
import sys

sys.path.insert(0, {lib})
from pvlink.launchers.node.{name} import main

main({arguments})
"""


@dataclass(frozen=True)
class Plan:
    """What the steward is told, in plan.json; no secret."""

    key: str
    place: str
    node: str
    launcher: tuple[str, ...]
    pvserver: str
    arguments: tuple[str, ...]
    ranks: int
    display: str
    # Where its door may be: none for a unix socket alone, 0 and 0 for any.
    ports: tuple[int, int] | None
    grace: int
    # Seconds until it ends by itself; 0 where Slurm sees to that.
    limit: int
    # Pythons to try.
    python: tuple[str, ...]
    # Those that may have pvlink, and ParaView's own Python: for a session whose ParaView is in the job.
    engine: tuple[str, ...]
    pvpython: str
    # To whom and how letters are sent, and what they say; none without an address.
    mail: dict[str, str] | None = None

    def json(self) -> str:
        return json.dumps(asdict(self), indent=1)


def plan(order: Order, key: str, home: str) -> Plan:
    """`home`: of the user, where the job runs."""
    site, program = order.site, order.program
    return Plan(
        key=key,
        place=place(order, key, home),
        node=str(PurePosixPath(at_home(site.files.scratch, home)) / f"pvlink-{key}"),
        launcher=_launcher(order),
        pvserver=at_home(program.pvserver, home),
        # One rank alone needs no MPI, which would listen for others.
        arguments=("--no-mpi",) if order.ranks == 1 else (),
        ranks=order.ranks,
        display=site.paraview.display,
        ports=amounts.ports(site.paraview.ports),
        grace=order.grace,
        limit=0 if site.scheduler == "slurm" else order.seconds,
        python=tuple(at_home(program, home) for program in site.paraview.python),
        engine=tuple(at_home(program, home) for program in site.engine.python),
        pvpython=at_home(site.engine.pvpython, home),
        mail=_mail(order),
    )


def _mail(order: Order) -> dict[str, str] | None:
    if not order.mail:
        return None
    site = order.site
    return {
        "to": order.mail,
        "sender": site.mail.sender or order.mail,
        "smtp": site.mail.smtp,
        "sendmail": site.mail.sendmail,
        "site": site.title or site.name,
        "words": order.words,
        "login": site.ssh.host if site.ssh else "LOGIN_NODE",
        "grace_words": amounts.duration_words(order.grace),
    }


def place(order: Order, key: str, home: str) -> str:
    """The job's folder."""
    return str(PurePosixPath(at_home(order.site.files.jobs, home)) / key)


def at_home(path: str, home: str) -> str:
    return f"{home}{path[1:]}" if path.startswith("~/") else path


def script(order: Order, plan: Plan, parts: Mapping[str, str]) -> str:
    """`parts`: the texts of PARTS."""
    site, folder = order.site, shlex.quote(plan.place)
    setup = [words.plain(line, "paraview.setup") for line in order.program.setup]
    return "\n".join(
        [
            "#!/bin/bash -l",
            f"# A ParaView server of pvlink's: job {plan.key} at {site.name}.",
            "umask 077",
            f"export PVLINK_JOB={plan.key}",
            f"mkdir -p {folder} && cd {folder} || exit 1",
            "exec >job.log 2>&1",
            "give_up() {",
            f'    printf \'{_GAVE_UP}\' "$PVLINK_JOB" "$1" >status.new && mv status.new status',
            "    exit 1",
            "}",
            *(["", f"# What {site.name} wants before ParaView is there.", *setup] if setup else []),
            "",
            "python=",
            f"for each in {shlex.join(plan.python)}; do",
            """    if "$each" -c 'import sys; sys.exit(sys.version_info < (3, 9))'; then python=$each; break; fi""",
            "done",
            f"""[ -n "$python" ] || give_up {_inside_json(_no_python(order))}""",
            f"""command -v {shlex.quote(plan.pvserver)} || give_up {_inside_json(_no_pvserver(order, plan))}""",
            "",
            "# pvlink's part: it holds the server and its door.",
            f"mkdir -p {' '.join(sorted({f'lib/pvlink/{PurePosixPath(part).parent}' for part in PARTS}))}",
            *(
                line
                for name, text in {
                    **_around(),
                    **_programs(plan),
                    **_named(parts),
                    "plan.json": plan.json() + "\n",
                }.items()
                for line in _written(name, text)
            ),
            # By its whole path: a process is known by it.
            f'exec "$python" -I -S {shlex.quote(f"{plan.place}/lib/steward.py")} </dev/null',
            "",
        ]
    )


def _launcher(order: Order) -> tuple[str, ...]:
    """What starts the ranks."""
    program, ranks = order.program, str(order.ranks)
    if order.ranks == 1:
        return ()
    if program.mpi == "mpiexec":
        return (*program.mpiexec, "-n", ranks)
    if program.mpi == "srun":
        return (*program.srun, f"--ntasks={ranks}", "--kill-on-bad-exit=1", "--unbuffered")
    raise OptionError(
        f'ranks={ranks}: {order.site.name} starts one rank only (paraview.mpi = "none" in its file). Ask for ranks=1.'
    )


def _inside_json(text: str) -> str:
    return shlex.quote(json.dumps(text)[1:-1])


def _no_python(order: Order) -> str:
    tried = " and ".join(order.site.paraview.python)
    return f"No Python 3.9 or newer was found ({tried} were tried). The site names one by paraview.python."


def _no_pvserver(order: Order, plan: Plan) -> str:
    return (
        f"There is no {plan.pvserver} after the lines of paraview.setup. "
        "The site names another one by paraview.pvserver, or what brings it by paraview.setup."
    )


def _around() -> dict[str, str]:
    """The packages of the parts, empty: what is beside them here is not there."""
    folders = {folder for part in PARTS for folder in PurePosixPath("pvlink", part).parents if str(folder) != "."}
    return {f"lib/{folder}/__init__.py": "" for folder in sorted(map(str, folders))}


def _programs(plan: Plan) -> dict[str, str]:
    lib = json.dumps(f"{plan.place}/lib")
    steward = _PROGRAM.format(lib=lib, name="steward", arguments=json.dumps(f"{plan.place}/plan.json"))
    letters = _PROGRAM.format(lib=lib, name="letters", arguments=json.dumps(f"{plan.place}/plan.json"))
    rank = _PROGRAM.format(lib=lib, name="rank", arguments="sys.argv[1:]")
    return {"lib/steward.py": steward, "lib/rank.py": rank, **({"lib/letters.py": letters} if plan.mail else {})}


def _named(parts: Mapping[str, str]) -> dict[str, str]:
    return {f"lib/pvlink/{part}": parts[part] for part in PARTS}


def _written(name: str, text: str) -> list[str]:
    if not text:
        return [f": >{name}"]
    if END in text.splitlines():
        raise OptionError(f"{name}: the line {END!r} may not be in it.")
    return [f"cat >{name} <<'{END}'", text.removesuffix("\n"), END]
