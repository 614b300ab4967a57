"""A ParaView whose data is on a server of its own: what is put must get there.

ParaView 5.11 has no way to send a data object to a server. What it sends is texts, such as the script of a programmable
source, which each process of the server runs: so the script brings the data, or says where it is. On the same machine
that is a file in memory of this process, which all processes of the server map. Elsewhere it is the text itself.
"""

from __future__ import annotations

import base64
import inspect
import json
import os
import secrets
import zlib
from typing import Any

from paraview import servermanager, simple
from vtkmodules.vtkCommonDataModel import vtkDataObject

from pvlink.engine import cargo, hold, polyhedra, refusal
from pvlink.engine.refusal import Refusal
from pvlink.engine.unpacked import Unpacked

# What a programmable source can be made to give.
TYPES = {
    "image": "vtkImageData",
    "rectilinear": "vtkRectilinearGrid",
    "structured": "vtkStructuredGrid",
    "polydata": "vtkPolyData",
    "unstructured": "vtkUnstructuredGrid",
    "table": "vtkTable",
    "multiblock": "vtkMultiblockDataSet",
}
# Bytes in a script, which each process of the server has several times over.
MOST_IN_TEXT = 256 << 20
# Where a process finds the open files of another.
PROC = "/proc"
# What the server needs of ours; it may be on a machine where nothing of ours is.
_MODULES = (refusal, hold, polyhedra, cargo)
_SCRIPT = """\
import base64, json, os, sys, types, zlib
def bring(name, text):
    module = sys.modules[name] = types.ModuleType(name)
    package, _, short = name.rpartition(".")
    for above in ("pvlink", "pvlink.engine"):
        sys.modules.setdefault(above, types.ModuleType(above)).__path__ = []
    exec(compile(text, name, "exec"), module.__dict__)
    setattr(sys.modules[package], short, module)
def give(self):
    for name, text in json.loads({sources!r}):
        bring(name, text)
    from pvlink.engine import cargo, hold
    facts, layout, token = json.loads({facts!r})
    text = {text!r}
    if text:
        fd = os.memfd_create("pvlink-far")
        with os.fdopen(os.dup(fd), "wb") as file:
            file.write(zlib.decompress(base64.b85decode(text)))
    else:
        try:
            fd = os.open({path!r}, os.O_RDONLY)
        except OSError:
            # On another machine: nothing is given, and the text follows.
            return
        if os.pread(fd, len(token), os.fstat(fd).st_size - len(token)) != token.encode():
            os.close(fd)
            return
    arrays = hold.read(fd, layout)
    about = self.GetExecutive().GetOutputInformation(0)
    output = self.GetOutputDataObject(0)
    if "dimensions" in facts:
        # Each process takes its own part of a grid.
        extent = [0] * 6
        about.Get(self.GetExecutive().UPDATE_EXTENT(), extent)
        output.ShallowCopy(cargo.build(*cargo.part(facts, arrays, extent)))
        output.SetExtent(extent)
        if "origin" in facts:
            output.SetOrigin(facts["origin"])
    elif about.Get(self.GetExecutive().UPDATE_PIECE_NUMBER()) in (0, None):
        output.ShallowCopy(cargo.build(facts, arrays))
give(self)
"""
_INFORMATION = """\
keys = self.GetExecutive()
about = keys.GetOutputInformation(0)
about.Set(keys.WHOLE_EXTENT(), {extent!r}, 6)
"""


class _Files:
    """Files in memory that scripts on servers read, by the names of their sources."""

    def __init__(self) -> None:
        self._open: dict[str, int] = {}

    def keep(self, name: str, fd: int) -> None:
        """Keep a file for a source, and those of others that are there."""
        names = {key[0] for key in simple.GetSources()} - {name}
        for gone in self._open.keys() - names:
            os.close(self._open.pop(gone))
        self._open[name] = fd


_FILES = _Files()


def is_far() -> bool:
    """Whether the active connection leads to a server."""
    return servermanager.ActiveConnection is not None and bool(servermanager.ActiveConnection.IsRemote())


def put(proxy: Any, name: str, data: Any) -> Any:
    """The source on the server that holds a copy of `data`."""
    found = Unpacked(data)
    kind = found.facts["kind"]
    if kind not in TYPES:
        raise Refusal(
            f"a {data.GetClassName()} cannot be put on a ParaView server: only {', '.join(TYPES.values())} can."
        )
    made = simple.ProgrammableSource(registrationName=name) if proxy is None else proxy
    made.OutputDataSetType = TYPES[kind]
    dimensions = found.facts.get("dimensions")
    extent = [end for side in dimensions or (1, 1, 1) for end in (0, side - 1)]
    made.ScriptRequestInformation = _INFORMATION.format(extent=extent) if dimensions else ""
    try:
        _fill(made, name, found, data)
    except Refusal:
        if proxy is None:
            simple.Delete(made)
        raise
    return made


def _fill(proxy: Any, name: str, found: Unpacked, data: Any) -> None:
    fd = os.memfd_create("pvlink-far")
    layout = hold.write(fd, found.arrays)
    # So that another machine's file of that name is not taken for this one.
    token = secrets.token_hex(16)
    size = os.fstat(fd).st_size
    os.pwrite(fd, token.encode(), size)
    _FILES.keep(name, fd)
    about = json.dumps([found.facts, layout, token])
    path = f"{PROC}/{os.getpid()}/fd/{fd}"
    proxy.Script = _script(about, path, "")
    if _has_come(proxy, data):
        return
    if size > MOST_IN_TEXT:
        raise Refusal(
            f"the server is on another machine, and ParaView has no way to send {size / 1e6:.0f} MB there: write a "
            "file that the server can read, and open that"
        )
    proxy.Script = _script(about, path, base64.b85encode(zlib.compress(os.pread(fd, size, 0), 1)).decode())
    if not _has_come(proxy, data):
        raise Refusal("the data did not come to the server; ParaView's messages say why")


def _script(about: str, path: str, text: str) -> str:
    sources = json.dumps([[module.__name__, inspect.getsource(module)] for module in _MODULES])
    return _SCRIPT.format(sources=sources, facts=about, path=path, text=text)


def _has_come(proxy: Any, data: Any) -> bool:
    proxy.SMProxy.UpdatePipeline()
    about = proxy.GetDataInformation()
    if isinstance(data, vtkDataObject) and hasattr(data, "GetNumberOfRows"):
        return bool(about.GetNumberOfRows() == data.GetNumberOfRows())
    return bool(about.GetNumberOfPoints() >= data.GetNumberOfPoints())
