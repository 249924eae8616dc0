"""Whatever a worker writes ends in an outcome: what it asks for is counted before anything is built."""

import base64
import json
import random

import numpy as np
import pytest
from grading_chapters import compiled, exercises
from hypothesis import given
from hypothesis import strategies as st

from coursepkg.grading.judging import judge as judging
from coursepkg.grading.judging import limits
from coursepkg.grading.judging.calling import Outcome
from coursepkg.grading.judging.judge import judge_all
from coursepkg.grading.judging.values import Unfit, decode, encode, leaves
from coursepkg.grading.sandbox import worker
from coursepkg.grading.sandbox.replies import TooLarge, hold_against_bounds, read_reply
from coursepkg.grading.sandbox.worker_process import Worker

PRIME = 2**61 - 1  # whole numbers that differ by a multiple of it have one hash


class Said(Worker):
    """A worker whose process says one line, whatever it is asked."""

    def __init__(self, line):
        super().__init__([], None)
        self.line, self.ended = line, False

    @property
    def _running(self):
        return not self.ended

    def _send(self, line, seconds):
        pass

    def _line(self, seconds, limit):
        return self.line

    def _end(self):
        self.ended = True


def outcome_of(line):
    """What the grader makes of one line in place of a reply to its first request."""
    return Said(line).call({"function": "f", "driver": "call"}, {"args": [], "kwargs": {}})


def value_line(value, **fields):
    """A reply to the first request, with a value that is JSON text."""
    told = {"id": 1, "kind": "value", **fields}
    return json.dumps(told)[:-1] + f', "value": {value}}}\n'


def is_bad(outcome):
    return (outcome.kind, outcome.error, outcome.value) == ("error", "BadReply", None)


def keys_of(keys):
    return json.dumps({"dict": [[key, 0] for key in keys]})


