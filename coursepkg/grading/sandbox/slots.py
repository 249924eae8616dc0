"""Numbers for sandboxes that stand at the same time on one machine, whoever started them.

As root, each sandbox runs its answers as a user of its own, since limits on processes count by user. The number behind
that user is claimed by binding a name that the kernel gives back when the claiming process ends, however it ends.
"""

from __future__ import annotations

import errno
import socket

from coursepkg.grading.sandbox.launch import MOST_SLOTS, Unavailable


class Slot:
    """The first free number, claimed until ``release``."""

    def __init__(self) -> None:
        self._claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        for number in range(MOST_SLOTS):
            try:
                self._claim.bind(f"\0coursepkg-sandbox-{number}")
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            self.number = number
            return
        self._claim.close()
        raise Unavailable(f"{MOST_SLOTS} sandboxes stand on this machine already")

    def release(self) -> None:
        """Give the number back."""
        self._claim.close()
