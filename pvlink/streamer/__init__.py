"""The process between ParaView and the browsers: takes frames, encodes, paces and sends them; merges input."""
