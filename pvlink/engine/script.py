"""A Catalyst script from the pipeline as it stands: what is seen here is computed in the simulation's next run."""

from __future__ import annotations

from typing import Any

from paraview import simple, smstate

FIRST = "# script-version: 2.0"
LAST = """
# ----------------------------------------------------------------
# pvlink: seen from a notebook, by session.monitor({live!r})
# ----------------------------------------------------------------

from paraview import catalyst
from pvlink.insitu import Bridge

options = catalyst.Options()
options.GlobalTrigger = 'TimeStep'
options.ExtractsOutputDirectory = {folder!r}

bridge = Bridge({live!r}{parameters})


def catalyst_execute(info):
    # What the extractors write is written after this.
    bridge.update(info.timestep, info.time, {{}})


def catalyst_finalize():
    bridge.close()
"""


def script(live: str, folder: str, parameters: dict[str, Any]) -> str:
    """Sources, filters, views and extractors as ParaView itself writes them, and the bridge."""
    extractors = simple.GetExtractors()
    found = list(simple.GetSources().values()) + list(simple.GetViews())
    found += list(extractors.values() if isinstance(extractors, dict) else extractors)
    pipeline = smstate.get_state(source_set=found, preamble=[FIRST])
    declared = f", parameters={parameters!r}" if parameters else ""
    return f"{pipeline.rstrip()}\n{LAST.format(live=live, folder=folder, parameters=declared)}"
