"""Become another program, one that the kernel kills once the parent is gone: `tether.py PROGRAM …`.

The parent has gRPC's threads, and a process forked off them is not safe to run any Python before it
executes something else: now and then it ended there.
"""

import ctypes
import os
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1  # prctl(2), PR_SET_PDEATHSIG

if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    os.execv(sys.argv[1], sys.argv[1:])
