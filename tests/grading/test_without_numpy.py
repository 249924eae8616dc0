"""The judge without NumPy, as in a browser that reaches no network: the same verdicts, in the same words."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from coursepkg.grading.judging import plain_arrays as plain

ROOT = Path(__file__).parents[2]
BLOCKED = """
import sys
sys.path[:0] = {paths!r}
sys.modules["numpy"] = None
"""
# Each answer of a bank is judged twice in one process: with NumPy, then by the judge loaded again without it. An answer
# that uses NumPy itself is left out; no browser without NumPy could run it.
BOTH = """
import json, sys
sys.path[:0] = {paths!r}
import numpy
from grading_chapters import exercises

def helpers(answer, seen):
    if id(answer) in seen:
        return
    seen[id(answer)] = answer
    for part in vars(answer).values() if isinstance(answer, type) else (getattr(answer, "__func__", answer),):
        codes = [part.__code__] if hasattr(part, "__code__") else []
        while codes:
            code = codes.pop()
            codes += [constant for constant in code.co_consts if hasattr(constant, "co_names")]
            for name in code.co_names:
                helpers(part.__globals__.get(name), seen)
        for cell in getattr(part, "__closure__", None) or ():
            helpers(cell.cell_contents, seen)

def uses_numpy(answer):
    seen = dict()
    helpers(answer, seen)
    names = [getattr(part, "__name__", "") if isinstance(part, type(sys)) else getattr(part, "__module__", "")
             for part in seen.values()]
    return any(str(name).partition(".")[0] in ("numpy", "sympy") for name in names)

stored = {{entry["id"]: entry for chapter in ("01", "02")
          for entry in json.load(open({checks!r} + "/ex_" + chapter + ".json"))["exercises"]}}
tries = [(stored[name], label, answer)
         for name, exercise in exercises().items() if name in stored
         for label, answer in [("reference", exercise.reference)]
         + [(accepted.__name__, accepted) for accepted in exercise.accepted]
         + [(entry.id, entry.answer) for entry in exercise.bank]
         if not uses_numpy(answer)]

def verdicts():
    from coursepkg.grading.judging.calling import PROCESSOR, LocalCall
    from coursepkg.grading.judging.judge import judge
    found = []
    for check, label, answer in tries:
        told = judge(check, LocalCall(answer, check["driver"], time_by=PROCESSOR))
        words = [told.status, told.finding, told.right, told.total, told.text, told.sure, told.earned, repr(told.call)]
        found.append([check["id"], label, words])
    return found

before = verdicts()
for name in list(sys.modules):
    if name.partition(".")[0] == "numpy" or name.startswith("coursepkg.grading"):
        del sys.modules[name]
sys.modules["numpy"] = None
from coursepkg.grading.judging.arrays import NUMPY_IS_HERE
assert not NUMPY_IS_HERE
print("FOUND " + json.dumps([before, verdicts()]))
"""


def run(code, *arguments):
    paths = [str(ROOT), str(Path(__file__).parent)]
    code = code.format(paths=paths, checks=str(ROOT / "exercises" / ".checks"))
    command = [sys.executable, "-I", "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def verdicts():
    return json.loads(run(BOTH).rpartition("FOUND ")[2])


def test_answers_get_the_same_verdict_in_the_same_words(verdicts):
    before, after = verdicts
    assert len(before) > 250
    assert {words[0] for *_, words in before} == {"passed", "wrong"}
    assert [(told, again) for told, again in zip(before, after, strict=True) if told != again] == []


def test_what_learners_call_works_and_loads_no_numpy(tmp_path):
    code = BLOCKED + "from coursepkg.grading import check, hint, progress, review, inventory\n"
    code += "import os; os.chdir({checks!r} + '/..')\n"
    code += "check('01.1', lambda: None); hint('01.1'); progress(); review(); inventory.mark(dict())\n"
    code += "check('02.8', lambda f, x: (f(x + 1e-5) - f(x - 1e-5)) / 2e-5)\n"
    told = run(code)
    assert "01.1" in told
    assert "02.8 passed" in told


def test_numpy_that_comes_later_is_asked_for_before_everything_else():
    code = BLOCKED + "from coursepkg.grading import check\n"
    code += "import os; os.chdir({checks!r} + '/..')\n"
    code += "del sys.modules['numpy']; import numpy as np\n"
    code += "check('02.8', lambda f, x: np.float64(3))\n"
    code += "check('02.8', lambda f, x: (f(x + 1e-5) - f(x - 1e-5)) / 2e-5)\n"
    told = run(code)
    assert "Restart the kernel, write `import numpy as np` above everything else" in told
    assert "02.8 passed" in told


def test_numbers_that_come_from_elsewhere_are_read_without_numpy():
    code = BLOCKED + "import array, fractions; from coursepkg.grading.judging.values import tree\n"
    code += "print(tree([array.array('d', [1, 2]), memoryview(b'ab'), fractions.Fraction(1, 2), range(3)]).__repr__())"
    assert "0.5, [0, 1, 2]]" in run(code)


# Each answer is judged with NumPy and without it. What it returns holds buffers of Python's own, which become arrays.
BUFFERS = """
import array, json, sys
sys.path[:0] = {paths!r}
if sys.argv[1:] == ["without"]:
    sys.modules["numpy"] = None
from coursepkg.grading.judging.calling import LocalCall
from coursepkg.grading.judging.judge import judge
[check] = [entry for entry in json.load(open({checks!r} + "/ex_01.json"))["exercises"] if entry["id"] == "01.5"]

