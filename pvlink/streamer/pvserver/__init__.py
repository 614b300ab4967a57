"""ParaView servers, as the streamer has them: every byte between the engine and a pvserver goes through here.

That way a server that hangs can be cut off, one that dies is noticed at once, and what is said is measured. The kernel
asks (`desk.py`); the engine's ParaView connects to a port of ours and takes it for its server.
"""
