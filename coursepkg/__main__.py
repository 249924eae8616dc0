"""``coursepkg``, or ``python -m coursepkg``: the command line. The first word names the room that does the work."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; 3 if it was stopped from outside, be it while it still loads."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 3


def _run(arguments: Sequence[str] | None) -> int:
    from coursepkg import start
    from coursepkg.grading import cli

    arguments = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="python -m coursepkg", description="The course's companion package.")
    rooms = parser.add_subparsers(dest="room", required=True)
    rooms.add_parser("data", help="list, check and fetch data sets", add_help=False)
    rooms.add_parser("grade", help=cli.WORDS, add_help=False)
    rooms.add_parser("progress", help="how far you are in the course, chapter by chapter")
    for name, words in start.WORDS.items():
        rooms.add_parser(name, help=words, add_help=False)
    room = parser.parse_args(arguments[:1]).room
    if room in start.WORDS:
        return start.main(arguments)
    if room == "grade":
        return cli.main(arguments)
    if room == "progress":
        parser.parse_args(arguments)
        return cli.show_progress()
    from coursepkg.datasets import main as data  # only when asked for: the judge does without

    return data(arguments[1:])


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def command() -> int:
    """What the console script ``coursepkg`` runs; to be stopped by SIGTERM, too."""
    signal.signal(signal.SIGTERM, _stop)
    return main()


if __name__ == "__main__":
    sys.exit(command())
