"""What may become a word of a command or a line of a script. Pure.

Quoting protects a shell, not the program behind it: a newline in a quoted value still begins a new `#SBATCH` line. So
what no name needs is refused before anything is made of it.
"""

from __future__ import annotations

import re
import unicodedata

from pvlink.errors import OptionError

# Names of partitions, accounts, QOS, features and the like, and lists and counts of them, as Slurm writes them.
_NAME = re.compile(r"[A-Za-z0-9_.:@+=,/&|*()\[\]%^~-]{1,256}", re.ASCII)
_HOST = re.compile(r"(?![-.])[A-Za-z0-9_.@:-]{0,253}", re.ASCII)
_ADDRESS = re.compile(r"(?!-)[A-Za-z0-9._%+=&'-]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}", re.ASCII)
LONGEST = 4096


def plain(text: object, what: str) -> str:
    """Text of one line, without anything that cannot be seen. Raises OptionError."""
    if not isinstance(text, str):
        raise OptionError(f"{what}={text!r}: it is text.")
    if len(text) > LONGEST:
        raise OptionError(f"{what}: it has {len(text)} characters; {LONGEST} are the most.")
    for character in text:
        # Control and format characters, separators of lines and paragraphs, halves of surrogates, the unassigned.
        kind = unicodedata.category(character)
        if kind[0] == "C" or kind in ("Zl", "Zp"):
            raise OptionError(f"{what}={text!r}: the character {character!r} may not be in it.")
    return text


def name(text: object, what: str) -> str:
    """What Slurm knows by a name. Raises OptionError."""
    found = plain(text, what)
    if _NAME.fullmatch(found) is None or found.startswith("-"):
        raise OptionError(
            f"{what}={found!r}: it is letters, digits and . _ - : @ + = , / & | * ( ) [ ] % ^ ~ only, and begins "
            "with no dash."
        )
    return found


def host(text: object, what: str) -> str:
    """A host, with user and port where they belong; may be empty. Raises OptionError."""
    found = plain(text, what)
    if _HOST.fullmatch(found) is None:
        raise OptionError(
            f"{what}: {found!r} is no name of a host or user, such as login.example.org or me@gateway:2222."
        )
    return found


def address(text: object, what: str) -> str:
    """Of mail; may be empty. Raises OptionError."""
    found = plain(text, what)
    if found and _ADDRESS.fullmatch(found) is None:
        raise OptionError(f"{what}={found!r}: it is one address, such as ann@example.org.")
    return found


def path(text: object, what: str) -> str:
    """An absolute path, or one below the home (`~/...`), or a program's bare name. Raises OptionError."""
    found = plain(text, what)
    if not found or found.startswith("-") or (found.startswith("~") and not found.startswith("~/")):
        raise OptionError(f"{what}={found!r}: it is a path such as /opt/paraview/bin/pvserver, or ~/bin/pvserver.")
    return found
