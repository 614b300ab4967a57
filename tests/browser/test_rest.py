"""A view that nobody moves is sharp, and costs nothing."""

from __future__ import annotations

import psutil

from tests.browser.conftest import SIX_LINES, Open
from tests.browser.test_busy import report

IDLE_S = 5.0
# Both processes together; a loop that spins takes fifty times as much.
CPU_S = 0.1
COUNT_RENDERS = """
renders = []
_ = GetActiveView().SMProxy.AddObserver("EndEvent", lambda *_: renders.append(1))"""


def processor_time(pids: list[int]) -> list[float]:
    return [sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids]


def test_a_view_at_rest_paints_nothing_renders_nothing_and_takes_no_processor_time(notebook: Open) -> None:
    opened = notebook(SIX_LINES, COUNT_RENDERS)
    opened.run(0)
    opened.run(1)
    view = opened.view().live()
    view.rests()
    view.after(view.drag)
    assert int(opened.ask("print(len(renders))")) > 0
    pids = opened.processes()
    # What was asked is answered, and the kernel has forgotten it.
    view.rests()
    opened.page.wait_for_timeout(1000)
    # These are the right ones: they have been at work.
    assert min(processor_time(pids)) > 0.05

    renders, sent = opened.ask("print(len(renders))"), opened.stats()["frames"]
    painted, before = len(view.paints()), processor_time(pids)
    opened.page.wait_for_timeout(IDLE_S * 1000)
    spent = [after - time for after, time in zip(processor_time(pids), before, strict=True)]
    report("idle", {"seconds": IDLE_S, "engine": spent[0], "streamer": spent[1]})

    assert len(view.paints()) == painted
    assert opened.stats()["frames"] == sent
    assert opened.ask("print(len(renders))") == renders
    assert sum(spent) < CPU_S
