"""What it costs that data crosses between two processes: put and fetch against a copy within one."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figure, lower, ratio
from tests.integration.interpreter import Kernel

SIZES = {"1 MB": 1 << 20, "100 MB": 100 << 20, "1 GB": 1 << 30}
PREPARE = """\
import gc, time
import numpy as np
a = np.random.default_rng(0).random({size} // 8).reshape(-1, 64, 64)
target = np.zeros_like(a)
def timed(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
def shared():
    with open("/proc/meminfo") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("Shmem:")) * 1024
pvlink.put(a, name="bench")
"""
ROUND = """\
copied = timed(lambda: np.copyto(target, a))
put = timed(lambda: pvlink.put(a, name="bench"))
fetched = timed(lambda: pvlink.fetch("bench", "bench"))
answer = [copied, put, fetched]
"""
# Beyond what the user's own array takes; a file in memory that nobody has mapped is only in the machine's sum.
COPIES = """\
Delete(FindSource("bench")); pvlink.session().desk.cell_ended(); GetSources(); gc.collect()
before = shared()
pvlink.put(a, name="bench")
with_put = shared()
b = pvlink.fetch("bench", "bench")
assert (b == a).all()
with_fetch = shared()
answer = [(with_put - before) / a.nbytes, (with_fetch - with_put) / a.nbytes]
del b
"""


def figures(runs: int) -> Iterator[Figure]:
    with Kernel.started() as kernel:
        for name, size in SIZES.items():
            kernel.run(PREPARE.format(size=size))
            rounds = [kernel.run(ROUND) for _ in range(runs)]
            copied, put, fetched = ([one[number] * 1e3 for one in rounds] for number in range(3))
            yield lower(f"put of {name} (floor: a copy in numpy)", "ms", put, copied)
            yield ratio(f"put of {name}, to a copy in numpy", put, copied, "lower")
            yield lower(f"fetch of {name} (floor: a copy in numpy)", "ms", fetched, copied)
            yield ratio(f"fetch of {name}, to a copy in numpy", fetched, copied, "lower")
        copies = kernel.run(COPIES)
        yield lower("memory of a put of 1 GB, beside the user's array", "copies", [copies[0]], [1.0])
        yield lower("memory of a fetch of 1 GB, beside ParaView's", "copies", [copies[1]], [1.0])