ARRAY = '{{"array": {}, "dtype": {}, "base64": "{}"}}'
ZEROS = base64.b64encode(bytes(8)).decode()
FORGED = {
    "no JSON": "{{{\n",
    "nothing": "\n",
    "a list": "[]\n",
    "a number": "1\n",
    "deep lists": value_line("[" * 1_000_000 + "]" * 1_000_000),
    "deep lists without an end": value_line("[" * 3_000_000),
    "deep objects": value_line('{"tuple": [' * 50 + "]}" * 50),
    "wide": value_line("[" + "0," * 1_900_000 + "0]"),
    "wide lists": value_line("[" + "[]," * 1_200_000 + "[]]"),
    "wide objects": value_line("[" + "{}," * 1_200_000 + "{}]"),
    "wide texts": value_line("[" + '"",' * 1_200_000 + '""]'),
    "many members": value_line("{" + ",".join(f'"{n}": 0' for n in range(100_000)) + "}"),
    "members of the reply": json.dumps({"id": 1, "kind": "value", **{f"a{n}": 0 for n in range(20)}}) + "\n",
    "a field that is none": value_line("1", passed=True),
    "an integer without end": value_line("9" * 3_900_000),
    "a fraction without end": value_line("0." + "1" * 3_900_000),
    "zeros without end": value_line("0." + "0" * 3_900_000 + "1"),
    "an exponent without end": value_line("1e" + "9" * 3_900_000),
    "a long integer": value_line("9" * 41),
    "NaN": value_line("NaN"),
    "infinity": value_line("-Infinity"),
    "NaN deep inside": value_line('[{"tuple": [NaN]}]'),
    "a key twice": '{"id": 1, "kind": "value", "value": 1, "value": 2}\n',
    "a key twice, deep inside": value_line('{"tuple": [], "tuple": [1]}'),
    "keys that hash alike": value_line(keys_of([n * PRIME for n in range(1, 1000)])),
    "fractions and numbers that hash alike": value_line(keys_of([n * PRIME for n in range(1, 60)])),
    "tuples that hash alike": value_line(json.dumps({"dict": [[{"tuple": [n * PRIME]}, 0] for n in range(1, 1000)]})),
    "too many keys": value_line(keys_of(range(limits.MAX_KEYS + 1))),
    "a key that is a list": value_line(keys_of([[1]])),
    "a key that is a dictionary": value_line(keys_of([{"dict": []}])),
    "a pair of one": value_line('{"dict": [[1]]}'),
    "a pair of three": value_line('{"dict": [[1, 2, 3]]}'),
    "pairs that are texts": value_line('{"dict": ["ab"]}', more=1),
    "huge and empty": value_line(ARRAY.format("[0, 1000000000000000000]", '"float64"', "")),
    "thirty sizes": value_line(ARRAY.format(json.dumps([10**9] * 30), '"float64"', "")),
    "ninety sizes": value_line(ARRAY.format(json.dumps([1] * 90), '"float64"', ZEROS)),
    "a size below zero": value_line(ARRAY.format("[-1]", '"float64"', "")),
    "a size that is true": value_line(ARRAY.format("[true]", '"float64"', ZEROS)),
    "a size that is a fraction": value_line(ARRAY.format("[1.0]", '"float64"', ZEROS)),
    "a dtype of objects": value_line(ARRAY.format("[1]", '"O"', ZEROS)),
    "too few bytes": value_line(ARRAY.format("[2]", '"float64"', ZEROS)),
    "no base64": value_line(ARRAY.format("[1]", '"float64"', "*" * 12)),
    "text where numbers should be": value_line('{"array": [1], "dtype": "float64", "data": ["1"]}'),
    "another number": value_line("1", id=2),
    "a number that is true": value_line("1", id=True, kind="nothing"),
    "another kind": value_line("1", kind="infrastructure"),
    "no kind": '{"id": 1}\n',
    "a kind that is a list": value_line("1", kind=["value"]),
    "a message of another type": value_line("1", message=3),
    "a message without end": value_line("1", message="a" * 5001),
    "a line of another type": value_line("1", line=True),
    "quotes without end": '"' * 3_999_999 + "\n",
    "backslashes without end": '"' + "\\" * 3_999_998 + "\n",
    "escaped quotes without end": '"' + '\\"' * 1_999_999 + "\n",
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_reply_is_a_bad_reply(name):
    assert is_bad(outcome_of(FORGED[name])), name


def test_zero_below_zero_and_halves_of_surrogates_are_values_that_a_file_can_hold():
    assert str(outcome_of(value_line("-0.0")).value) == "-0.0"
    outcome = outcome_of(value_line(r'["\ud800", {"dict": [["\udfff", 1]]}, {"unfit": "\udc00"}]', message="\ud800"))
    json.dumps([encode(outcome.value), outcome.message], ensure_ascii=False).encode("utf-8")
    assert outcome.kind == "value"


def test_the_words_for_what_a_value_is_stay_short():
    outcome = outcome_of(value_line(json.dumps({"unfit": "a" * 1_000_000})))
    assert outcome.value == Unfit("a" * limits.MAX_WORDS)


# --- hundreds of them, made by chance --------------------------------------------------------------------------------


def forged_value(rng, room=6):
    """JSON text that may be a stored value, nearly one, or nonsense."""
    kinds = [
        lambda: str(rng.choice([0, -1, 2**63, 10**39, 10**41, PRIME, "true", "null", "-0.0", "1e999", "1E-999"])),
        lambda: rng.choice(["NaN", "Infinity", "nul", "'a'", '"', "\\", "[", "}", ",", ":", '"\\ud83d"', '"\\u0000"']),
        lambda: json.dumps(rng.choice(["", "a", "nan", "\ud800", "\x00", "é" * rng.choice([1, 5000])])),
        lambda: f'{{"float": {json.dumps(rng.choice(["nan", "inf", "-inf", "1", "", None]))}}}',
        lambda: f'{{"unfit": {forged_value(rng, 0)}}}',
        lambda: ARRAY.format(
            json.dumps([rng.choice([0, 1, 2, -1, 10**9, True, 2.0, None]) for _ in range(rng.choice([0, 1, 2, 33]))]),
            json.dumps(rng.choice(["float64", "bool", "complex128", "int64", "O", "<U1", "float16", None])),
            base64.b64encode(bytes(rng.choice([0, 1, 2, 8, 16, 17]))).decode() + rng.choice(["", "", "=", "\\n"]),
        ),
    ]  # fmt: skip
    if room > 0:

        def inner():
            return forged_value(rng, room - 1)

        def several():
            return ", ".join(inner() for _ in range(rng.choice([0, 1, 2, 5])))

        kinds += [
            lambda: f"[{several()}]",
            lambda: f'{{"tuple": [{several()}]}}',
            lambda: f'{{"complex": [{inner()}, {inner()}]}}',
            lambda: f'{{"dict": [[{inner()}, {inner()}], [{inner()}, {inner()}]]}}',
            lambda: f'{{"dict": {inner()}}}',
            lambda: "[" * rng.choice([10, 60]) + inner() + "]" * rng.choice([10, 60]),
            lambda: "[" + f"{forged_value(rng, 0)[:20]}, " * rng.choice([10, 30_000]) + "0]",
        ]  # fmt: skip
    return rng.choice(kinds)()[:2_000_000]


def count(value):
    """How many Python objects a value is, arrays counted as one."""
    return 1 + sum(1 for _ in leaves(value))


@pytest.mark.parametrize("seed", range(8))
def test_hundreds_of_forged_lines_end_in_values_or_bad_replies(seed):
    rng = random.Random(seed)
    kinds = set()
    for _ in range(150):
        outcome = outcome_of(value_line(forged_value(rng)))
        assert is_bad(outcome) or outcome.kind == "value"
        assert count(outcome.value) <= limits.MAX_VALUES + 1
        json.dumps(encode(outcome.value), ensure_ascii=False).encode("utf-8")
        kinds.add(outcome.kind)
    assert kinds == {"value", "error"}


@given(st.text(max_size=200) | st.text(alphabet='{}[]",:\\0', max_size=200))
def test_any_text_at_all_is_read_or_refused(text):
    try:
        assert isinstance(read_reply(text), dict)
    except ValueError:
        assert True


def test_a_forged_value_ends_in_a_verdict_of_every_exercise():
    rng = random.Random(11)
    values = [outcome_of(value_line(forged_value(rng))) for _ in range(60)]
    values = [outcome for outcome in values if outcome.kind == "value"]
    for number, exercise_id in enumerate(exercises()):
        check = compiled(exercise_id)
        outcome = values[number % len(values)]
        verdict = judge_all(check, lambda items, outcome=outcome: [outcome] * len(items))
        assert verdict.status in ("wrong", "error")
        assert len(verdict.text) < 1500


def test_an_answer_far_too_long_is_held_against_no_wrong_idea(monkeypatch):
    """Each of them would be compared with all of its parts, in every pair of two ideas: half a minute."""
    monkeypatch.setattr(judging.Namer, "name", lambda namer: pytest.fail("it was compared with wrong ideas"))
    for value in ([[[[0.5]]]] * 2000, list(range(9000)), {n: [0.0] * 9 for n in range(900)}):
        outcome = Outcome("value", value)
        verdict = judge_all(compiled("01.4"), lambda items, outcome=outcome: [outcome] * len(items))
        assert (verdict.status, verdict.right) == ("wrong", 0)
        assert verdict.text.startswith("01.4 not yet · the answer should ")


# --- what honest answers need ----------------------------------------------------------------------------------------


def test_every_right_answer_of_the_course_is_far_within_the_bounds():
    for exercise_id in exercises():
        for item in compiled(exercise_id)["cases"]:
            line = json.dumps({"id": 1, **Outcome("value", decode(item["expected"])).to_json()})
            hold_against_bounds(line)
            assert 4 * (line.count(",") + line.count("[") + line.count("{")) < limits.MAX_VALUES
            assert len(line) * 8 < limits.MAX_REPLY


def deepest(depth):
    """The deepest value that is kept, of what takes most brackets."""
    value = {"a": (1.0,)}
    for _ in range(depth):
        value = {"a": value}
    return value


def test_the_deepest_value_that_is_kept_comes_through():
    value = deepest(limits.MAX_DEPTH - 2)
    line = worker._line({"id": 1, **Outcome("value", value).to_json()})
    assert outcome_of(line).value == value


@pytest.mark.parametrize("value", [
    [0.0] * limits.MAX_VALUES, [np.zeros(1)] * limits.MAX_VALUES, np.zeros(1_000_000), ["a" * 5_000_000],
], ids=["list", "arrays", "array", "text"])  # fmt: skip
def test_an_honest_answer_that_is_too_large_is_told_so(value):
    line = worker._line({"id": 1, **Outcome("value", value).to_json()})
    outcome = outcome_of(line)
    assert outcome.kind == "value"
    assert outcome.value.kind.startswith("an answer of more than ")


def test_a_line_that_is_too_large_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(json, "loads", lambda *a, **k: pytest.fail("it was built"))
    for name in ("deep lists", "wide", "wide lists", "wide texts", "an integer without end", "many members"):
        with pytest.raises(TooLarge):
            read_reply(FORGED[name])
