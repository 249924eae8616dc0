"""However odd a judged value is, it ends in a verdict: never in an error of the judge's own."""

import array
import json
from collections import deque
from fractions import Fraction

import numpy as np
import pytest
from evil_values import ENDLESS, GIVEN, EndlessList, evil_objects
from grading_chapters import compiled, exercises

from coursepkg.grading.judging.calling import LocalCall, Outcome, guarded
from coursepkg.grading.judging.drivers import DRIVERS
from coursepkg.grading.judging.judge import judge
from coursepkg.grading.judging.values import Unfit, decode, encode, tree

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


def odd_values(exercise_id, every):
    """Every third of them, say, beginning elsewhere for each exercise, so that each is tried on dozens."""
    return list(ODD.items())[list(exercises()).index(exercise_id) % every :: every]


def verdict_on(check, value_of):
    return judge(check, lambda item: Outcome("value", value_of(item)))


@EVERY
def test_an_odd_value_in_place_of_the_result_is_wrong(exercise_id):
    check = compiled(exercise_id)
    for name, odd in odd_values(exercise_id, 3):
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
    for name, odd in odd_values(exercise_id, 5):
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


# --- what an answer's own classes do while they are read -------------------------------------------------------------

CRASH_NUMPY = ("an array inside itself", "an array of no axes inside itself")  # as soon as somebody adds to them
TRIED = 6  # of the odd objects, for each exercise
JUDGED = ("wrong", "error", "not-attempted")


def read(make):
    """An answer's value as the judge gets it, through the line of a worker if it is one that such a line can hold."""
    outcome = guarded(lambda: tree(make()), seconds=5.0)
    told = json.dumps(outcome.to_json())
    back = Outcome.from_json(json.loads(told))
    json.dumps([encode(back.value), back.message], ensure_ascii=False).encode("utf-8")  # a file can hold it
    return outcome, back


@pytest.mark.parametrize("name", GIVEN)
def test_whatever_python_gives_is_read_as_plain_data(name):
    outcome, back = read(GIVEN[name])
    assert outcome.kind in ("value", "error")
    assert back.kind == outcome.kind
    assert encode(back.value, 6) == encode(outcome.value, 6)
    assert plain(outcome.value)


def plain(value):
    """Whether nothing of a stranger's class is left in a value."""
    if type(value) is dict:
        return all(plain(key) and plain(item) for key, item in value.items())
    if type(value) in (list, tuple):
        return all(map(plain, value))
    if type(value) is np.ndarray:
        return value.dtype.kind in "biufcU"
    return value is None or type(value) in (bool, int, float, complex, str, Unfit)


@pytest.mark.parametrize("seed", range(6))
def test_objects_that_lie_raise_and_recurse_are_read_as_plain_data(seed):
    for name, make in evil_objects(np.random.default_rng(seed), 150).items():
        outcome, back = read(make)
        assert outcome.kind in ("value", "error", "not-attempted"), name
        assert plain(outcome.value), name
        assert len(outcome.message) < 200
        assert back.kind == outcome.kind, name


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_is_out_of_time_or_memory(name):
    outcome = guarded(lambda: tree(ENDLESS[name]()), seconds=0.1)
    assert outcome.kind in ("time-limit", "error", "value")
    assert plain(outcome.value)


def test_a_list_that_goes_on_giving_is_read_up_to_a_bound():
    """Python cannot interrupt `list` while it reads an iterator in C, so no time limit would end it."""
    assert tree(EndlessList()) == Unfit("a very long list")
    assert tree([1.0, EndlessList()]) == [1.0, Unfit("a very long list")]


@EVERY
def test_an_odd_object_in_place_of_the_result_ends_in_a_verdict(exercise_id):
    """Each exercise has its own, used as its answers are: by its driver, and as a part of what is otherwise right."""
    check, rng = compiled(exercise_id), np.random.default_rng(list(exercises()).index(exercise_id))
    whole = DRIVERS[check["driver"]].takes != "class"
    known = [name for name in GIVEN if whole or name not in CRASH_NUMPY]
    names = [str(name) for name in rng.choice(known, TRIED // 2, replace=False)]
    tried = {name: GIVEN[name] for name in names} | evil_objects(rng, TRIED // 2)
    for name, make in tried.items():
        answer = answer_that_gives(make, DRIVERS[check["driver"]].takes)
        verdict = judge(check, LocalCall(answer, check["driver"], seconds=0.3))
        assert verdict.status in JUDGED, name
        assert len(verdict.text) < 2000, name
        verdict.text.encode("utf-8")
        outcome, _ = read(make)
        if outcome.kind == "value":
            whole = [with_part(decode(item["expected"]), outcome.value) for item in check["cases"]]
            replies = iter([*whole, whole[0]])
            verdict = judge(check, lambda item, replies=replies: Outcome("value", next(replies)))
            assert verdict.status in (*JUDGED, "passed"), name
            verdict.text.encode("utf-8")


def answer_that_gives(make, takes):
    """A function, or a class, of which everything that is asked gives one odd value."""
    if takes != "class":
        return lambda *args, **kwargs: make()

    class Answer:
        def __init__(self, *args, **kwargs):
            self.data = self.grad = make()

        def __getattr__(self, name):
            return lambda *args, **kwargs: make()

        def __add__(self, other):
            return make()

        __radd__ = __mul__ = __rmul__ = __sub__ = __pow__ = __neg__ = __matmul__ = __truediv__ = __add__

    return Answer
