"""What it costs that paraview.simple is in another process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, lower, ratio
from tests.integration.interpreter import Display, Interpreter, Kernel, plain

TRACE = Path(__file__).parents[1] / "tests" / "integration" / "scripts" / "trace_300.py"
PREPARE = "wavelet = Wavelet(); cone = Cone(); view = GetActiveViewOrCreate('RenderView')"
CALLS = {
    "attribute read (a number)": "wavelet.Maximum",
    "attribute read (a vector)": "wavelet.Center",
    "attribute set (a number)": "wavelet.Maximum = 200.0",
    "call of a function of paraview.simple": "GetActiveSource()",
    "call of a method": "cone.GetXMLName()",
    "call with a proxy as argument": "SetActiveSource(cone)",
}
REPEAT = """\
import time
began = time.perf_counter()
for _ in range({times}):
    {code}
answer = (time.perf_counter() - began) / {times} * 1e6
"""
RUN = """\
import time
source = compile(open({path!r}).read(), {path!r}, "exec")
began = time.perf_counter()
exec(source, {{"__name__": "script", "__file__": {path!r}}})
answer = time.perf_counter() - began
"""


def figures(runs: int, times: int) -> Iterator[Figure]:
    with Display() as display, plain(display) as bare, Kernel.started() as kernel:
        for where in (bare, kernel):
            where.run(PREPARE)
        for name, code in CALLS.items():
            pairs = [
                [where.run(REPEAT.format(code=code, times=times)) for where in (kernel, bare)] for _ in range(runs)
            ]
            yield lower(f"{name} (floor: plain pvpython)", "us", [p[0] for p in pairs], [p[1] for p in pairs])
    pairs = [[_script(kernel=True), _script(kernel=False)] for _ in range(runs)]
    ours, theirs = ([pair[i] for pair in pairs] for i in (0, 1))
    yield lower("a trace of 300 lines (floor: plain pvpython)", "s", ours, theirs)
    yield ratio("a trace of 300 lines, to plain pvpython", ours, theirs, "lower")


def _script(*, kernel: bool) -> float:
    """Each in a process of its own: a second run would find ParaView warm."""
    if kernel:
        with Kernel.started() as ours:
            return _timed(ours)
    with Display() as display, plain(display) as bare:
        return _timed(bare)


def _timed(where: Interpreter) -> float:
    seconds: float = where.run(RUN.format(path=str(TRACE)))
    return seconds
