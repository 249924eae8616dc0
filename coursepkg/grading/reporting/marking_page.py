"""Marking by hand in a local page: served to this machine alone, with a key in its address, and no account.

Whatever a web page elsewhere in the browser tries is refused: the name of the host is checked (so no other name can be
made to mean this machine), each request carries the key, and changes come as JSON from this very page. Text of learners
is sent as data and is only ever shown as text.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from coursepkg.grading.reporting.journal import Conflict, Journal, journal_beside
from coursepkg.grading.reporting.mark import checked_points, merge_journal
from coursepkg.grading.reporting.marking_queue import Answer, as_data
from coursepkg.grading.reporting.own_machine import OwnMachineHandler, OwnMachineServer, Refused
from coursepkg.grading.reporting.page import render

MOST_SENT = 64_000  # bytes of one change
MOST_COMMENT = 10_000


class Marking:
    """What the page does: shows answers, notes marks, takes them back, and merges them into the results.

    Parameters
    ----------
    results : Path
        What ``grade batch`` wrote.
    answers : sequence of Answer
        What is to be marked.
    """

    def __init__(self, results: Path, answers: Sequence[Answer]):
        self.results = results
        self.answers = {answer.id: answer for answer in answers}
        self.journal = Journal(journal_beside(results))
        self._merging = Lock()

    def listed(self) -> list[dict[str, Any]]:
        """All answers with their marks, as the page gets them."""
        marks = self.journal.marks()
        return [as_data(answer, marks) for answer in self.answers.values()]

    def mark(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Note a mark: ``{"id", "points", "comment", "seen"}``."""
        answer = self._answer(sent)
        points, comment, seen = sent.get("points"), sent.get("comment"), sent.get("seen")
        if points is not None and (isinstance(points, bool) or not isinstance(points, int | float)):
            raise Refused(400, "points are a number")
        if not isinstance(comment, str) or len(comment) > MOST_COMMENT:
            raise Refused(400, f"a comment is text of at most {MOST_COMMENT} characters")
        if not isinstance(seen, int) or (points is None and not comment.strip()):
            raise Refused(400, "give points, or a comment")
        try:
            given = None if points is None else checked_points(float(points), answer.max)
            members = [(key, notebook) for key, notebook, _ in answer.members]
            number = self.journal.mark(members, given, comment.strip(), seen)
        except Conflict as error:
            raise Refused(409, str(error)) from None
        except (ValueError, OverflowError) as error:
            raise Refused(400, str(error)) from None
        return {"entry": number, "answer": as_data(answer, self.journal.marks())}

    def undo(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Take an entry back: ``{"entry"}``."""
        number = sent.get("entry")
        try:
            self.journal.undo(number if isinstance(number, int) else 0)
        except ValueError as error:
            raise Refused(400, str(error)) from None
        return {"answers": self.listed()}

    def merge(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Write all marks into the results."""
        with self._merging:
            changed, left = merge_journal(self.results)
        names = {key: name for answer in self.answers.values() for key, _, name in answer.members}
        return {
            "changed": changed,
            "left": self.journal.damaged()
            + [f"{key.exercise} of {names.get(key, 'another learner')}: {why}" for key, why in left],
        }

    def _answer(self, sent: dict[str, Any]) -> Answer:
        answer = self.answers.get(str(sent.get("id")))
        if answer is None:
            raise Refused(404, "there is no such answer; load the page again")
        return answer


class MarkingServer(OwnMachineServer):
    """Serves a ``Marking`` on this machine; ``address`` is where.

    Parameters
    ----------
    marking : Marking
        What is served.
    port : int
        0 for any that is free.
    """

    def __init__(self, marking: Marking, port: int = 0):
        super().__init__(_Handler, port)
        self.marking = marking


class _Handler(OwnMachineHandler):
    server: MarkingServer

    def do_GET(self) -> None:
        self._answer_with(self._get)

    def do_POST(self) -> None:
        self._answer_with(self._post)

    def _answer_with(self, answered: Callable[[str], None]) -> None:
        try:
            answered(self.checked_path())
        except Refused as error:
            self.close_connection = True
            self.send(error.status, "application/json", json.dumps({"error": str(error)}))
        except OSError as error:
            self.send(500, "application/json", json.dumps({"error": f"nothing was saved: {error.strerror}"}))

    def _get(self, name: str) -> None:
        if name == "answers":
            self.send(200, "application/json", json.dumps({"answers": self.server.marking.listed()}))
            return
        if name:
            raise Refused(404, "there is nothing of that name")
        nonce = secrets.token_urlsafe(16)
        policy = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        self.send(200, "text/html", render("marking.html", nonce=nonce), policy)

    def _post(self, name: str) -> None:
        marking = self.server.marking
        done = {"marks": marking.mark, "undo": marking.undo, "merge": marking.merge}.get(name)
        if done is None:
            raise Refused(404, "there is nothing of that name")
        if self.headers.get("Origin") != f"http://{self.headers['Host']}":
            raise Refused(403, "changes come from the page itself")
        if self.headers.get_content_type() != "application/json":
            raise Refused(415, "changes come as JSON")
        self.send(200, "application/json", json.dumps(done(self._sent())))

    def _sent(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal() and len(length) < 10) or int(length) > MOST_SENT:
            raise Refused(413, f"a change has at most {MOST_SENT} bytes")
        try:
            data = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            raise Refused(400, "this is no JSON") from None
        if not isinstance(data, dict):
            raise Refused(400, "a change is a JSON object")
        return data
