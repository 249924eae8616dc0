"""Partial credit: a part earns its points if it is right in all cases, and no answer without an idea earns any."""

import json
from dataclasses import replace

import numpy as np
import pytest
from grading_chapters import PROJECT, SEEDS, compiled, exercises, judged, replayed

from coursepkg.grading.judging.calling import Outcome
from coursepkg.grading.judging.judge import judge
from coursepkg.grading.judging.values import decode, map_numbers
from coursepkg.grading.running.grader import Grader, Work
from coursepkg.grading.sandbox.launch import NONE
from coursepkg.grading.specification.chapters import Chapters
from coursepkg.grading.specification.compiling import compile_check
from coursepkg.grading.specification.exercise import SpecError

CREDITED = [name for name, exercise in exercises().items() if exercise.credit]
EVERY = pytest.mark.parametrize("exercise_id", CREDITED)
PARTS = pytest.mark.parametrize(
    ("exercise_id", "part"), [(name, part) for name in CREDITED for part in exercises()[name].credit]
)


def with_part(value, part, change):
    """A value with one of its parts changed."""
    if isinstance(value, dict):
        return {**value, part: change(value[part])}
    return tuple(change(item) if place == part else item for place, item in enumerate(value))


def off(value):
    """Numbers that are wrong everywhere."""
    return map_numbers(lambda x: x * 1.5 + 0.25, value)


def test_some_exercises_of_the_course_give_points_for_parts():
    assert 5 <= len(CREDITED) <= 12


@PARTS
@pytest.mark.parametrize("seed", SEEDS)
def test_an_answer_that_is_wrong_in_one_part_earns_the_points_of_the_others(exercise_id, part, seed):
    exercise = exercises()[exercise_id]
    verdict = replayed(exercise_id, lambda value: with_part(value, part, off), seed)
    assert verdict.status == "wrong"
    assert verdict.earned == exercise.points - exercise.credit[part]
    assert verdict.text.count(f"{verdict.earned:g} of {exercise.points} points: ") == 1


@PARTS
def test_a_part_that_is_wrong_in_one_case_alone_earns_nothing(exercise_id, part):
    check = compiled(exercise_id)
    values = [decode(item["expected"]) for item in check["cases"]]
    values[1] = with_part(values[1], part, off)
    replies = iter([Outcome("value", value) for value in [*values, values[0]]])
    assert judge(check, lambda item: next(replies)).earned == exercises()[exercise_id].points - check_points(
        check, part
    )


def check_points(check, part):
    return dict((name, points) for name, points in check["credit"])[part]


@EVERY
@pytest.mark.parametrize("seed", SEEDS)
def test_every_named_wrong_idea_earns_less_than_all(exercise_id, seed):
    exercise = exercises()[exercise_id]
    for entry in exercise.bank:
        verdict = judged(exercise_id, entry.answer, seed)
        assert verdict.status == "wrong"
        assert 0 <= verdict.earned < exercise.points, entry.id
        assert bool(verdict.credit) == (verdict.earned > 0)


@EVERY
@pytest.mark.parametrize("seed", SEEDS)
def test_an_answer_without_an_idea_earns_nothing(exercise_id, seed):
    def stub(*args, **kwargs):
        raise NotImplementedError

    assert judged(exercise_id, stub, seed).earned == 0
    for change in (np.zeros_like, np.ones_like, lambda x: x * np.nan):
        assert replayed(exercise_id, lambda value, change=change: map_numbers(change, value), seed).earned == 0
    first = decode(compiled(exercise_id, seed)["cases"][0]["expected"])
    for constant in (first, None, [], {}, (), 0.0, "", list(first)):
        assert replayed(exercise_id, lambda value, constant=constant: constant, seed).earned == 0


@EVERY
def test_one_argument_or_all_of_them_given_back_earn_nothing(exercise_id):
    check = compiled(exercise_id)
    names = list(exercises()[exercise_id].credit)
    for position in range(len(check["cases"][0]["args"])):

        def given_back(item, position=position):
            value = decode(item["args"][position])
            whole = dict.fromkeys(names, value) if isinstance(names[0], str) else (value,) * len(names)
            return Outcome("value", whole)

        assert judge(check, given_back).earned == 0


