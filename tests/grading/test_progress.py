"""What a learner sees of the way: where they stand after a pass, the whole course, review cards."""

import json
import re
from datetime import date

import nbformat
import pytest
from grading_chapters import PROJECT, build_in

from coursepkg import _course
from coursepkg.__main__ import main
from coursepkg.grading import check, progress, review
from coursepkg.grading.judging.judge import Verdict
from coursepkg.grading.learning import notebook
from coursepkg.grading.learning.course import next_exercise, standing
from coursepkg.grading.learning.record import Record, read, update
from tools.notebooks import execute

DAY = date(2026, 2, 27)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A course of two chapters: the grader's own, and one more like it."""
    root = build_in(tmp_path_factory.mktemp("course"))
    checks = root / "exercises" / ".checks"
    text = (checks / "ex_90.json").read_text(encoding="utf-8")
    (checks / "ex_91.json").write_text(text.replace('"90.', '"91.').replace('"chapter": "90"', '"chapter": "91"'))
    return root


@pytest.fixture
def here(built, monkeypatch, tmp_path):
    monkeypatch.delenv("COURSEPKG_CHECKS", raising=False)
    monkeypatch.setenv("COURSEPKG_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.chdir(built / "exercises")
    return tmp_path / "progress.json"


def right(portions_per_gram, grams_per_money):
    return portions_per_gram * grams_per_money


def wrong(portions_per_gram, grams_per_money):
    return portions_per_gram + grams_per_money


def exercises(root):
    return json.loads((root / "exercises" / ".checks" / "ex_90.json").read_text(encoding="utf-8"))["exercises"]


def all_passed(*ids):
    record = Record()
    for name in ids:
        record.note(name, True, [], DAY)
    return record


# --- after a check ---------------------------------------------------------------------------------------------------


def test_after_a_pass_one_line_says_where_you_stand(here, built):
    total = sum(item["points"] for item in exercises(built))
    own = exercises(built)[0]["points"]
    count = len(exercises(built))
    found = check("90.1", right)
    assert found.lines[-1] == f"1 of {count} exercises, {own} of {total} points; next: 90.2"


def test_the_next_exercise_is_a_link_where_it_has_a_heading(here, built, monkeypatch, tmp_path):
    cell = {"cell_type": "markdown", "id": "there", "metadata": {}, "source": "## 90.2 · Least squares\n"}
    (tmp_path / "90_own.ipynb").write_text(json.dumps({"cells": [cell]}))
    monkeypatch.setenv("COURSEPKG_CHECKS", str(built / "exercises" / ".checks"))
    monkeypatch.chdir(tmp_path)
    assert '<a href="90_own.ipynb#cell-id=there">next: 90.2</a>' in check("90.1", right)._repr_html_()


def test_points_stay_after_a_later_failure(here):
    check("90.1", right)
    assert "1 of" not in check("90.1", wrong).text
    assert read(here).passed("90.1")
    assert check("90.1", right).lines[-1].startswith("1 of")


def test_without_a_record_the_line_says_only_what_does_not_depend_on_it(here, monkeypatch):
    update(here, lambda record: record.note("90.2", True, [], DAY))
    monkeypatch.setenv("COURSEPKG_PROGRESS", "off")
    assert check("90.1", right).lines[-1] == "Next: 90.2"


def test_nothing_is_kept_outside_of_notebooks_and_prompts(built, monkeypatch):
    monkeypatch.delenv("COURSEPKG_CHECKS", raising=False)
    monkeypatch.delenv("COURSEPKG_PROGRESS", raising=False)
    monkeypatch.chdir(built / "exercises")
    assert check("90.1", right).lines[-1] == "Next: 90.2"
    assert not list(built.rglob("*progress.json*"))


def test_what_is_no_try_is_not_counted(here):
    def stub(portions_per_gram, grams_per_money):
        raise NotImplementedError("90.1: write your answer here")

    check("90.1", stub)
    check("90.1", 3)
    check("90.77", right)
    check("90.1")
    assert read(here).exercises == {}


def test_next_is_the_first_that_is_open_from_here_round_the_chapter_and_beyond(built):
    checks = built / "exercises" / ".checks"
    ids = [item["id"] for item in exercises(built)]
    assert next_exercise(checks, ids[0], Record()) == ids[1]
    assert next_exercise(checks, ids[0], all_passed(*ids[:3])) == ids[3]
    assert next_exercise(checks, ids[-1], all_passed(ids[0], *ids[2:])) == ids[1]
    assert next_exercise(checks, ids[2], all_passed(*ids, "91.1")) == "91.2"
    assert next_exercise(checks, ids[-1], None) == "91.1"
    everything = all_passed(*ids, *(name.replace("90", "91") for name in ids))
    assert next_exercise(checks, ids[2], everything) is None
    assert standing(checks, "91.1", everything)[0].endswith("points; nothing is left after it")
    assert standing(checks, "91" + ids[-1][2:], None)[0] == "Nothing is left after it."


def test_a_damaged_record_costs_one_line_and_no_verdict(here):
    here.write_text("{")
    found = check("90.1", right)
    assert found.passed
    assert "set aside as `progress.json.damaged`" in found.text
    assert "set aside" not in check("90.1", right).text


def test_a_record_that_cannot_be_kept_costs_one_line_and_no_verdict(here, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSEPKG_PROGRESS", str(tmp_path / "file" / "progress.json"))
    found = check("90.1", right)
    assert found.passed
    assert "progress" in found.lines[-1]


# --- the whole course ------------------------------------------------------------------------------------------------


def test_the_course_is_a_table_with_words_and_marks(here, built):
    check("90.1", right)
    check("90.2", lambda inputs, targets, weights: weights)
    page = progress()
    count = len(exercises(built))
    total = sum(item["points"] for item in exercises(built))
    own = exercises(built)[0]["points"]
    first, second, last = page.text.splitlines()[1:4]
    assert "●◐" + "○" * (count - 2) in first
    assert re.search(rf"1 +1 +{count - 2} +{own} of {total}$", first)
    assert re.search(rf"0 +0 +{count} +0 of {total}$", second)
    assert re.search(rf"^all +1 +1 +{2 * count - 2} +{own} of {2 * total}$", last)
    assert "● passed, ◐ tried, ○ not begun" in page.text
    html = page._repr_html_()
    assert "overflow-wrap:anywhere" in html  # a row of twelve marks would be wider than a phone
    assert "aria-label='passed: 90.1; tried: 90.2; not begun: 90.3" in html
    assert html.count("<th scope='row'") == 3
    assert "<caption" in html
    assert "color" not in html


def test_the_command_prints_the_same(here, capsys):
    check("90.1", right)
    capsys.readouterr()
    text = progress().text
    assert capsys.readouterr().out == f"{text}\n"
    assert main(["progress"]) == 0
    assert capsys.readouterr().out == f"{text}\n"


def test_progress_without_course_or_record_says_so(here, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSEPKG_PROGRESS", "off")
    assert "off" in progress().text
    monkeypatch.setattr(_course, "folder", lambda: tmp_path)
    monkeypatch.chdir(tmp_path)
    assert "no exercises here" in progress().text
    assert "no exercises here" in review().text


# --- cards -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def met(here, built):
    """The name of a card for the first wrong idea of the first exercise, and what it says."""
    entry = exercises(built)[0]["misconceptions"][0]
    update(here, lambda record: record.note("90.1", False, [entry["id"]], DAY))
    return f"90.1/{entry['id']}", entry


def test_a_wrong_idea_that_a_check_names_becomes_a_card(here, built):
    found = check("90.1", wrong)
    assert found.finding in {entry["id"] for entry in exercises(built)[0]["misconceptions"]}
    assert list(read(here).cards) == [f"90.1/{found.finding}"]


@pytest.mark.parametrize(("finding", "sure", "expected"), [
    ("{0}+{1}", True, 2), ("{0}+{1}", False, 0), ("{0}", True, 1), ("{0}", False, 0), ("zero", True, 0), ("", True, 0),
])  # fmt: skip
def test_only_ideas_that_are_certain_become_cards(here, built, monkeypatch, finding, sure, expected):
    names = [entry["id"] for entry in exercises(built)[0]["misconceptions"]]
    verdict = Verdict("90.1", "wrong", finding.format(*names), lines=("not yet",), sure=sure)
    monkeypatch.setattr(notebook, "judge", lambda compiled, call: verdict)
    check("90.1", wrong)
    assert set(read(here).cards) == {f"90.1/{name}" for name in names[:expected]}


def test_what_no_check_can_name_becomes_no_card(here):
    check("90.1", lambda a, b: a * b + 0.123 * a)
    check("90.1", lambda a, b: 1 / 0)
    assert read(here).cards == {}
    assert read(here).exercises["90.1"].tries == 2


def test_a_card_is_a_question_with_a_folded_answer(met):
    name, entry = met
    assert "No card" in review(today=DAY).text
    page = review(today=date(2026, 2, 28))
    assert entry["looks_like"] in page.text
    assert entry["why"] not in page.text
    assert f'review("{name}", remembered=True)' in page.text
    assert re.search(r"<details><summary>.*</summary>" + re.escape(entry["why"]), page._repr_html_())
    unfolded = review(name)
    assert entry["why"] in unfolded.text
    assert entry["look_at"] in unfolded.text


def test_a_day_that_is_no_date_is_refused_in_words():
    with pytest.raises(TypeError, match=r"datetime\.date\(2026, 3, 1\); it was given '2026-03-01'"):
        review(today="2026-03-01")


def test_an_answered_card_comes_back_later(met, here):
    name, _ = met
    assert "2026-03-02" in review(name, remembered=True, today=date(2026, 2, 28)).text
    assert "The next is due on 2026-03-02" in review(today=date(2026, 3, 1)).text
    assert "2026-03-03" in review(name, remembered=False, today=date(2026, 3, 2)).text
    assert read(here).cards[name].days == 1


def test_a_card_that_is_not_there_is_said_plainly(met):
    for card in ("90.1/no-such", "", 3, None.__class__):
        assert "There is no card" in review(card).text


def test_a_card_of_an_idea_that_the_checks_no_longer_have_is_left_out(here):
    update(here, lambda record: record.note("90.1", False, ["once-upon-a-time"], DAY))
    assert "No card" in review(today=date(2026, 3, 5)).text
    assert "No check knows" in review("90.1/once-upon-a-time").text


# --- after a restart -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted((PROJECT / "exercises").glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_check_cell_imports_its_check(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    checks = [source for source in sources if re.search(r"^check\(", source, flags=re.M)]
    assert len(checks) >= 6
    for source in checks:
        assert source.index("from coursepkg.grading import check") < source.index("\ncheck(")


# --- in a real kernel ------------------------------------------------------------------------------------------------


def test_a_check_cell_that_imports_what_it_needs_works_after_a_restart(built, tmp_path):
    """Its record is kept in the file that is asked for, and the pages are outputs with both texts."""
    path = tmp_path / "kept.json"
    sources = [
        "def f(a, b):\n    return a * b\n\nfrom coursepkg.grading import check, hint\n\ncheck('90.1', f)",
        f"import os\nos.environ['COURSEPKG_PROGRESS'] = {str(path)!r}\ncheck('90.1', f)",
        "from coursepkg.grading import progress\nprogress()",
        "from coursepkg.grading import review\nreview()",
    ]
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{k}") for k, source in enumerate(sources)]
    book = execute(nbformat.v4.new_notebook(cells=cells), built / "exercises").notebook
    for cell in book.cells:
        assert [output.output_type for output in cell.outputs] == ["display_data"]
        assert set(cell.outputs[0].data) == {"text/plain", "text/html"}
    first, second, page, _ = (cell.outputs[0].data["text/plain"] for cell in book.cells)
    assert first.endswith("Next: 90.2")
    assert "points; next: 90.2" in second
    assert "●○" in page
    assert read(path).passed("90.1")
    assert not (built / "exercises" / "progress.json").exists()
