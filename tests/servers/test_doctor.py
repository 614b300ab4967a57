"""What the doctor says of ParaView servers on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from pvlink.checkup.pvservers import findings
from tests.servers.local import needs_pvserver

pytestmark = needs_pvserver


def test_servers_of_several_processes_can_be_started_here() -> None:
    (finding,) = findings()
    assert (finding.name, finding.level) == ("pvserver", "ok")
    assert finding.facts["parallel"] is True


def test_a_paraview_without_a_server_is_a_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "pvpython"
    program.write_text("#!/bin/sh\necho 'paraview version 5.11.0'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PVLINK_PVPYTHON", str(program))
    (finding,) = findings()
    assert (finding.level, finding.facts["reason"]) == ("note", "no-pvserver")
    assert "No ParaView server can be started" in finding.sentence