@EVERY
def test_what_changes_its_arguments_or_keeps_something_earns_nothing(exercise_id):
    check = compiled(exercise_id)
    part = next(iter(exercises()[exercise_id].credit))
    values = [with_part(decode(item["expected"]), part, off) for item in check["cases"]]
    asked = iter([*values, off(values[0])])
    assert judge(check, lambda item: Outcome("value", next(asked))).earned == 0
    asked = iter([*values, values[0]])
    assert judge(check, lambda item: Outcome("value", next(asked), changed=True)).earned == 0
    asked = iter([*values, values[0]])
    outcomes = iter([Outcome("error", error="ValueError"), *(Outcome("value", value) for value in asked)])
    assert judge(check, lambda item: next(outcomes)).earned == 0


@EVERY
def test_right_parts_in_a_wrong_form_earn_nothing(exercise_id):
    exercise = exercises()[exercise_id]
    if isinstance(next(iter(exercise.credit)), str):
        assert replayed(exercise_id, lambda value: list(value.values())).earned == 0
        assert replayed(exercise_id, lambda value: {**value, "more": 1}).earned == 0
    assert replayed(exercise_id, lambda value: [value]).earned == 0


def test_other_exercises_give_no_points_for_parts():
    for exercise_id in ("04.2", "05.2", "10.2"):
        verdict = replayed(exercise_id, lambda value: with_part(value, next(iter(value)), off))
        assert (verdict.status, verdict.earned, verdict.credit) == ("wrong", 0.0, ())


def test_the_words_name_the_parts():
    verdict = replayed("04.7", lambda value: (value[0], off(value[1])))
    assert verdict.credit == ("1 of 4 points: the value is right, the tangent is not yet.",)
    assert verdict.credit[0] in verdict.text
    assert verdict.credit[0] in verdict._repr_html_()
    assert json.loads(json.dumps(compiled("04.7")["credit"])) == [[0, 1], [1, 3]]


HALF = """
import numpy as np
def cross_entropy(z, target):
    z, target = np.asarray(z, dtype=float), np.asarray(target, dtype=float)
    p = np.exp(z - z.max())
    p /= p.sum()
    return {"loss": float((target * (np.log(np.exp(z - z.max()).sum()) - (z - z.max()))).sum()), "z": p}
"""


def test_a_batch_gives_the_points_of_the_parts():
    chapters = Chapters(PROJECT / "solutions" / "specs")
    notebook = {"cells": [{"cell_type": "code", "source": HALF, "metadata": {}}], "metadata": {}, "nbformat": 4}
    grader = Grader(chapters, b"a secret of the tests alone", NONE)
    work = Work("ann", "Ann", "04", "04_mine.ipynb", json.dumps({**notebook, "nbformat_minor": 5}).encode())
    try:
        [item] = [result.items[0] for result in grader.grade(work).results if result.exercise == "04.4"]
    finally:
        grader.close()
    assert (item.points, item.max, item.verdict) == (2.0, 4.0, "wrong")
    assert item.message.count("2 of 4 points: `loss` is right, `z` is not yet.") == 1


# --- what a specification may say ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("credit", "words"), [
    ({"loss": 2, "x": 2}, "the parts of the answer are"), ({"loss": 4}, "the parts of the answer are"),
    ({"loss": 1, "z": 2}, "must be positive, and be 4 together"),
    ({"loss": 4, "z": 0}, "must be positive, and be 4 together"), ({0: 2, 1: 2}, "the parts of the answer are"),
])  # fmt: skip
def test_a_credit_that_does_not_fit_is_refused(credit, words):
    with pytest.raises(SpecError, match=words):
        compile_check(replace(exercises()["04.4"], credit=credit))


@pytest.mark.parametrize(("part", "words"), [
    (lambda y, t: 0 * y, "by zeros"), (lambda y, t: np.ones_like(y), "by ones"), (lambda y, t: 3.25, "by a constant"),
    (lambda y, t: y, "by returning argument 1"), (lambda y, t: t.tolist(), "by returning argument 2"),
])  # fmt: skip
def test_a_part_that_anybody_gets_right_earns_nothing(part, words):
    exercise = exercises()["04.4"]

    def reference(y, t):
        return {**exercise.reference(y, t), "z": part(np.array(y), np.array(t))}

    changed = replace(exercise, reference=reference, bank=exercise.bank[-6:], credit={"loss": 2, "z": 2})
    with pytest.raises(SpecError, match=words):
        compile_check(changed)


def test_an_exercise_that_gives_one_answer_has_no_parts():
    exercise = exercises()["01.4"]
    with pytest.raises(SpecError, match="the parts of the answer are None"):
        compile_check(replace(exercise, credit={0: exercise.points}))
