"""Feedback as Moodle and Canvas take it back."""

import json
import re
import zipfile

import pytest
from class_results import SCRIPT, result, store

from coursepkg.grading.reporting import feedback_files
from coursepkg.grading.reporting.feedback_files import write_feedback

WRONG = f"01.1 not yet · the number is *too* small, see `f(x)` and {SCRIPT} [x](http://evil.example)."


def results_of(tmp_path, *students):
    return store(
        [result(student, "01.1", "wrong", "value", WRONG, name="Ana_B") for student in students], tmp_path / "r"
    )


def download(tmp_path, *names):
    path = tmp_path / "download.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "{}")
    return path


def files(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def moodles_number(name):
    """The participant and the file that Moodle reads out of a path; before 4.1, and since."""
    before = ("/import/" + name).split("_", 4)
    since = next(part.split("_", 4) for part in name.split("/") if part.count("_") >= 3)
    assert since[2:4] == before[2:4] == ["assignsubmission", "file"]
    assert since[1] == before[1]
    return int(since[1])


def test_moodle_finds_each_learner_by_number(tmp_path):
    names = ["Ana_B_11_assignsubmission_file/a.ipynb", "Bo C_12_assignsubmission_file_/b.ipynb"]
    out = tmp_path / "feedback.zip"
    done = write_feedback(results_of(tmp_path, "11", "12"), "moodle", download(tmp_path, *names), out)
    assert (done.learners, done.unmatched) == (2, ())
    assert sorted(moodles_number(name) for name in files(out)) == [11, 12]
    assert {name.rpartition("/")[2] for name in files(out)} == {"feedback.html"}
    assert all(SCRIPT.encode() not in page and b"too* small" in page for page in files(out).values())


def test_a_text_beside_the_file_gives_no_second_page(tmp_path):
    names = ["Ana_11_assignsubmission_file/a.ipynb", "Ana_11_assignsubmission_onlinetext/t.html"]
    write_feedback(results_of(tmp_path, "11"), "moodle", download(tmp_path, *names), tmp_path / "f.zip")
    assert list(files(tmp_path / "f.zip")) == ["Ana_11_assignsubmission_file_/feedback.html"]


def test_canvas_finds_each_learner_by_the_name_of_their_own_file(tmp_path):
    names = ["anab_11_501_homework.ipynb", "anab_11_502_homework-1.ipynb", "boc_LATE_12_503_work.zip"]
    out = tmp_path / "feedback.zip"
    done = write_feedback(results_of(tmp_path, "11", "12"), "canvas", download(tmp_path, *names), out)
    assert done.learners == 2
    found = files(out)
    assert set(found) == {"anab_11_502_homework-1.ipynb", "boc_LATE_12_503_work.zip"}


def test_what_canvas_shows_as_a_notebook_is_one(tmp_path):
    names = ["anab_11_501_homework.ipynb", "boc_12_503_work.zip"]
    write_feedback(results_of(tmp_path, "11", "12"), "canvas", download(tmp_path, *names), tmp_path / "f.zip")
    found = files(tmp_path / "f.zip")
    [cell] = json.loads(found["anab_11_501_homework.ipynb"])["cells"]
    assert cell["cell_type"] == "markdown"
    assert "The number is \\*too\\* small, see `f(x)`" in cell["source"]
    assert "<script" not in cell["source"]
    assert not re.search(r"(?<!\\)\[", cell["source"])
    (tmp_path / "inner.zip").write_bytes(found["boc_12_503_work.zip"])
    assert list(files(tmp_path / "inner.zip")) == ["feedback.html"]


def test_the_same_results_give_the_same_bytes(tmp_path):
    results, names = results_of(tmp_path, "11"), download(tmp_path, "Ana_11_assignsubmission_file/a.ipynb")
    for name in ("one", "two"):
        write_feedback(results, "moodle", names, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_who_is_not_in_the_download_is_named(tmp_path):
    names = download(tmp_path, "Ana_11_assignsubmission_file/a.ipynb")
    assert write_feedback(results_of(tmp_path, "11", "12"), "moodle", names, tmp_path / "f.zip").unmatched == ("12",)


@pytest.mark.parametrize(
    ("names", "platform", "words"),
    [
        (["ana/a.ipynb", "bo/b.ipynb"], "moodle", "laid out as plain"),
        (["Ana_11_assignsubmission_file/a.ipynb"], "canvas", "laid out as Moodle"),
        (["Ana_99_assignsubmission_file/a.ipynb"], "moodle", "nobody in download.zip has results"),
    ],
)
def test_a_download_of_something_else_is_refused(tmp_path, names, platform, words):
    with pytest.raises(ValueError, match=words):
        write_feedback(results_of(tmp_path, "11"), platform, download(tmp_path, *names), tmp_path / "f.zip")
    assert not (tmp_path / "f.zip").exists()


@pytest.mark.parametrize(
    ("platform", "name", "written"),
    [
        ("moodle", "S\udcf8ren_12_assignsubmission_file/a.ipynb", "S_ren_12_assignsubmission_file_/feedback.html"),
        ("canvas", "boc_12_502_hw\udce9.ipynb", "boc_12_502_hw_.ipynb"),
    ],
)
def test_a_name_that_is_no_utf_8_stops_nobodys_feedback(tmp_path, platform, name, written):
    other = {"moodle": "Ana_11_assignsubmission_file/a.ipynb", "canvas": "ana_11_501_a.ipynb"}[platform]
    for path in (tmp_path / "d" / name, tmp_path / "d" / other):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    done = write_feedback(results_of(tmp_path, "11", "12"), platform, tmp_path / "d", tmp_path / "f.zip")
    assert (done.learners, done.unmatched) == (2, ())
    assert written in files(tmp_path / "f.zip")
    assert written in done.remarks[0]


def test_what_fails_leaves_no_zip_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(feedback_files, "_put", lambda *_: 1 / 0)
    names = download(tmp_path, "Ana_11_assignsubmission_file/a.ipynb")
    with pytest.raises(ZeroDivisionError):
        write_feedback(results_of(tmp_path, "11"), "moodle", names, tmp_path / "f.zip")
    assert not (tmp_path / "f.zip").exists()
