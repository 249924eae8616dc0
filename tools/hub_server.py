"""What a participant's server does first: lay out the course, or bring it up to date, and become JupyterLab.

It runs as the participant, within their limits, so that nothing in their folder can lead anything with more rights
astray. ``coursepkg start`` never writes over what was changed. If the course cannot be laid out, for instance because
the disk is full, the server starts all the same: their own files are what they need then.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Lay out the course in the folder that the hub names, and become the server."""
    folder = Path(os.environ["COURSEPKG_FOLDER"])
    try:
        from coursepkg.start import lay_out

        folder.mkdir(exist_ok=True)  # JupyterLab does not start without it
        lay_out(folder)
    except Exception as error:  # noqa: BLE001 - whatever it is, the participant gets a server
        print(f"The course was not laid out in {folder}: {error}", file=sys.stderr, flush=True)
    server = str(Path(sys.executable).with_name("jupyterhub-singleuser"))
    os.execv(server, [server, *sys.argv[1:]])


if __name__ == "__main__":
    main()
