"""PROCESS: the kernel's connections by ssh, and what passes through them.

    kernel --(questions, descriptors)--> carrier ==ssh==> login node ==> the job's door

A process of its own, for ParaView in the kernel holds the interpreter while it waits for its server: a tunnel beside it
would stand still, and with it the server that is waited for. It ends with its kernel, and every connection with it.
"""
