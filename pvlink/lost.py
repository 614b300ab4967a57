"""What is said of a session's processes that have ended: how, with which last words, and what to do."""

from __future__ import annotations

from pvlink.companions import Engine, Streamer
from pvlink.errors import EngineLost, StreamerLost

RESTART = "pvlink.session().restart()"
STOPPED = "This session was stopped. Run pvlink.start() and the cells that made the pipeline again."


def ended(what: str, engine: Engine) -> str:
    """For those who watch."""
    return f"{what}'s process has ended with {engine.process.ended()}. {RESTART} brings it back."


def engine_lost(what: str, engine: Engine, *, saved: bool) -> EngineLost:
    hint = (
        f"{RESTART} brings the pipeline back as it was after the last cell, pvlink.start() begins with nothing."
        if saved
        else "Nothing of a pipeline had been saved. Run pvlink.start() and the cells that make it again."
    )
    return EngineLost(f"{what}'s process has ended with {engine.process.ended()}. {hint}{_words(engine.last_words())}")


def streamer_lost(streamer: Streamer, *, started: bool) -> StreamerLost:
    message = (
        f"The process that sends the pictures does not answer; it ended with {streamer.process.ended()}. "
        f"{RESTART} brings it back; the pipeline is untouched."
        if started
        else "The process that sends the pictures did not start."
    )
    return StreamerLost(message + _words(streamer.log.tail(800)))


def not_back(engine: Engine, error: EngineLost) -> EngineLost:
    """A new engine that ended, too."""
    said = engine.last_words()
    return EngineLost(
        f"ParaView ended again ({engine.process.ended()}) while the pipeline was brought back. Another "
        f"{RESTART} tries again; pvlink.session().save_state('pipeline.pvsm') keeps its state in a file; "
        f"pvlink.stop() and pvlink.start() begin with nothing.{_words(said) or chr(10) + str(error)}"
    )


def _words(said: str) -> str:
    return f"\nIts last words:\n{said}" if said else ""
