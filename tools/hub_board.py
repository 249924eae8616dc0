"""The board as a service of the hub: for who runs the room, behind the hub's own sign-in.

Two doors stand before it. The hub gives no participant the right to this service, and the page asks once more whether
who has signed in is an admin. The board itself is ``coursepkg.grading.room_command.board``; it reads records as files
of strangers, and shows neither answers nor code.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated
from tornado import web

from coursepkg.grading.learning.room import MINUTES, RoomError
from coursepkg.grading.room_command import POLICY, board, looks_again
from tools import hub


class Board(HubOAuthenticated, web.RequestHandler):
    """One page, made anew for each look at it."""

    def initialize(self, people: Path) -> None:
        """Keep where the participants' folders are."""
        self.people = people

    def set_default_headers(self) -> None:
        """Nothing on the page runs, is kept, or is framed."""
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Content-Type-Options", "nosniff")

    @web.authenticated
    def get(self) -> None:
        """The board, for an admin."""
        user = self.current_user
        if not (isinstance(user, dict) and user.get("kind") == "user" and user.get("admin") is True):
            raise web.HTTPError(403)
        query = {name: self.get_query_argument(name, "") for name in ("chapter", "names", "still")}
        try:
            page = board(self.people, query, datetime.now(UTC), MINUTES)
        except (RoomError, OSError, KeyError, TypeError, ValueError):
            logging.exception("the room cannot be shown")
            raise web.HTTPError(500) from None
        for name, value in looks_again(query).items():
            self.set_header(name, value)
        self.finish(page)


async def main() -> None:
    """Serve until the hub ends it."""
    room = json.loads(Path(os.environ[hub.MARK]).read_text(encoding="utf-8"))
    prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
    made = web.Application(
        [
            (prefix, Board, {"people": Path(room["folder"]) / "people"}),
            (f"{prefix}oauth_callback", HubOAuthCallbackHandler),
        ],
        cookie_secret=os.urandom(32),
    )
    address = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    made.listen(address.port, "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):  # by which the hub ends it
        asyncio.run(main())
