"""pvlink installed on a cluster, in an environment of its own, for `pvlink.start(on=job)`. Once for each version."""

from __future__ import annotations

from collections.abc import Callable

from pvlink.errors import JobError
from pvlink.launchers import words
from pvlink.launchers.batch import at_home
from pvlink.launchers.cluster import Cluster
from pvlink.version import __version__

PLACE = "~/.pvlink/env"
# A login node's file system, and a dozen packages.
SECONDS = 900.0
PYTHONS = ("python3", "python3.13", "python3.12", "python3.11")
# The words come as arguments: none of them becomes a part of the script.
_SCRIPT = """\
place=$1 what=$2
shift 2
python=
for each; do
    if "$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$each; break; fi
done
[ -n "$python" ] || { echo "no Python 3.11 or newer was found there ($* were tried)" >&2; exit 3; }
"$python" -m venv "$place" || exit 4
"$place/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade "$what" || exit 5
exec "$place/bin/python" -P -c 'import pvlink; print(pvlink.__version__)'
"""


def command(home: str, what: str, pythons: tuple[str, ...]) -> list[str]:
    """Pure. `what`: a requirement of pip's, or a file that is there."""
    tried = [at_home(words.plain(python, "engine.python"), home) for python in (*pythons, *PYTHONS)]
    place = at_home(PLACE, home)
    # One that it has made itself is not what it is made of.
    known = [python for python in dict.fromkeys(tried) if not python.startswith(f"{place}/")]
    return ["sh", "-c", _SCRIPT, "sh", place, words.plain(what, "--package"), *known]


def prepare(cluster: Cluster, package: str, say: Callable[[str], object]) -> str:
    """What there is then, in a sentence. Raises JobError."""
    site = cluster.site
    what = package or f"pvlink=={__version__}"
    say(f"Installing {what} at {site.name}, in {PLACE} ...")
    done = cluster.shell.run(command(cluster.home(), what, site.engine.python), timeout=SECONDS)
    if done.code != 0:
        lines = (done.err.strip() or done.out.strip() or "no reason was given").splitlines()
        raise JobError(f"{site.name}: {' '.join(lines[-4:])}")
    found = done.out.split()[-1] if done.out.split() else "none"
    if found != __version__:
        raise JobError(f"{site.name}: pvlink {found} is there now, and this is {__version__}: both must be the same.")
    return f"pvlink {found} is installed at {site.name}: pvlink.start(on=job) finds it."
