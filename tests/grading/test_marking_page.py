"""Marking in the page: what it shows, what it saves, and what it refuses."""

import http.client
import json
import re
import threading
from dataclasses import replace

import pytest
from class_results import SCRIPT, result, store

from coursepkg.grading.reporting.journal import Journal, journal_beside
from coursepkg.grading.reporting.marking_page import MOST_SENT, Marking, MarkingServer
from coursepkg.grading.reporting.marking_queue import MOST_CODE, answers_to_mark, pseudonym, visible
from coursepkg.grading.running.class_list import ClassList, Entry, write_class
from coursepkg.grading.running.results import HAND, read_result, result_path, write_result
from coursepkg.grading.specification.assignment import Asked, Assignment

ONE, OTHER = "ab" * 32, "cd" * 32
VISIBLE = "passes the visible inputs only"
WAITING = "found by its name; the cell that it was asked in is gone"


@pytest.fixture
def results(tmp_path):
    found = [
        result("ana", "01.1"),
        result("ana", "01.2", flags=(WAITING,)),
        result("bo", "01.2", flags=(WAITING,), notebook_sha256=OTHER),
        result("@ed", "01.2", "pending", "", "An essay."),
        result(
            "cy", "01.1", "wrong", "adds-rates", "01.1 not yet · It adds.", flags=("passes the visible inputs only",)
        ),
        result("di", "01.9", "not-attempted", flags=("late",)),
    ]
    return store(found, tmp_path / "results")


@pytest.fixture
def server(results):
    with serving(results) as found:
        yield found


