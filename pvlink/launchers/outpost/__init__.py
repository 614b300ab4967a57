"""PROCESS: holds a session's engine and streamer on a node, for a kernel elsewhere (`python -m`, by a job's annex).

    kernel ==desk, news, engine, control==> job's door --> steward --> outpost --> engine, streamer
    viewer =============================> job's door --> steward --> outpost --> streamer

Connections are handed over, not passed on: once a visitor has said what he wants, his socket is the engine's or the
streamer's own, and nobody stands between.
"""
