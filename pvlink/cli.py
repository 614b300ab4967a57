"""The `pvlink` command: each subcommand is an entry in `COMMANDS`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from pvlink import kernelspec
from pvlink.checkup import PATIENCE, examine
from pvlink.errors import PvlinkError
from pvlink.launchers import commands
from pvlink.version import __version__

# What adds a subcommand's arguments, and what runs it and gives the exit code.
Command = tuple[str, Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int]]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="pvlink", description="A live ParaView view in a notebook cell.")
    parser.add_argument("--version", action="version", version=f"pvlink {__version__}")
    subcommands = parser.add_subparsers(dest="command", required=True)
    for name, (purpose, add_arguments, _) in COMMANDS.items():
        add_arguments(subcommands.add_parser(name, help=purpose, description=purpose))
    asked = parser.parse_args(arguments)
    sys.exit(COMMANDS[asked.command][2](asked))


def _doctor_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs: name, good, level, sentence, cure, facts")
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE,
        metavar="SECONDS",
        help="how long ParaView may take to start and draw (default: %(default)g); a cold disk takes longer",
    )


def _doctor(asked: argparse.Namespace) -> int:
    if not asked.json and sys.stdout.isatty():
        print("Looking; this takes some seconds ...", file=sys.stderr)
    report = examine(patience=asked.patience)
    print(report.json() if asked.json else report)
    return 0 if report else 1


def _kernel_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    install = actions.add_parser("install", help="make a kernel, or make it anew")
    install.add_argument("--pvpython", metavar="PATH", help="ParaView's Python (default: as pvlink.start() finds it)")
    install.add_argument("--name", help="its name for programs (default: paraview-VERSION)")
    install.add_argument("--display-name", metavar="TEXT", help="its name for people (default: ParaView VERSION)")
    actions.add_parser("list", help="the kernels that pvlink has made")
    remove = actions.add_parser("remove", help="remove a kernel that pvlink has made")
    remove.add_argument("name")
    for action in (install, remove):
        place = action.add_mutually_exclusive_group()
        place.add_argument("--user", action="store_true", help="for each Jupyter of this user (default)")
        place.add_argument("--prefix", type=Path, metavar="FOLDER", help="in FOLDER/share/jupyter")
        place.add_argument("--sys-prefix", action="store_true", help=f"for this environment: {sys.prefix}")


def _kernel(asked: argparse.Namespace) -> int:
    try:
        if asked.action == "list":
            print("\n".join(kernel.sentence() for kernel in kernelspec.installed()) or "pvlink has made no kernel.")
            return 0
        prefix = Path(sys.prefix) if asked.sys_prefix else asked.prefix
        data = None if prefix is None else prefix.absolute() / "share" / "jupyter"
        if asked.action == "install":
            made = kernelspec.install(asked.pvpython, name=asked.name, display_name=asked.display_name, data=data)
            print(f"Made the kernel {made.sentence()}. Choose {made.display_name!r} in a new notebook.")
        else:
            print(f"Removed {kernelspec.remove(asked.name, data).folder}.")
    except PvlinkError as error:
        print(f"pvlink kernel {asked.action}: {error}", file=sys.stderr)
        return 1
    return 0


COMMANDS: dict[str, Command] = {
    "doctor": ("say what works on this machine and what to do about the rest", _doctor_arguments, _doctor),
    "kernel": ("Jupyter kernels that run on ParaView's own Python", _kernel_arguments, _kernel),
    "site": ("clusters as files describe them", commands.site_arguments, commands.site_command),
    "launch": ("a ParaView server in a job on a cluster", commands.launch_arguments, commands.launch_command),
    "jobs": ("how your jobs stand", commands.jobs_arguments, commands.jobs_command),
    "connect": ("a way to a job for ParaView's own window", commands.connect_arguments, commands.connect_command),
    "cancel": ("end a job", commands.cancel_arguments, commands.cancel_command),
}
