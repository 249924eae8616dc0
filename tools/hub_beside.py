"""Run a service that ends when the hub ends, however it ends: ``python -m tools.hub_beside COMMAND ...``.

A hub that is killed cannot stop its services. Those of the old one would keep their ports, with keys that the new one
does not know. So the system is asked, before the service starts, to stop it when its parent is gone.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Ask, and become the service."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # by which the hub stops it; what runs in the background may ignore it
    if sys.platform == "linux":
        above = os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != above or above == 1:  # the hub was gone before it could be asked
            sys.exit(1)
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
