"""ParaView servers of this machine: whether `session.serve()` can start one, how large, and how safely."""

from __future__ import annotations

from collections.abc import Iterator

from pvlink import pvpython
from pvlink.checkup.findings import Facts, Finding
from pvlink.errors import PvlinkError, ServerError
from pvlink.servers.serving import Plan, choose


def findings() -> Iterator[Finding]:
    """Nothing where there is no ParaView: that is told elsewhere."""
    try:
        found = pvpython.find()
    except PvlinkError:
        return
    if found.kind != "paraview":
        return
    try:
        one = choose(found.path)
    except ServerError as error:
        yield Finding(
            "pvserver",
            "note",
            f"No ParaView server can be started on this machine: {error}",
            "Nothing, if you need none. `session.connect(...)` reaches those of others all the same.",
            {"reason": error.reason},
        )
        return
    try:
        choose(found.path, ranks=2)
    except ServerError as error:
        yield Finding(
            "pvserver",
            "note",
            f"A ParaView server with one process can be started here ({_how(one)}); with more it cannot: {error}",
            "Nothing, if one process will do.",
            _facts(one, parallel=False),
        )
        return
    yield Finding(
        "pvserver",
        "ok",
        f"`session.serve(ranks=...)` can start ParaView servers here, {_how(one)}",
        facts=_facts(one, parallel=True),
    )


def _how(plan: Plan) -> str:
    return {
        "namespace": "in a network of their own",
        "reverse": "which listen nowhere and come to the session",
        "loopback": "on this machine's own address",
        "open": "open to the network",
    }[plan.level]


def _facts(plan: Plan, *, parallel: bool) -> Facts:
    return {"pvserver": str(plan.pvserver), "version": plan.version, "level": plan.level, "parallel": parallel}
