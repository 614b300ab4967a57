"""All of them, pvlink among them."""

from __future__ import annotations

from benchmarks.peers.jupyter_rfb import JUPYTER_RFB
from benchmarks.peers.ours import OURS
from benchmarks.peers.pyvista import PYVISTA
from benchmarks.peers.trame import TRAME
from benchmarks.peers.trame_rca import TRAME_RCA

PEERS = {peer.name: peer for peer in (OURS, TRAME, TRAME_RCA, PYVISTA, JUPYTER_RFB)}
