"""Become another program that the kernel kills once the parent is gone: `tether.py PARENT PROGRAM`.

The parent has gRPC's threads, and a process forked off them is not safe to run any Python before it
executes something else: now and then it ended there. A parent that was killed before the kernel
knew what to do is known by its id: whoever has taken its place isn't it.
"""

import ctypes
import os
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1  # prctl(2), PR_SET_PDEATHSIG

if __name__ == "__main__":
    parent, program = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(f"tether: process {parent} is gone, and so {program} isn't started")
    os.execv(program, sys.argv[2:])
