"""Cases far out are decided on once for an exercise; where right answers part on a learner's numbers, none counts."""

import dataclasses
import json

import numpy as np
import pytest
from made_up import exercise

from coursepkg.grading.judging.calling import LocalCall
from coursepkg.grading.judging.values import decode
from coursepkg.grading.running.grader import _judged
from coursepkg.grading.specification.compiling import compile_check, hidden_check
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import case
from coursepkg.grading.specification.extremes import LONG


def total(x):
    return float(np.sum(x))


def parts_from_it(x):
    """Right, but for long arrays in about half of the draws."""
    return total(x) + (1.0 if len(x) == LONG and x[0] > 0.3 else 0.0)


def draw(rng):
    first = 0.9 if rng.random() < 0.5 else 0.1
    return [case(np.array([first, *rng.uniform(1, 2, size=n)])) for n in (2, 3, 2)]


def spec(*accepted):
    wrong = [lambda x, k=k: total(x) + k for k in range(2, 8)]
    visible = [case(np.array([0.3, 1.5, 2.5])), case(np.array([1.2, -0.7])), case(np.array([0.4, 2.0, 0.6, 1.1]))]
    made = exercise(total, visible, *wrong, domain={"x": Array("n")})
    return dataclasses.replace(made, hidden=draw, accepted=[*made.accepted, *accepted])


def seeds(*, parted):
    """Seeds of draws in which the answers part, or in which they do not."""
    return [seed for seed in range(1, 12) if (np.random.default_rng(seed).random() < 0.5) == parted]


def lengths(check):
    return [decode(item["args"][0]).size for item in check["cases"]]


def test_a_case_counts_where_right_answers_agree_on_it():
    made = spec(parts_from_it)
    for seed in seeds(parted=False):
        check = hidden_check(made, np.random.default_rng(seed))
        assert LONG in lengths(check)
        assert check.settled() is check
    for seed in seeds(parted=True):
        check = hidden_check(made, np.random.default_rng(seed))
        number = lengths(check).index(LONG)
        assert check.settled({0, number - 1}) is check
        assert LONG not in lengths(check.settled({number}))
        assert len(check.settled({number})["cases"]) == len(check["cases"]) - 1
        assert not check.counts(number)
        assert check.counts(0)
        assert LONG not in lengths(compile_check(made, np.random.default_rng(seed)))


def test_right_answers_are_run_once_for_all_learners():
    ran = []
    made = spec(lambda x: ran.append(1) or total(x))
    checks = [hidden_check(made, np.random.default_rng(1))]
    before = len(ran)
    checks += [hidden_check(made, np.random.default_rng(seed)) for seed in (2, 3, 1)]
    assert len(ran) == before
    assert len({json.dumps(check["cases"]) for check in checks}) == 3
    assert checks[0]["cases"] == checks[3]["cases"]
    assert dict(checks[3])["cases"] == hidden_check(spec(total), np.random.default_rng(1))["cases"]


class Here:
    """A worker that runs an answer in this process."""

    def __init__(self, answer):
        self.call, self.asked = LocalCall(answer, "call"), 0

    def ask(self, check, items):
        self.asked += 1
        return list(map(self.call, items))


@pytest.mark.parametrize("seed", seeds(parted=True))
def test_an_answer_fails_on_no_case_on_which_right_answers_part(seed):
    made = spec(parts_from_it)

    def judged(answer):
        worker = Here(answer)
        return _judged(made, lambda: hidden_check(made, np.random.default_rng(seed)), worker, []), worker.asked

    assert [judged(answer)[0].status for answer in (total, parts_from_it)] == ["passed", "passed"]
    assert judged(total)[1] == 1
    assert judged(lambda x: total(x) + 0.5)[0].status == "wrong"
    assert judged(lambda x: 0.0 if total(x) > 1e5 else parts_from_it(x))[0].status == "wrong"  # and far out as well


def parts_near(x):
    """Right, but for one of the usual cases in about half of the draws."""
    return total(x) + (0.001 if len(x) == 3 and x[0] > 0.8 else 0.0)


@pytest.mark.parametrize("seed", seeds(parted=True))
def test_a_usual_case_on_which_right_answers_part_does_not_count_either(seed):
    made = spec(parts_near)

    def judged(answer):
        return _judged(made, lambda: hidden_check(made, np.random.default_rng(seed)), Here(answer), []).status

    assert [judged(answer) for answer in (total, parts_near)] == ["passed", "passed"]
    assert judged(lambda x: parts_near(x) + 0.5) == judged(lambda x: total(x[:2])) == "wrong"
