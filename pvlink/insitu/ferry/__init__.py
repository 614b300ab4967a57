"""PROCESS: stands between a simulation and whoever watches it. It may hang or die; the simulation may not."""
