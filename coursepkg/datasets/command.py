"""The command line of the data sets: ``python -m coursepkg data list``, ``data check``, ``data fetch mnist``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from coursepkg.datasets import bneuralt
from coursepkg.datasets.catalogue import MEASUREMENTS, MODELS, NAMES, TEXTS, TREES, available, load
from coursepkg.datasets.chip import photonic_chip
from coursepkg.datasets.core import DataCorrupt, DataNotFound
from coursepkg.datasets.download import fetch
from coursepkg.datasets.minilm import minilm
from coursepkg.datasets.texts import text


def main(argv: Sequence[str] | None = None) -> int:
    """Run the ``data`` command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments after ``data``; by default those of the process.

    Returns
    -------
    int
        0 if all went well, 1 if data are missing or damaged.
    """
    parser = argparse.ArgumentParser(prog="python -m coursepkg data", description="The data sets of the course.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="show every data set and whether it is on this computer")
    commands.add_parser("check", help="read every data set that is here and report damaged files")
    getter = commands.add_parser("fetch", help="download a larger data set once, into the cache")
    getter.add_argument("name", choices=["mnist", "uci", "photonic-chip", "bneuralt"])
    arguments = parser.parse_args(argv)
    if arguments.command == "fetch":
        return _fetch(arguments.name)
    return _list(read=arguments.command == "check")


def _fetch(name: str) -> int:
    try:
        paths = fetch(name)
    except (DataNotFound, DataCorrupt) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(paths)} files are in {paths[0].parent}")
    return 0


def _list(*, read: bool) -> int:
    damaged = 0
    for name in NAMES + MEASUREMENTS + TREES + TEXTS + MODELS:
        try:
            state = "here" if available(name) else "not on this computer"
            if read and state == "here":
                state = _summary(name)
        except DataNotFound as error:
            print(error, file=sys.stderr)
            return 1
        except DataCorrupt as error:
            damaged += 1
            state = f"DAMAGED: {error}"
        print(f"{name:28} {state}")
    return 1 if damaged else 0


def _summary(name: str) -> str:
    if name in TREES:
        path = bneuralt.find(name.partition("/")[2])
        content = bneuralt.read(path) if path.suffix == ".gz" else {}
        return f"{len(content['runs'])} runs" if "runs" in content else "here"
    if name in TEXTS:
        parts = [text(name.partition("/")[2], part) for part in ("train", "test")]
        return f"{len(parts[0].X)} and {len(parts[1].X)} sentences, {len(parts[0].target_names)} classes"
    if name in MODELS:
        return f"{sum(array.size for array in minilm().weights.values()):,} numbers"
    if name not in MEASUREMENTS:
        return repr(load(name))
    arrays = photonic_chip(name.partition("/")[2])
    return ", ".join(f"{key} {array.shape}" for key, array in arrays.items())
