"""What counts of a learner's work, and when it came; an error that nobody thought of is one learner's alone."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from test_choosing import RIGHT, notebook, wanted
from test_submissions import tree_of

from coursepkg.grading.submissions.counting import settle_time, what_counts
from coursepkg.grading.submissions.learners import HandedIn, Part, discover

EARLY, LATE = datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 5, tzinfo=UTC)
UNTOUCHED = RIGHT.replace(b"backward)", b"backward)  # TODO: write your answer here")


def ann_of(tmp_path, first, second):
    """A learner of Gradescope's: two folders, the second one late."""
    listing = "".join(
        f"s{k}:\n  :submitters:\n  - :name: Ann\n    :sid: 'a'\n  :created_at: {when:%Y-%m-%d %H:%M:%S} Z\n"
        for k, when in ((1, EARLY), (2, LATE))
    )
    files = {"s1/02_x.ipynb": first, "s2/02_x.ipynb": second, "submission_metadata.yml": listing.encode()}
    tree = tree_of(tmp_path, files)
    [ann] = discover(tree).learners
    assert ann.submitted == LATE
    settle_time(tree, ann, wanted())
    return ann.submitted


def test_the_time_is_that_of_the_notebook_that_counts(tmp_path):
    assert ann_of(tmp_path / "own, then a group's", RIGHT, UNTOUCHED) == EARLY
    assert ann_of(tmp_path / "again", UNTOUCHED, RIGHT) == LATE
    assert ann_of(tmp_path / "the same twice", RIGHT, RIGHT) == EARLY
    assert ann_of(tmp_path / "then another file", RIGHT, b"%PDF") == EARLY
    assert ann_of(tmp_path / "no notebook", b"%PDF", b"%PDF") == EARLY


def test_a_late_file_that_does_not_count_makes_nobody_late(tmp_path):
    names = ["leeann_501_9001_02_x.ipynb", "leeann_LATE_501_9002_notes.pdf"]
    tree = tree_of(tmp_path, {names[0]: RIGHT, names[1]: b"%PDF", "ray_502_9003_02_x.ipynb": RIGHT})
    ann, _ = discover(tree).learners
    assert ann.late
    settle_time(tree, ann, wanted(), numbered=True)
    assert not ann.late


def test_where_nothing_counts_the_latest_time_stays(tmp_path):
    parts = {"a": Part([], EARLY), "b": Part([], LATE)}
    ann = HandedIn("a", "A", submitted=LATE, parts=parts)
    settle_time(tree_of(tmp_path, {"x": b""}), ann, wanted())
    assert ann.submitted == LATE


@pytest.mark.parametrize("where", ["contents.read_notebook", "contents.load", "counting.choose"])
def test_an_error_that_nobody_thought_of_is_said_and_stops_nothing(tmp_path, monkeypatch, where):
    def fails(*args, **kwargs):
        raise OverflowError("nobody thought of it")

    tree = tree_of(tmp_path, {"ann/02_x.ipynb": RIGHT, "ben/02_x.ipynb": notebook("x = 1")})
    ann, _ = discover(tree).learners
    module = where.replace("contents.load", "counting.load")
    monkeypatch.setattr(f"coursepkg.grading.submissions.{module}", fails)
    contents, chosen, _ = what_counts(tree, ann, wanted())
    [words] = contents.refused
    assert "the grader itself failed (OverflowError); look at it by hand" in words
    assert not chosen or chosen["02"][1].trouble == words
    settle_time(tree, replace(ann, parts={"a": Part(ann.files, EARLY), "b": Part([], LATE)}), wanted())
