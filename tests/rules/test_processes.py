"""Six processes, five wires: what each side of pvlink may import of pvlink.

Exhaustive by construction: a new file under pvlink/ belongs to the engine, the streamer, the server, a simulation,
the shared nouns, or else to the kernel, and is held to that side's rule from its first line.
"""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath

import pytest

from tests.rules.tree import ROOT, Import, matches, python_imports

NOUNS = ("pvlink.policy", "pvlink.protocol", "pvlink.rendezvous", "pvlink.version")
NODE = (
    "pvlink.servers.chain",
    "pvlink.servers.screen",
    "pvlink.streamer.pvserver.handshake",
    "pvlink.streamer.pvserver.peers",
)
# Each side: what belongs to it, and what of pvlink it may import besides itself. The kernel is everything else.
SIDES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "engine": (("pvlink/engine/",), ()),
    "streamer": (
        ("pvlink/streamer/",),
        (*NOUNS, *(f"pvlink.insitu.{noun}" for noun in ("frames", "key", "parameters", "terms"))),
    ),
    # In a simulation's process, and the ferry beside it.
    "insitu": (("pvlink/insitu/",), ()),
    "server": (("pvlink/server/",), NOUNS),
    # In a job: it takes along what it needs of its neighbours, which are of the standard library only.
    "launchers.node": (("pvlink/launchers/node/",), NODE),
    "nouns": (("pvlink/policy.py", "pvlink/protocol.py", "pvlink/rendezvous.py", "pvlink/version.py"), ()),
}
CLOSED_TO_THE_KERNEL = ("pvlink.engine", "pvlink.insitu", "pvlink.streamer", "pvlink.server")
OPEN_TO_THE_KERNEL = (
    "pvlink.engine.rpc",
    # The form of the files that both write, and what turns VTK's data into it, where the kernel has a VTK of its own.
    "pvlink.engine.cargo",
    "pvlink.engine.hold",
    "pvlink.engine.refusal",
    "pvlink.engine.sources",
    "pvlink.engine.unpacked",
    # What is checked here, and again there.
    "pvlink.insitu.conditions",
    "pvlink.insitu.parameters",
)

# Where the kernel is the engine's process, too.
ENGINE_IN_THE_KERNEL = (
    "pvlink/arrival.py",
    "pvlink/inplace.py",
    "pvlink/inside.py",
    "pvlink/kinds.py",
    "pvlink/plotters.py",
)

# Nothing is installed beside ParaView: what it brings, and rpyc, which the kernel lends.
ENGINE_LIBRARIES = frozenset({"numpy", "paraview", "rpyc", "vtk", "vtkmodules"})
# In our standard library, not in Python 3.9's.
AFTER_3_9 = frozenset({"tomllib"})


def side_of(file: PurePosixPath) -> str:
    for side, (files, _) in SIDES.items():
        if any(matches(file, pattern) for pattern in files):
            return side
    return "kernel"


def trespasses(imports: list[Import]) -> list[str]:
    found = []
    for one in imports:
        if not one.within("pvlink"):
            continue
        side = side_of(one.file)
        if side == "kernel":
            inside = one.within("pvlink.engine") and any(matches(one.file, file) for file in ENGINE_IN_THE_KERNEL)
            allowed = inside or one.within(*OPEN_TO_THE_KERNEL) or not one.within(*CLOSED_TO_THE_KERNEL)
        else:
            allowed = one.within(*SIDES[side][1]) or (side != "nouns" and one.within(f"pvlink.{side}"))
        if not allowed:
            found.append(f"{one}; the {side} side may not")
    return found


def not_in_paraviews_python(imports: list[Import]) -> list[str]:
    standard = (sys.stdlib_module_names - AFTER_3_9) | ENGINE_LIBRARIES
    siblings = {one.file.stem for one in imports}
    return [
        f"{one}; ParaView's Python has no such module"
        for one in imports
        if side_of(one.file) in ("engine", "insitu")
        and not one.within("pvlink.engine", "pvlink.insitu")
        and one.module.split(".")[0] not in standard | siblings
    ]


def test_no_side_reaches_into_another() -> None:
    assert trespasses(python_imports(ROOT, "pvlink")) == []


def test_the_engine_needs_nothing_but_paraviews_own_python_and_rpyc() -> None:
    assert not_in_paraviews_python(python_imports(ROOT, "pvlink")) == []


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("engine/views.py", "from pvlink.protocol import Frame"),
        ("engine/views.py", "from .. import session"),
        ("streamer/pacer.py", "from pvlink.engine import rpc"),
        ("streamer/pacer.py", "from pvlink import session"),
        ("server/relay.py", "import pvlink.streamer.link"),
        ("protocol.py", "from pvlink.sessions import Session"),
        ("session.py", "from pvlink.streamer.pacer import Pacer"),
        ("session.py", "from pvlink.engine import views"),
        ("inside.py", "from pvlink.streamer import hub"),
        ("insitu/bridge.py", "from pvlink.protocol import Frame"),
        ("monitor/simulation.py", "from pvlink.insitu.bridge import Bridge"),
        ("brand_new.py", "from .engine.views import View"),
    ],
)
def test_a_trespass_is_seen(tmp_path: Path, file: str, source: str) -> None:
    place = tmp_path / "pvlink" / file
    place.parent.mkdir(parents=True)
    place.write_text(source)

    assert len(trespasses(python_imports(tmp_path, "pvlink"))) == 1


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("engine/views.py", "from .frames import Pool\nfrom . import pace"),
        ("streamer/pacer.py", "from pvlink import protocol\nfrom pvlink.streamer import clients"),
        ("server/relay.py", "from pvlink.rendezvous import socket_of"),
        ("session.py", "from pvlink.engine.rpc import Wire\nfrom pvlink.view import View"),
        ("inside.py", "from pvlink.engine.views import Views"),
        ("monitor/simulation.py", "from pvlink.insitu.parameters import Parameters"),
    ],
)
def test_what_is_allowed_passes(tmp_path: Path, file: str, source: str) -> None:
    place = tmp_path / "pvlink" / file
    place.parent.mkdir(parents=True)
    place.write_text(source)

    assert trespasses(python_imports(tmp_path, "pvlink")) == []


def test_a_library_that_paraviews_python_lacks_is_seen(tmp_path: Path) -> None:
    (tmp_path / "pvlink" / "engine").mkdir(parents=True)
    (tmp_path / "pvlink" / "engine" / "frames.py").write_text("import mmap, numpy, msgspec, tomllib\nimport frames\n")

    found = [line.split()[2] for line in not_in_paraviews_python(python_imports(tmp_path, "pvlink"))]

    assert found == ["msgspec;", "tomllib;"]
