"""`pvlink site`, `launch`, `jobs` and `cancel`: the same without a notebook."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable

from pvlink.errors import JobError, OptionError, PvlinkError
from pvlink.launchers import amounts, asking, launching, preparing, site, sitefile, sites
from pvlink.launchers.job import TICK, Job
from pvlink.launchers.states import State
from pvlink.launchers.window import Window

_WAITED_FOR = (State.WAITING, State.STARTING, State.ENDING)


def site_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="the sites there are, and whose each is")
    show = actions.add_parser("show", help="a site's file, as it is read")
    show.add_argument("name", help="its name, or a file")
    new = actions.add_parser("new", help="asks some questions and writes a site's file")
    new.add_argument("name", help="what it is called: its file's name")
    prepare = actions.add_parser("prepare", help="installs pvlink there, for ParaView in the job")
    prepare.add_argument("name", help="its name, or a file")
    prepare.add_argument("--package", default="", metavar="FILE", help="this wheel there instead of pip's own choice")
    actions.add_parser("folders", help="where sites are looked for, the nearest first")
    actions.add_parser("keys", help="all that a site's file can say")


def site_command(asked: argparse.Namespace) -> int:
    return _said(f"site {asked.action}", lambda: _SITE[asked.action](asked))


def launch_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("site", nargs="?", help="its name (pvlink site list), or its file")
    parser.add_argument("--inside", action="store_true", help="in the job of Slurm's that this shell is in")
    parser.add_argument("-m", "--memory", metavar="90G")
    parser.add_argument("-t", "--time", metavar="1:30:00", help="as Slurm reads it; also 90m, 2h")
    parser.add_argument("-p", "--partition")
    for name in ("ranks", "nodes", "gpus"):
        parser.add_argument(f"-{name[0]}" if name != "nodes" else "-N", f"--{name}", type=int, metavar="N")
    for name in ("account", "qos", "constraint", "reservation"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--exclusive", action="store_true", default=None, help="the nodes for this job alone")
    parser.add_argument("--version", metavar="5.11", help="which ParaView, where the site has several")
    parser.add_argument("--grace", metavar="10m", help="how long it stays when nobody is connected")
    parser.add_argument("-u", "--mail", metavar="ANN@EXAMPLE.ORG", help="who is written to when it is ready")
    parser.add_argument("--extra", action="append", metavar="--nice=100", help="a further option of sbatch")
    parser.add_argument("--no-wait", action="store_true", help="do not wait until it is ready")


def launch_command(asked: argparse.Namespace) -> int:
    options = {name: value for name, value in vars(asked).items() if name not in ("command", "site", "no_wait")}
    return _said("launch", lambda: _launched(launching.launch(asked.site, **options), wait=not asked.no_wait))


def jobs_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", nargs="?", help="of this one also the log's end")


def jobs_command(asked: argparse.Namespace) -> int:
    return _said("jobs", lambda: _job(launching.attach(asked.job)) if asked.job else _jobs())


def cancel_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", nargs="+", help="its number (pvlink jobs)")


def cancel_command(asked: argparse.Namespace) -> int:
    def cancel() -> str:
        for job in asked.job:
            launching.attach(job).cancel()
        return f"Cancelled {', '.join(asked.job)}."

    return _said("cancel", cancel)


def connect_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", help="its number (pvlink jobs)")
    parser.add_argument("--port", type=int, default=0, metavar="N", help="of this machine; any, if it is not said")


def connect_command(asked: argparse.Namespace) -> int:
    return _said("connect", lambda: _connected(launching.attach(asked.job), asked.port))


def _said(command: str, work: Callable[[], str]) -> int:
    try:
        print(work())
    except PvlinkError as error:
        print(f"pvlink {command}: {error}", file=sys.stderr)
        return 1
    return 0


def _launched(job: Job, *, wait: bool) -> str:
    print(f"{job.label}: {job.words}")
    if not wait:
        return "In a notebook: " + _how(job)
    said = ""
    try:
        while (standing := job.standing()).state in _WAITED_FOR and not standing.is_hopeless:
            if standing.sentence != said:
                said = standing.sentence
                print(said, flush=True)
            time.sleep(TICK)
    except KeyboardInterrupt:
        return f"The job goes on. pvlink jobs {job.number} says how it stands, pvlink cancel {job.number} ends it."
    if standing.is_hopeless:
        raise JobError(f"{job.label} {job.hopeless(standing)}")
    return f"{standing.sentence}\nIn a notebook: {_how(job)}"


def _connected(job: Job, port: int) -> str:
    """Until it has ended, or its user has had enough."""
    window = Window(job.wait(), port)
    # Whoever asks it to end is as good as a Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        file = window.write()
        print(f"{job.label} is at localhost:{window.port} as long as this runs.")
        print(f"In ParaView: File, Connect, Load Servers: {file}; then choose {job.label!r}.")
        print("Ctrl-C closes the way; the job goes on.", flush=True)
        window.serve(lambda said: print(said, flush=True))
    except KeyboardInterrupt:
        return f"\nClosed. pvlink cancel {job.number} ends the job."
    finally:
        window.close()
    return f"{job.label} has ended."


def _how(job: Job) -> str:
    return f"session.connect(pvlink.attach({job.number!r}))"


def _jobs() -> str:
    return "\n".join(map(_line, launching.jobs())) or "No job launched from here is known to run."


def _line(job: Job) -> str:
    try:
        remaining = job.remaining
        left = f" {amounts.duration_words(remaining.total_seconds())} left." if remaining is not None else ""
        return f"{job.number}\t{job.site}\t{job.words}. {job.sentence}{left}"
    except PvlinkError as error:
        return f"{job.number}\t{job.site}\t{error}"


def _job(job: Job) -> str:
    return f"{_line(job)}\n{job.log()}".rstrip()


def _list(_: argparse.Namespace) -> str:
    lines = []
    for one in sites.find():
        try:
            lines.append(f"{one.name}\t{sites.load(one.path).title or one.name}\t({one.whose}: {one.path})")
        except OptionError as error:
            lines.append(f"{one.name}\t{error}")
    return "\n".join(lines) or "There are none. pvlink site new NAME asks and writes one."


def _new(asked: argparse.Namespace) -> str:
    file = sites.own() / f"{asked.name}{sites.SUFFIX}"
    if file.exists():
        raise OptionError(f"{file} is there already. Change it with an editor, or choose another name.")
    try:
        _, text = asking.asked(asked.name, _asked)
    except (EOFError, KeyboardInterrupt):
        raise OptionError("Nothing was written.") from None
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return f"\n{text}\nThis is in {file}. Try it: pvlink launch {asked.name}"


def _asked(question: str, usual: str) -> str:
    return input(f"{question}{f' [{usual}]' if usual else ''}: ")


def _folders(_: argparse.Namespace) -> str:
    return "\n".join(f"{path}\t({whose}{'' if path.is_dir() else ', not there'})" for path, whose in sites.folders())


def _keys(_: argparse.Namespace) -> str:
    tables = site.schema().items()
    return "\n".join(f"{f'[{table}]' if table else 'first'}: {', '.join(keys)}" for table, keys in tables)


_SITE = {
    "new": _new,
    "list": _list,
    "show": lambda asked: sitefile.written(sites.load(asked.name)),
    "prepare": lambda asked: preparing.prepare(launching.cluster(asked.name), asked.package, print),
    "folders": _folders,
    "keys": _keys,
}
