"""What a class's results say about its exercises."""

import numpy as np
import pytest
from class_results import large_class, result, small_class, told

from coursepkg.grading.reporting.analysis import bands, clusters, item_facts, misconceptions_met, seconds_taken
from coursepkg.grading.reporting.gradebook import gradebook, load_gradebook, number, plain
from coursepkg.grading.running.results import STUDENT_ERROR


def no_times(student, exercise):
    return {}


def test_exercises_are_in_the_order_of_the_course():
    assert [column.id for column in gradebook(small_class()).columns] == ["01.1", "01.2", "01.9", "01.10"]


def test_what_is_not_handed_in_counts_zero_and_what_is_not_graded_counts_nothing():
    learners = {learner.id: learner for learner in gradebook(small_class()).learners}
    assert learners["ana@example.org"].points == 12
    assert learners["fay"].points == 0
    assert (learners["di@example.org"].points, learners["di@example.org"].waits) == (None, False)
    assert (learners["@ed"].points, learners["@ed"].waits) == (None, True)


def test_every_mark_lies_in_one_band():
    book = gradebook(large_class())
    assert sum(bands(book)) == len(book.marked) == 60
    assert bands(gradebook([result("ana", "01.1"), result("bo", "01.1", "wrong")])) == [1, *[0] * 8, 1]
    tenths = [
        result(f"s{k}", e, "passed" if k & bit else "wrong") for k in range(4) for e, bit in (("01.1", 1), ("01.2", 2))
    ]
    assert bands(gradebook(tenths)) == [1, 0, 0, 0, 1, 0, 1, 0, 0, 1]


def test_difficulty_is_the_share_of_the_points_won():
    facts = {fact.column.id: fact for fact in item_facts(gradebook(large_class()))}
    for exercise, fact in facts.items():
        passed = [r.points > 0 for r in large_class() if r.exercise == exercise]
        assert fact.difficulty == pytest.approx(np.mean(passed), rel=1e-12)
        assert fact.verdicts["passed"] == sum(passed)
    assert facts["01.1"].difficulty > facts["01.2"].difficulty > facts["01.9"].difficulty


def test_an_exercise_that_measures_nothing_does_not_discriminate():
    """The report draws the line at +0.2; the standard error is 0.05 with 400 learners."""
    facts = {fact.column.id: fact.discrimination for fact in item_facts(gradebook(large_class(400)))}
    assert min(facts["01.1"], facts["01.2"], facts["01.9"]) > 0.2
    assert abs(facts["01.10"]) < 0.1


def test_discrimination_is_against_the_other_exercises_only():
    """With itself in the total, an exercise would correlate with itself."""
    rng = np.random.default_rng(3)
    results, marks = [], []
    for k in range(40):
        own = rng.random(2) < 0.5
        marks.append(own)
        results += [
            result(f"s{k}", e, "passed" if ok else "wrong") for e, ok in zip(("01.1", "01.2"), own, strict=True)
        ]
    expected = np.corrcoef(np.array(marks, dtype=float).T)[0, 1]
    for fact in item_facts(gradebook(results)):
        assert fact.discrimination == pytest.approx(expected, rel=1e-9)


def test_no_correlation_is_given_for_few_marks_or_equal_ones():
    few = [result(f"s{k}", e, "passed" if k % 2 else "wrong") for k in range(9) for e in ("01.1", "01.2")]
    equal = [result(f"s{k}", e) for k in range(30) for e in ("01.1", "01.2")]
    for results in (few, equal):
        assert {fact.discrimination for fact in item_facts(gradebook(results))} == {None}


def test_learners_without_a_mark_do_not_make_an_exercise_look_hard():
    lost = [result(f"s{k}", "01.1", "infrastructure") for k in range(5)]
    [fact] = item_facts(gradebook([result("ana", "01.1"), *lost]))
    assert fact.difficulty == 1
    assert fact.verdicts == {"passed": 1, "infrastructure": 5}


def test_recognised_ideas_are_counted_apart_from_the_rest():
    met = misconceptions_met(gradebook(small_class()))
    assert [(m.exercise, m.name, m.count, m.from_bank) for m in met] == [
        ("01.1", "adds-rates", 2, True),
        ("01.2", "twice", 1, False),
    ]
    assert met[0].example == "Every number is the sum of the rates."


def test_unnamed_wrong_answers_gather_by_their_numbers_on_the_visible_inputs():
    """Hidden inputs differ from learner to learner, so the words of the feedback differ; the signature does not."""
    results = [
        result(name, "01.9", "wrong", "value", told("01.9", f"entry {k} is too {size}."))
        for k, (name, size) in enumerate([("ana", "large"), ("bo", "small"), ("cy", "large")])
    ]
    signatures = {"ana": "a1", "bo": "a1", "cy": "b2"}
    found = clusters(gradebook(results), lambda student, exercise: {"signature": signatures[student]})
    assert [c.learners for c in found] == [("ana", "bo"), ("cy",)]
    by_words = clusters(gradebook(results), no_times)
    assert [c.learners for c in by_words] == [("ana", "cy"), ("bo",)]


def test_named_ideas_passed_and_missing_answers_are_in_no_cluster():
    found = clusters(gradebook(small_class()), no_times)
    assert [(c.exercise, c.finding, len(c.learners)) for c in found] == [
        ("01.9", "value", 2),
        ("01.2", "ZeroDivisionError", 1),
    ]


def test_a_file_that_could_not_be_read_is_no_wrong_answer():
    unread = result("ana", "01.1", "error", "UnreadableNotebook", "a.ipynb is no notebook", status=STUDENT_ERROR)
    book = gradebook([unread, result("bo", "01.1")])
    assert clusters(book, no_times) == []
    assert [learner.unread for learner in book.learners] == [True, False]


def test_times_name_the_slowest():
    taken = {"ana": 0.1, "bo": 6.2, "cy": 0.2}
    book = gradebook([result(name, "01.1") for name in taken])
    [row] = seconds_taken(book, lambda student, exercise: {"seconds": taken[student]})
    assert (row.count, row.median, row.largest, row.slowest) == (3, 0.2, 6.2, "bo")
    assert seconds_taken(book, no_times) == []


def test_an_empty_folder_is_no_class(tmp_path):
    with pytest.raises(ValueError, match="holds no results yet"):
        load_gradebook(tmp_path)
    with pytest.raises(ValueError, match="is no folder of results"):
        load_gradebook(tmp_path / "absent")


def test_a_number_of_points_is_written_as_people_do():
    assert [number(value) for value in (9.0, 7.5, 0.0, None, 10 / 3)] == ["9", "7.5", "0", "", "3.33333"]


def test_line_breaks_become_spaces():
    assert plain("a\nb\u2028c\td") == "a b c d"
