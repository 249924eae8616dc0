"""An argument in which the answer is linear is tried at other scales, so that nothing small is dropped unseen."""

import numpy as np
from grading_chapters import compiled, exercises

from coursepkg.grading.judging.calling import LocalCall
from coursepkg.grading.judging.judge import judge
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.scales import SCALES, at_scales

DOMAIN = {"x": Array("n"), "g": Array("n"), "rate": Number(more_than=0, at_most=1)}
RNG = np.random.default_rng(0)
CASES = [{"x": RNG.normal(size=n), "g": RNG.normal(size=n), "rate": 0.5} for n in (3, 2, 4)]


def scaled(answer, cases=CASES, domain=DOMAIN):
    return [v for _, v in at_scales(domain, cases, answer)]


def test_what_the_answer_is_linear_in_is_made_tiny_and_huge():
    made = scaled(lambda v: (1 - np.tanh(v["x"]) ** 2) * v["g"])
    assert len(made) == len(SCALES)
    for new, scale in zip(made, SCALES, strict=True):
        np.testing.assert_allclose(new["g"], CASES[0]["g"] * scale, rtol=1e-12)
        np.testing.assert_array_equal(new["x"], CASES[0]["x"])


def test_nothing_is_made_where_it_is_linear_by_chance_or_not_at_all():
    assert scaled(lambda v: np.tanh(v["x"]) + v["g"] ** 2) == []
    assert scaled(lambda v: v["x"] * v["g"] if v["x"].size == 2 else v["x"] ** 2 + v["g"] ** 2) == []
    assert scaled(lambda v: None) == []
    assert scaled(lambda v: "words") == []
    assert scaled(lambda v: 0.0 * v["g"]) == []


def test_no_case_leaves_the_domain():
    assert [new["rate"] for new in scaled(lambda v: v["rate"] * 2.0)] == [0.5e-6]


def test_answers_that_drop_what_is_small_clip_what_is_large_or_round_fail():
    exercise = exercises()["04.1"]
    changes = {
        "drops": lambda y: np.where(np.abs(y) < 1e-3, 0.0, y), "clips": lambda y: np.clip(y, -1e3, 1e3),
        "rounds": lambda y: np.round(y, 6),
    }  # fmt: skip
    for seed in (None, 1, 2):
        check = compiled("04.1", seed)
        for name, change in changes.items():
            answer = lambda *args, change=change: change(np.asarray(exercise.reference(*args)))  # noqa: E731
            assert judge(check, LocalCall(answer, "call")).status == "wrong", name
