"""The `pvlink` command: each subcommand is an entry in `COMMANDS`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from pvlink.checkup import PATIENCE, examine
from pvlink.version import __version__

# What adds a subcommand's arguments, and what runs it and gives the exit code.
Command = tuple[str, Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int]]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="pvlink", description="A live ParaView view in a notebook cell.")
    parser.add_argument("--version", action="version", version=f"pvlink {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (purpose, add_arguments, _) in COMMANDS.items():
        add_arguments(commands.add_parser(name, help=purpose, description=purpose))
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


COMMANDS: dict[str, Command] = {
    "doctor": ("say what works on this machine and what to do about the rest", _doctor_arguments, _doctor),
}
