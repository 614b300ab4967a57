"""The process that holds ParaView.

An island: it runs as `pvpython <this folder>` on ParaView's own Python (3.9 or newer) and imports nothing
from pvlink's other folders. Only `rpc` is shared with the kernel, whose end of the wire it is too.
"""
