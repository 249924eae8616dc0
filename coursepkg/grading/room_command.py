"""The command ``grade room``: a room while it works, as lines for the instructor or as a board for the wall.

The lines say why a wrong idea seems right, and so what to answer. The board hangs where everybody sees it: it shows no
answer and no code, and nobody's name unless names are asked for.

Exit codes: 0 all is said, 2 a folder that is no room.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from coursepkg.grading.reporting.own_machine import OwnMachineHandler, OwnMachineServer, Refused

TOLD = 10  # lines of the command; the board has twice as many
MOST_MINUTES = 100_000  # two months; --ever has no end
SECONDS = 15  # between two looks of the board
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def register(actions: Any) -> None:
    """Add the command to the actions of ``grade``."""
    room = actions.add_parser("room", help="a room while it works: where many are stuck now, and what to say next")
    room.add_argument("folder", type=Path, help="holds a folder for each person, or their records as NAME.json")
    room.add_argument("--minutes", type=_minutes, default=None, help="how long ago still is now (default: 30)")
    room.add_argument("--ever", action="store_true", help="count everybody who is stuck, whenever that was")
    room.add_argument("--board", action="store_true", help="show it as a page on this machine that refreshes itself")
    room.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the lines, or serve the board until Ctrl-C."""
    from coursepkg.grading.learning import room

    minutes = None if options.ever else options.minutes or room.MINUTES
    try:
        lines = told(options.folder, minutes, datetime.now(UTC))
    except (room.RoomError, OSError, KeyError, TypeError, ValueError) as error:
        print(f"Nothing can be said: {error}", file=sys.stderr)
        return 2
    if not options.board:
        print("\n".join(lines))
        return 0
    with BoardServer(options.folder, minutes) as server:
        print("Open this address; it works on this machine alone, and Ctrl-C ends it:")
        print(f"  {server.address}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0


def _minutes(words: str) -> float:
    try:
        minutes = float(words)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes <= MOST_MINUTES:  # which is false of nan, too
        raise argparse.ArgumentTypeError(f"minutes are above 0 and at most {MOST_MINUTES}; {words!r} is not")
    return minutes


def told(folder: Path, minutes: float | None, now: datetime) -> list[str]:
    """The room in lines: who is there, and what to say next with the reason behind it."""
    from coursepkg.grading.learning import room

    people, tasks = room.people_of(folder), room.tasks_of(_checks())
    stuck = room.stuck_in(people, tasks, now, minutes)
    lines = [f"{name}: {value}" for name, value in facts(people, minutes, now)]
    lines += [f"{_plain(person.name)}: {person.problem}" for person in people if person.problem]
    for each in stuck[:TOLD]:
        lines += ["", f"{each.count} of {each.of} at {each.task.id} ({each.task.title}): {each.words}"]
        lines += [f"    {each.idea.why}", f"    Look again: {each.idea.look_at}"] if each.idea else []
    if not any(person.record is not None for person in people):
        places = ", ".join(f"NAME/{place}" for place in room.PLACES)
        return [*lines, "", f"There is no record here that can be read. One is looked for as {places}, or NAME.json."]
    return [*lines, *([] if stuck else ["", "Nobody is stuck, as far as checks can tell."])]


def facts(people: Any, minutes: float | None, now: datetime) -> list[tuple[str, str]]:
    """The numbers of the room, as a reader sees them."""
    from coursepkg.grading.learning import room

    found = [("People", str(len(people))), ("With a record", str(sum(each.record is not None for each in people)))]
    if minutes is not None:
        found.append((f"Checked something in {minutes:g} min", str(room.active_in(people, now, minutes))))
    return found


def board(folder: Path, query: Mapping[str, str], now: datetime, minutes: float | None = None) -> str:
    """The board as a page.

    Parameters
    ----------
    folder : Path
        The room.
    query : mapping of str to str
        ``chapter`` ("02"; the one that most work in, if it is missing), ``names`` ("yes" to show them), and ``still``
        ("yes" for a page that does not look again).
    now : datetime.datetime
        The time, with its zone.
    minutes : float or None
        How long ago still is now; None for ever.

    Raises
    ------
    RoomError
        If the folder is no room.
    """
    from coursepkg.grading.learning import room
    from coursepkg.grading.learning.inventory_class import HIDDEN_AMONG
    from coursepkg.grading.reporting.page import render

    people, tasks = room.people_of(folder), room.tasks_of(_checks())
    asked = query.get("chapter", "")
    chapter = asked if asked in tasks else room.chapter_of(people, tasks)
    names, still = query.get("names") == "yes", query.get("still") == "yes"
    few = HIDDEN_AMONG if sum(person.record is not None for person in people) < HIDDEN_AMONG else 0
    return render(
        "room.html",
        seconds=SECONDS,
        still=still,
        time=now.astimezone().strftime("%H:%M"),
        facts=facts(people, minutes, now),
        damaged=[person for person in people if person.problem],
        stuck=room.stuck_in(people, tasks, now, minutes)[: 2 * TOLD],
        standings=room.standings(people, tasks.get(chapter, [])),
        people=[person.name for person in people if not person.problem],
        chapter=chapter,
        chapters=[(name, _link(name, names, still)) for name in tasks],
        names=names,
        few=few,
        switched=_link(asked if asked in tasks else "", not names, still),
        stopped=_link(asked if asked in tasks else "", names, not still),
    )


def looks_again(query: Mapping[str, str]) -> dict[str, str]:
    """The header that lets a browser load the board again, which somebody who reads slowly can switch off."""
    return {} if query.get("still") == "yes" else {"Refresh": str(SECONDS)}


def _link(chapter: str, names: bool, still: bool) -> str:
    asked = {"chapter": chapter, "names": "yes" if names else "", "still": "yes" if still else ""}
    return f"?{urlencode({name: value for name, value in asked.items() if value})}"


def _checks() -> Path:
    from coursepkg.grading.learning.notebook import checks_folder
    from coursepkg.grading.learning.room import RoomError

    found = checks_folder()
    if found is None:
        raise RoomError("there are no exercises here: run this in the course's folder")
    return found


def _plain(words: str) -> str:
    from coursepkg.grading.reporting.gradebook import plain

    return str(plain(words))


# --- served to this machine ------------------------------------------------------------------------------------------


class BoardServer(OwnMachineServer):
    """Serves the board of a folder to this machine alone; ``address`` is where, with a key in it."""

    def __init__(self, folder: Path, minutes: float | None, port: int = 0):
        super().__init__(_Handler, port)
        self.folder, self.minutes = folder, minutes


class _Handler(OwnMachineHandler):
    server: BoardServer

    def do_GET(self) -> None:
        from coursepkg.grading.learning.room import RoomError

        try:
            name, _, query = self.checked_path().partition("?")
            if name:
                raise Refused(404, "there is nothing of that name")
            asked = {name: values[0] for name, values in parse_qs(query, max_num_fields=5).items()}
            page = board(self.server.folder, asked, datetime.now(UTC), self.server.minutes)
        except Refused as error:
            self.send(error.status, "text/plain", str(error))
        except (RoomError, OSError, KeyError, TypeError, ValueError) as error:
            self.send(500, "text/plain", f"The room cannot be shown: {error}")
        else:
            self.send(200, "text/html", page, POLICY, looks_again(asked))
