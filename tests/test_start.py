"""A learner's copy of the course: laid out anywhere, brought up to date, and never written over."""

import json
import re

import nbformat
import pytest

from coursepkg import _course
from coursepkg.__main__ import main
from coursepkg.start import LIST, as_handed_out, lay_out
from tools.notebook_file import ROOT, as_text, read

CHAPTER = "notebooks/01_first.ipynb"
NEWER = "notebooks/newer-01_first.ipynb"
CHECKS = "exercises/.checks/ex_01.json"


@pytest.fixture
def course(tmp_path, monkeypatch, write_notebook):
    """A small course in place of this one."""
    folder = tmp_path / "course"
    for room in ("notebooks", "exercises/.checks", "solutions/specs", "benchmarks/results"):
        (folder / room).mkdir(parents=True)
    write_notebook(folder / CHAPTER, "# First", ("1 + 1",), ("predict()\nprint(2)", "hide-output"))
    write_notebook(folder / "exercises" / "01_first.ipynb", ("check('01.1', f)",))
    write_notebook(folder / "solutions" / "01_first.ipynb", ("check('01.1', f)",))
    for name in (CHECKS, "benchmarks/results/run.json", "benchmarks/results/run.md", "solutions/specs/ex_01.py"):
        (folder / name).write_text("{}")
    monkeypatch.setattr(_course, "folder", lambda: folder)
    return folder


@pytest.fixture
def mine(tmp_path, course):
    """A learner's copy."""
    lay_out(tmp_path / "mine")
    return tmp_path / "mine"


def change(path, source="2 + 2", *, outputs=False):
    """Another text in the first cell of code; or the same text, run."""
    notebook = read(path)
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    if outputs:
        cell.outputs, cell.execution_count = [nbformat.v4.new_output("stream", text=source)], 7
    else:
        cell.source = source
    path.write_text(as_text(notebook), encoding="utf-8")


def first_source(path):
    return next(cell.source for cell in read(path).cells if cell.cell_type == "code")


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# --- what is laid out ------------------------------------------------------------------------------------------------


def test_a_copy_holds_what_is_studied_and_no_answers(mine):
    assert files(mine) == {LIST, CHAPTER, "exercises/01_first.ipynb", CHECKS, "benchmarks/results/run.json"}


def test_worked_answers_come_on_request_and_then_stay(course, mine):
    assert lay_out(mine, solutions=True).written == ["solutions/01_first.ipynb"]
    change(course / "solutions" / "01_first.ipynb")
    assert lay_out(mine).written == ["solutions/01_first.ipynb"]
    assert not (mine / "solutions" / "specs").exists()


def test_every_chapter_of_the_course_is_handed_out_without_what_answers_a_prediction():
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        ours, theirs = read(path).cells, nbformat.reads(as_handed_out(path.read_bytes()), as_version=4).cells
        assert [cell.source for cell in ours] == [cell.source for cell in theirs]
        hidden = [place for place, cell in enumerate(ours) if "hide-output" in cell.metadata.get("tags", ())]
        assert hidden
        for place, (before, after) in enumerate(zip(ours, theirs, strict=True)):
            if place in hidden:
                assert (after.outputs, after.execution_count) == ([], None)
                assert "jupyter" not in after.metadata
            else:
                assert before == after


def test_a_page_that_a_chapter_names_is_in_the_copy(tmp_path):
    lay_out(tmp_path)
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    named = {name for text in texts for name in re.findall(r"`(docs/[\w/]+\.md)`", text)}
    assert named
    assert [name for name in named if not (tmp_path / name).exists()] == []


def test_a_notebook_without_predictions_is_handed_out_byte_by_byte():
    for path in sorted((ROOT / "exercises").glob("*.ipynb")):
        assert as_handed_out(path.read_bytes()) == path.read_bytes()


# --- a second call ---------------------------------------------------------------------------------------------------


def test_a_second_call_writes_nothing(mine):
    assert lay_out(mine).written == []


def test_what_is_missing_is_written_again(mine):
    (mine / CHECKS).unlink()
    assert lay_out(mine).written == [CHECKS]


@pytest.mark.parametrize("name", [CHAPTER, CHECKS])
def test_what_is_unchanged_is_brought_up_to_date(course, mine, name):
    if name == CHAPTER:
        change(course / name, "3 + 3")
    else:
        (course / name).write_text("[]")
    done = lay_out(mine)
    assert (done.written, done.beside) == ([name], {})
    assert files(mine) == {LIST, *done.files}


def test_a_notebook_that_was_only_run_is_unchanged(course, mine):
    change(mine / CHAPTER, "my output", outputs=True)
    assert lay_out(mine).written == []
    change(course / CHAPTER, "3 + 3")
    assert lay_out(mine).written == [CHAPTER]


def test_other_outputs_of_the_same_cells_are_brought_up_to_date(course, mine):
    change(course / CHAPTER, "a better figure", outputs=True)
    assert lay_out(mine).written == [CHAPTER]
    change(mine / CHAPTER)
    change(course / CHAPTER, "the best figure", outputs=True)
    assert lay_out(mine).written == []


