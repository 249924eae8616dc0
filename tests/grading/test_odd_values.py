"""However odd a judged value is, it ends in a verdict: never in an error of the judge's own."""

import array
from collections import deque
from fractions import Fraction

import numpy as np
import pytest
from grading_chapters import compiled, exercises

from coursepkg.grading.judging.calling import Outcome
from coursepkg.grading.judging.judge import judge
from coursepkg.grading.judging.values import decode, tree

ODD = {
    "float32": np.float32(1.5), "int8": np.int8(3), "nan": float("nan"), "infinity": -float("inf"), "zero": -0.0,
    "complex": 1 + 2j, "huge": 10**400, "fraction": Fraction(1, 3), "true": True, "none": None, "text": "1.0",
    "no text": "", "bytes": b"1", "0-d": np.array(2.0), "empty": np.zeros((0, 3)), "empty list": [], "empty dict": {},
    "empty tuple": (), "column": np.ones((3, 1)), "many axes": np.ones((1,) * 20), "bools": np.array([True, False]),
    "ragged": [[1], [2, 3]], "objects": np.array([1, None, "a"], dtype=object), "texts": np.array(["a", "b"]),
    "dates": np.array(["2020-01-01"], dtype="datetime64[D]"), "records": np.zeros(2, dtype=[("a", float)]),
    "nested": [[[[[[[[[[[[[1.0]]]]]]]]]]]]], "mixed keys": {1: 2.0, "a": [1.0], (1, 2): None, None: 3.0},
    "set": {1.0, 2.0}, "function": np.sum, "class": dict,
    "deque": deque([1.0, 2.0]), "buffer": array.array("d", [1.0]), "generator": (x for x in (1.0, 2.0)),
    "masked": np.ma.masked_array([1.0, 2.0], mask=[True, False]), "half": np.float16(0.1), "long": np.longdouble(0.1),
    "pairs": [("a", 1.0), ("b", np.nan)], "dict of nothing": {"W": None, "b": []}, "many": list(range(1000)),
}  # fmt: skip
EVERY = pytest.mark.parametrize("exercise_id", list(exercises()))


def odd_values(exercise_id):
    """Every third of them, beginning elsewhere for each exercise, so that each is tried on dozens."""
    return list(ODD.items())[list(exercises()).index(exercise_id) % 3 :: 3]


def verdict_on(check, value_of):
    return judge(check, lambda item: Outcome("value", value_of(item)))


@EVERY
def test_an_odd_value_in_place_of_the_result_is_wrong(exercise_id):
    check = compiled(exercise_id)
    for name, odd in odd_values(exercise_id):
        read = tree(odd)
        verdict = verdict_on(check, lambda item, read=read: read)
        assert verdict.status in ("wrong", "error"), name
        assert all(len(line) <= 240 for line in verdict.lines), name


@EVERY
def test_an_odd_value_in_place_of_a_part_is_wrong(exercise_id):
    """And wrong in the last case alone, so that all others agree."""
    check = compiled(exercise_id)
    right = {str((item["args"], item["kwargs"])): item["expected"] for item in check["cases"]}
    last = str((check["cases"][-1]["args"], check["cases"][-1]["kwargs"]))
    for name, odd in odd_values(exercise_id):
        read = tree(odd)

        def value_of(item, read=read):
            key = str((item["args"], item["kwargs"]))
            value = decode(right[key])
            return with_part(value, read) if key == last else value

        verdict = verdict_on(check, value_of)
        assert verdict.status in ("wrong", "error", "passed"), name
        assert all(len(line) <= 240 for line in verdict.lines), name


def with_part(value, odd):
    """The value with its first part replaced, as deep as there is one."""
    if isinstance(value, dict) and value:
        first = next(iter(value))
        return {**value, first: odd}
    if isinstance(value, list | tuple) and value:
        return type(value)([odd, *value[1:]])
    return odd
