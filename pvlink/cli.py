"""The `pvlink` command."""

from __future__ import annotations

import argparse
import sys

from pvlink.checkup import doctor
from pvlink.version import __version__


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="pvlink", description="A live ParaView view in a notebook cell.")
    parser.add_argument("--version", action="version", version=f"pvlink {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("doctor", help="say what works on this machine and what to do about the rest")
    parser.parse_args(arguments)
    sys.exit(0 if doctor() else 1)
