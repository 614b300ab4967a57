"""ParaView servers, as the kernel has them: addresses, how to reach or start one, what is known of it.

Its bytes never come here: they go from the engine through the streamer's relay (`pvlink/streamer/pvserver/`).
"""