class serving:
    """A server in a thread, and a browser's requests to it."""

    def __init__(self, results, **options):
        self.server = MarkingServer(Marking(results, answers_to_mark(results, **options)))

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def ask(self, method, name, body=None, key=None, **headers):
        host = self.server.hosts[0]
        line = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=120)
        sent = {"Host": host}
        if method == "POST":
            sent |= {"Origin": f"http://{host}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes | type(None)) else json.dumps(body)
        line.request(method, f"/{self.server.key if key is None else key}/{name}", data, sent)
        answer = line.getresponse()
        text = answer.read()
        line.close()
        return answer, text

    def answers(self):
        return json.loads(self.ask("GET", "answers")[1])["answers"]

    def mark(self, answer, points, comment=""):
        sent = {"id": answer["id"], "points": points, "comment": comment, "seen": answer["seen"]}
        found, text = self.ask("POST", "marks", sent)
        return found.status, json.loads(text)


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_what_has_no_mark_or_a_flag_is_shown_exercise_by_exercise(results):
    found = answers_to_mark(results)
    assert [(a.exercise, sorted(name for _, _, name in a.members)) for a in found if a.exercise == "01.1"] == [
        ("01.1", ["Cy"])
    ]
    assert sorted(name for a in found for _, _, name in a.members) == ["+Ed -1", "Ana", "Bo", "Cy"]
    assert [a.exercise for a in found] == sorted(a.exercise for a in found)
    assert len(answers_to_mark(results, everything=True)) == 6


def test_the_same_code_comes_once_and_another_does_not(results):
    codes = {(ONE, "01.2"): "def f(x):\n    return x", (OTHER, "01.2"): "def f(x):  \n\n    return x"}
    groups = [sorted(name for _, _, name in a.members) for a in answers_to_mark(results, codes)]
    assert ["Ana", "Bo"] in groups
    codes[OTHER, "01.2"] = "def f(x):\n    return y"
    groups = [sorted(name for _, _, name in a.members) for a in answers_to_mark(results, codes)]
    assert ["Ana"] in groups
    assert ["Bo"] in groups


def test_without_code_nobody_shares_a_mark(results):
    assert all(len(answer.members) == 1 for answer in answers_to_mark(results))


def test_names_can_be_hidden_and_stay_the_same(tmp_path):
    own = result("ana.lopez@example.org", "01.2", flags=("lopez_hw.ipynb belongs to no chapter",), name="Ana Lopez")
    results = store([own], tmp_path / "results")
    codes = {(ONE, "01.2"): "# by Ana Lopez\ndef f(): pass"}
    with serving(results, codes=codes, anonymous=True) as page:
        text = page.ask("GET", "answers")[1].decode()
        assert pseudonym("ana.lopez@example.org") in text
        assert not re.search("lopez|ana", text, re.IGNORECASE)


@pytest.mark.parametrize(
    ("rostered", "code"),
    [("Lee, Ann", "# Ann Lee, 2026"), ("Lee, Ann", "# ANN  LEE"), ("Ann-Marie Lee", "# annmarie? Marie"),
     ("Bo Li", "# Li, Bo"), ("Bo Li", "author = 'Bo_Li'"), ("李明", "# 李明")],
)  # fmt: skip
def test_the_name_on_the_roster_is_hidden_in_code_as_well(tmp_path, rostered, code):
    results = store([result("9001", "01.2", "wrong", name="leeann")], tmp_path / "results")
    entry = Entry("9001", rostered, ("leeann_9001_1_x.ipynb",), chapters=("01",))
    asked = Assignment("hw", ("01",), (Asked("01.2", "Paths", 3),))
    write_class(results, asked, ClassList("Canvas", 1, False, (entry,)))
    [shown] = answers_to_mark(results, {(ONE, "01.2"): f"{code}\nlimit = 1"}, everything=True, anonymous=True)
    assert not re.search(r"(?i)\b(ann|lee|marie|bo|li)\b|_li|李", shown.code)
    assert "limit = 1" in shown.code


def test_answers_that_were_marked_differently_are_no_group(results):
    codes = {(ONE, "01.2"): "def f(x):\n    return x", (OTHER, "01.2"): "def f(x):\n    return x"}

    def groups():
        shown = Marking(results, answers_to_mark(results, codes)).listed()
        return {tuple(sorted(a["names"])): (a["mark"] or {}).get("points") for a in shown if a["exercise"] == "01.2"}

    assert groups()["Ana", "Bo"] is None
    page = Marking(results, answers_to_mark(results))
    for points, name in ((1.0, "Ana"), (2.0, "Bo")):
        own = next(a for a in page.listed() if a["names"] == [name] and a["exercise"] == "01.2")
        page.mark({"id": own["id"], "points": points, "comment": "", "seen": 0})
    assert (groups()["Ana",], groups()["Bo",]) == (1, 2)


def test_a_group_that_is_marked_differently_elsewhere_shows_no_mark(results):
    codes = {(ONE, "01.2"): "def f(x):\n    return x", (OTHER, "01.2"): "def f(x):\n    return x"}
    together, apart = (Marking(results, answers_to_mark(results, each)) for each in (codes, {}))
    for points, name in ((1.0, "Ana"), (2.0, "Bo")):
        own = next(a for a in apart.listed() if a["names"] == [name] and a["exercise"] == "01.2")
        apart.mark({"id": own["id"], "points": points, "comment": "", "seen": 0})
    [group] = [a for a in together.listed() if len(a["names"]) == 2]
    assert group["mark"] is None


def test_what_was_recognised_is_said_in_words(results):
    [cy] = [answer for answer in answers_to_mark(results) if answer.exercise == "01.1"]
    assert (cy.verdict, cy.found) == ("not yet", "It adds.")


# --- what is saved ---------------------------------------------------------------------------------------------------


def test_a_mark_is_in_the_journal_when_the_page_hears_of_it(server, results):
    status, told = server.mark(server.answers()[0], 1.5, "Look at the chain.")
    assert (status, told["answer"]["mark"]) == (200, {"points": 1.5, "comment": "Look at the chain."})
    [mark] = Journal(journal_beside(results)).marks().values()
    assert (mark.points, mark.comment) == (1.5, "Look at the chain.")


def test_a_new_start_goes_on_where_the_last_one_was_killed(results):
    with serving(results) as page:
        page.mark(page.answers()[0], 1)
    with serving(results) as page:
        assert [answer["mark"] for answer in page.answers() if answer["mark"]] == [{"points": 1, "comment": ""}]


def test_two_windows_do_not_lose_marks(server):
    one, other = server.answers(), server.answers()
    assert server.mark(one[0], 1)[0] == 200
    assert server.mark(other[1], 2)[0] == 200
    status, told = server.mark(other[0], 0)
    assert status == 409
    assert "another window" in told["error"]
    assert [answer["mark"]["points"] for answer in server.answers()[:2]] == [1, 2]


def test_undo_brings_back_what_was_before(server):
    _, told = server.mark(server.answers()[0], 1)
    _, text = server.ask("POST", "undo", {"entry": told["entry"]})
    assert not any(answer["mark"] for answer in json.loads(text)["answers"])
    assert server.ask("POST", "undo", {"entry": 99})[0].status == 400


@pytest.mark.parametrize("points", [-1, 99, float("nan"), float("inf"), True, "2", 10**400, [1], None])
def test_points_that_cannot_be_given_are_refused(server, results, points):
    status, told = server.mark(server.answers()[0], points)
    assert status == 400
    assert told["error"]
    assert not Journal(journal_beside(results)).marks()


def test_marks_are_written_into_the_results_with_the_flag_of_a_person(server, results):
    for answer in server.answers():
        server.mark(answer, 1, "Seen.")
    _, text = server.ask("POST", "merge", {})
    assert json.loads(text) == {"changed": 4, "left": []}
    marked = read_result(result_path(results, "@ed", "01.2"))
    assert (marked.points, marked.items[0].message, marked.flags) == (1, "Seen.", (HAND,))
    before = {path: path.read_bytes() for path in results.rglob("*.json")}
    assert json.loads(server.ask("POST", "merge", {})[1])["changed"] == 0
    assert {path: path.read_bytes() for path in results.rglob("*.json")} == before


def test_a_mark_never_lands_on_work_that_was_handed_in_again(server, results):
    answer = next(one for one in server.answers() if one["exercise"] == "01.1")
    server.mark(answer, 2)
    old = read_result(result_path(results, "cy", "01.1"))
    write_result(results, replace(old, notebook_sha256=OTHER))
    told = json.loads(server.ask("POST", "merge", {})[1])
    assert told == {"changed": 0, "left": ["01.1 of Cy: the learner has handed in another notebook since"]}
    assert read_result(result_path(results, "cy", "01.1")).points == 0
    with serving(results) as page:  # nor is it shown as the mark of the new work
        assert not any(one["mark"] for one in page.answers())


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "answers"])
def test_nothing_is_shown_without_the_key(server, name):
    for key in ("", "wrong", "%C3%A9", server.server.key[:-1]):
        answer, text = server.ask("GET", name, key=key)
        assert answer.status == 403
        assert b"Ana" not in text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", ""])
