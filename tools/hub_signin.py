"""Sign-in with first-use passwords: who is not let in leaves no password behind, and guessing is slow.

``FirstUseAuthenticator`` keeps the password of whoever tries, and JupyterHub asks afterwards whether the name may come
in. So somebody could take a name that is put on the list tomorrow, and fill the disk with names that can never come in.
It also hashes on the hub's own thread, which then answers nobody. Here, a name is asked about first, a password
is hashed beside the hub, and somebody who was wrong ten times in a minute has to wait.
"""

from __future__ import annotations

import asyncio
import dbm
import os
import time
from typing import Any

import bcrypt
from firstuseauthenticator import FirstUseAuthenticator
from sqlalchemy.orm import object_session
from traitlets import List, Unicode

LONGEST = 72  # bytes that bcrypt reads of a password; from version 5 on it refuses longer ones
WRONG, WITHIN = 10, 60.0  # so many wrong passwords for one name from one address in so many seconds
WAITING = 300  # people whose password is looked at, or who wait for it
HASHING = asyncio.Semaphore(os.cpu_count() or 1)


class RoomAuthenticator(FirstUseAuthenticator):
    """First-use passwords for the names of a room."""

    former = List(Unicode(), config=True, help="Names that ran this room before, and do not any more.")

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self._wrong: dict[tuple[str, str], list[float]] = {}
        self._waiting = 0
        self._open = False

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        """The name of who signs in, or None; the page then says why."""
        name, password = self.normalize_username(data.get("username", "")), data.get("password", "")
        source = (name, str(handler.request.remote_ip))
        problem = self.refusal(name) or too_long(password) or self.too_often(source)
        if problem is None and self._waiting >= WAITING:
            problem = "Very many people sign in at this moment. Try again in a minute."
        if problem is not None:
            handler.custom_login_error = problem
            return None
        self._waiting += 1
        try:
            return await self._compared(handler, name, password, source)
        finally:
            self._waiting -= 1

    async def _compared(self, handler: Any, name: str, password: str, source: tuple[str, str]) -> str | None:
        kept = self._kept(name)
        if kept is None and not self._validate_password(password):
            handler.custom_login_error = f"A new password has at least {self.min_password_length} characters."
            return None
        async with HASHING:
            if self.too_often(source):  # somebody who sends a hundred at once waits here with all of them
                return None
            found = await asyncio.to_thread(bcrypt.hashpw, password.encode(), kept or bcrypt.gensalt())
            if kept is None:
                with dbm.open(self.dbm_path, "c", 0o600) as passwords:
                    kept = passwords.setdefault(name.encode(), found)  # somebody else may have been quicker
            if found == kept:
                return name
            self._note_wrong(source)
        return None

    def _kept(self, name: str) -> bytes | None:
        with dbm.open(self.dbm_path, "c", 0o600) as passwords:
            return passwords.get(name.encode())

    def refusal(self, name: str) -> str | None:
        """Why a name cannot come in, whatever the password is; None if it can."""
        if not self.validate_username(name):
            return "A name has 1 to 24 small letters, digits or dashes, the first a letter, as in ada-l."
        if not self.allow_all and name not in self.allowed_users:
            return "This room has a list of names, and this one is not on it. Ask who runs the room."
        return None

    def too_often(self, source: tuple[str, str]) -> str | None:
        """Words for somebody who has been wrong too often just now; None for everybody else."""
        recent = [moment for moment in self._wrong.get(source, ()) if time.monotonic() - moment < WITHIN]
        return "Too many wrong passwords for this name. Try again in a minute." if len(recent) >= WRONG else None

    def _note_wrong(self, source: tuple[str, str]) -> None:
        now = time.monotonic()
        recent = {who: [each for each in times if now - each < WITHIN] for who, times in self._wrong.items()}
        self._wrong = {who: times for who, times in recent.items() if times}
        self._wrong.setdefault(source, []).append(now)

    def reset_password(self, username: str, new_password: str) -> str:
        """Change a password; returns the words for the page."""
        return too_long(new_password) or super().reset_password(username, new_password)

    # --- who may stay when the room opens again ---

    def get_handlers(self, app: Any) -> list[Any]:
        """The pages; the hub asks for them when it knows its users, and from then on new ones come from an admin."""
        self._open = True
        return super().get_handlers(app)

    def add_user(self, user: Any) -> None:
        """Let a name in. At its start the hub asks for all that it has known, and forgets those off the list."""
        if not self._open:
            if user.name in self.former:
                user.admin = False
            if not self.allow_all and not user.admin and user.name not in self.allowed_users:
                self.log.warning("%s is not on the list of names any more, and is signed out.", user.name)
                object_session(user).delete(user)
                return
        super().add_user(user)


def too_long(password: str) -> str | None:
    """Words for a password that cannot be kept; None for one that can."""
    if len(password.encode("utf-8", "replace")) > LONGEST:
        return f"A password has at most {LONGEST} bytes: {LONGEST} plain letters, fewer with accents."
    return None