def credit(planned, actual):
    (b, f, p, k), (db, df, dp, dk) = planned, [a - p for a, p in zip(actual, planned)]
    return [(1 - f) / p * k * db, -b / p * k * df, -b * (1 - f) / p**2 * k * dp, b * (1 - f) / p * dk]

def one(number):
    return array.array("d", [number])

ANSWERS = [
    lambda *given: [one(number) for number in credit(*given)],
    lambda *given: [memoryview(one(number)).cast("B").cast("d", []) for number in credit(*given)],
    lambda *given: [one(2 * number) for number in credit(*given)],
    lambda *given: [memoryview(b"ab")] * 4,
]
for answer in ANSWERS:
    told = judge(check, LocalCall(answer, "call"))
    print(told.status, told.finding, told.text)
"""


def test_buffers_in_a_list_get_the_same_verdict_in_the_same_words():
    told, again = run(BUFFERS, "with"), run(BUFFERS, "without")
    assert told == again
    assert [line.split()[0] for line in told.splitlines() if line.startswith(("passed", "wrong"))] == (
        ["passed", "passed", "wrong", "wrong"]
    )


def test_entries_are_compared_bit_for_bit():
    zero, negative, nan = plain.asarray([0.0]), plain.asarray([-0.0]), plain.asarray([plain.inf]) * 0.0
    assert zero.tobytes() == plain.zeros(1).tobytes() != negative.tobytes()
    assert nan.tobytes() == nan.copy().tobytes()


# --- arrays in plain Python -------------------------------------------------------------------------------------------

ONE = [[1.5, -2.0, 0.0], [3.0, 4.25, -0.5]]
OTHER = [[2.0, 3.0, -1.0], [0.5, -4.0, 8.0]]


def same(ours, theirs):
    theirs = np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert ours.dtype.kind == theirs.dtype.kind
    np.testing.assert_allclose(np.array(ours.flat).reshape(ours.shape), theirs, rtol=4e-16)


@pytest.mark.parametrize(
    "function",
    [
        lambda n, a, b: a + 2 * b - a / b,
        lambda n, a, b: (a < b) & ~(a == b) | (a >= 3),
        lambda n, a, b: a[a > 0],
        lambda n, a, b: a.sum(axis=0) + a.sum(axis=1)[0],
        lambda n, a, b: b.mean(axis=1),
        lambda n, a, b: n.swapaxes(a, -1, -2),
        lambda n, a, b: n.where(a > b, a, 0.0),
        lambda n, a, b: n.round(a * 1.2345, 2) + n.floor(a) + n.ceil(a) + n.trunc(a),
        lambda n, a, b: n.sort(a, axis=None),
        lambda n, a, b: n.concatenate([a.ravel(), b.ravel()[:2]]),
        lambda n, a, b: n.stack([a, b]).reshape((3, 4)),
        lambda n, a, b: n.abs(a * 1j + b).real,
        lambda n, a, b: n.asarray(a.tolist() + b.tolist(), dtype=complex),
        lambda n, a, b: a[1] + b[:, :1] if n is np else a[1] + n.asarray([[2.0], [0.5]]),
        lambda n, a, b: n.isfinite(n.where(b == -1.0, n.inf, b)),
        lambda n, a, b: n.diff(a.ravel()),
        lambda n, a, b: n.isin(a, (0, 3)),
        lambda n, a, b: n.asarray(a > 0),
        lambda n, a, b: a.astype(int),
        lambda n, a, b: n.cumsum([2, 0, 3]),
    ],
)
def test_plain_arrays_do_as_numpys_do(function):
    same(function(plain, plain.asarray(ONE), plain.asarray(OTHER)), function(np, np.asarray(ONE), np.asarray(OTHER)))


def test_plain_numbers_of_32_bits_lose_the_digits_that_numpys_lose():
    numbers = [0.1, 1.5, -2e38, 1e300, 2.0**-150]
    ours = plain.asarray(numbers).astype(plain.float32).astype(plain.float64)
    with np.errstate(over="ignore"):
        assert ours.tolist() == np.asarray(numbers).astype(np.float32).astype(np.float64).tolist()


def test_plain_arrays_divide_by_zero_and_overflow_as_numpy_does():
    ours = plain.asarray([1.0, -1.0, 0.0]) / plain.zeros(3)
    assert str(ours.tolist()) == "[inf, -inf, nan]"
    assert (10.0 ** plain.asarray([400.0])).tolist() == [plain.inf]
    assert plain.abs(plain.asarray(complex(1.7e308, 1.7e308))).tolist() == plain.inf


@pytest.mark.parametrize("value", [[[1, 2], [3]], "12", None, {1.0}, [1.0, "2"]])
def test_what_is_no_array_is_refused(value):
    with pytest.raises((TypeError, ValueError)):
        plain.asarray(value)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="fit no single one"):
        plain.asarray([1.0, 2.0]) + plain.asarray([1.0, 2.0, 3.0])


def test_types_are_named_and_compared_as_numpys():
    for value in (True, 3, 2.5, 1j, [1, 2.5], [True, 2], []):
        assert plain.asarray(value).dtype.kind == np.asarray(value).dtype.kind
        assert plain.shape(value) == np.shape(value)
    assert plain.asarray(1.0).dtype == plain.float64 == plain.dtype("float64") == plain.dtype(float)
    assert plain.asarray(1).dtype != plain.float64