def test_another_name_for_this_machine_is_refused(server, host):
    assert server.ask("GET", "answers", Host=host)[0].status == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content_Length": "-1"}, 413),
        ({"Content_Length": "²"}, 413),
        ({"Content_Length": str(MOST_SENT + 1)}, 413),
    ],
)
def test_a_change_comes_as_json_from_the_page_itself(server, results, headers, status):
    sent = {"id": server.answers()[0]["id"], "points": 1, "comment": "", "seen": 0}
    headers = {name: value.encode() if not value.isascii() else value for name, value in headers.items()}
    assert server.ask("POST", "marks", sent, **headers)[0].status == status
    assert not Journal(journal_beside(results)).marks()


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 60_000, b"[]", b"1", b'{"id": {}}', b'{"id": "\xff"}'])
def test_what_is_no_change_is_refused(server, body):
    assert server.ask("POST", "marks", body)[0].status in (400, 404)
    assert server.ask("GET", "answers")[0].status == 200


def test_only_this_machine_is_served_and_nothing_from_outside_is_loaded(server):
    assert server.server.server_address[0] == "127.0.0.1"
    answer, text = server.ask("GET", "")
    policy = answer.headers["Content-Security-Policy"]
    [nonce] = set(re.findall(rb'nonce="([^"]+)"', text))
    assert f"script-src 'nonce-{nonce.decode()}'" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(rb"https?://|innerHTML|\son\w+=", text)
    assert re.findall(rb'nonce="([^"]+)"', server.ask("GET", "")[1])[0] != nonce


# --- what learners write ---------------------------------------------------------------------------------------------


def test_code_is_shown_with_everything_that_hides_in_it():
    assert visible("a\u202eb\x00\x1b[0m\ttab\n\udc80") == "a\\u202eb\\u0000\\u001b[0m\ttab\n\\udc80"
    assert visible("é = '日本'") == "é = '日本'"


def test_a_line_of_a_megabyte_is_cut_and_says_so():
    shown = visible("x" * 1_000_000)
    assert len(shown) < MOST_CODE + 100
    assert f"{1_000_000 - MOST_CODE} more characters are not shown" in shown


def test_hostile_names_and_code_stay_data(tmp_path):
    odd = result("<b>\u202e\x00", "01.2", "pending", "", SCRIPT * 9, name=SCRIPT, flags=(f"</script>{SCRIPT}\u202e",))
    results = store([odd], tmp_path / "results")
    with serving(results, codes={(ONE, "01.2"): f"</script>{SCRIPT}\x00\ud800"}) as page:
        answer, text = page.ask("GET", "answers")
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        [found] = json.loads(text)["answers"]
        assert found["names"] == [SCRIPT]
        assert "\u202e" not in text.decode() + json.dumps(found, ensure_ascii=False)
        assert SCRIPT.encode() not in page.ask("GET", "")[1]
        assert page.mark(found, 3, SCRIPT)[0] == 200
        assert json.loads(page.ask("POST", "merge", {})[1])["changed"] == 1
    assert read_result(result_path(results, "<b>\u202e\x00", "01.2")).items[0].message == SCRIPT