# --- what was changed ------------------------------------------------------------------------------------------------


def test_a_changed_notebook_stays_and_a_newer_edition_lies_beside_it(course, mine):
    change(mine / CHAPTER, "my own")
    assert lay_out(mine).beside == {}
    change(course / CHAPTER, "3 + 3")
    done = lay_out(mine)
    assert (done.written, done.beside) == ([NEWER], {CHAPTER: NEWER})
    assert first_source(mine / CHAPTER) == "my own"
    assert first_source(mine / NEWER) == "3 + 3"
    again = lay_out(mine)
    assert (again.written, again.beside) == ([], {CHAPTER: NEWER})


def test_the_newest_edition_takes_the_place_of_a_newer_one_that_is_unchanged(course, mine):
    change(mine / CHAPTER, "my own")
    for source in ("3 + 3", "4 + 4"):
        change(course / CHAPTER, source)
        assert lay_out(mine).written == [NEWER]
    change(mine / NEWER, "my second")
    change(course / CHAPTER, "5 + 5")
    assert lay_out(mine).written == ["notebooks/newer-2-01_first.ipynb"]
    assert [first_source(mine / name) for name in (CHAPTER, NEWER)] == ["my own", "my second"]


def test_who_removes_a_newer_edition_or_takes_it_over_is_not_asked_again(course, mine):
    change(mine / CHAPTER, "my own")
    change(course / CHAPTER, "3 + 3")
    lay_out(mine)
    taken = (mine / NEWER).read_bytes()
    (mine / NEWER).unlink()
    done = lay_out(mine)
    assert (done.written, done.beside) == ([], {})
    (mine / CHAPTER).write_bytes(taken)
    assert lay_out(mine).written == []
    change(course / CHAPTER, "4 + 4")
    assert lay_out(mine).written == [CHAPTER]


def test_a_file_that_was_there_before_the_course_stays(course, tmp_path):
    own = tmp_path / "mine" / "benchmarks" / "results" / "run.json"
    own.parent.mkdir(parents=True)
    own.write_text("my results")
    assert lay_out(tmp_path / "mine").beside == {"benchmarks/results/run.json": "benchmarks/results/newer-run.json"}
    assert own.read_text() == "my results"


@pytest.mark.parametrize("text", [None, "", "[]", '{"files": 3}', '{"files": {"a": 1}}'])
def test_without_its_list_nothing_in_a_folder_is_written_over(course, mine, text):
    (mine / LIST).unlink() if text is None else (mine / LIST).write_text(text)
    assert lay_out(mine).written == []
    (mine / LIST).unlink()
    change(course / CHAPTER, "3 + 3")
    assert lay_out(mine).beside == {CHAPTER: NEWER}


def test_a_notebook_that_is_none_any_more_stays(course, mine):
    (mine / CHAPTER).write_text("half of")
    change(course / CHAPTER, "3 + 3")
    assert lay_out(mine).beside == {CHAPTER: NEWER}


def test_progress_stays(course, mine):
    (mine / "exercises" / "progress.json").write_text("mine")
    change(course / CHAPTER, "3 + 3")
    lay_out(mine)
    assert (mine / "exercises" / "progress.json").read_text() == "mine"


# --- the command -----------------------------------------------------------------------------------------------------


def test_start_says_in_three_lines_what_is_there_and_what_to_do_next(course, tmp_path, capsys):
    assert main(["start", str(tmp_path / "mine")]) == 0
    there, answers, following = capsys.readouterr().out.splitlines()
    assert "1 notebooks, 1 notebooks of exercises with their checks" in there
    assert "--solutions" in answers
    assert "jupyter lab notebooks/00_start_here.ipynb" in following


def test_update_works_in_a_copy_and_names_what_lies_beside(course, mine, monkeypatch, capsys):
    change(mine / CHAPTER, "my own")
    change(course / CHAPTER, "3 + 3")
    monkeypatch.chdir(mine)
    assert main(["update"]) == 0
    assert f"You changed {CHAPTER}; its newer edition lies beside it as {NEWER}." in capsys.readouterr().out


def test_update_elsewhere_writes_nothing(course, tmp_path, capsys):
    assert main(["update", str(tmp_path)]) == 2
    assert "no copy of the course" in capsys.readouterr().err
    assert files(tmp_path) == {f"course/{name}" for name in files(course)}


def test_the_course_is_not_laid_out_over_itself_or_where_nothing_can_be_written(course, tmp_path, capsys):
    before = files(course)
    assert main(["start", str(course)]) == 2
    assert "holds the course itself" in capsys.readouterr().err
    assert files(course) == before
    (tmp_path / "file").write_text("")
    assert main(["start", str(tmp_path / "file")]) == 2
    assert "not laid out" in capsys.readouterr().err


def test_the_list_is_read_by_people_too(mine):
    about = json.loads((mine / LIST).read_text(encoding="utf-8"))["about"]
    assert "coursepkg start" in about
