# ruff: noqa: SIM105, F841, B012, BLE001, E722 - these answers do what no answer should
"""Whatever an answer does, a call ends: with a value, or with plain words about what happened."""

import contextlib
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

from coursepkg.grading.judging.calling import PROCESSOR, LocalCall, Outcome, TimeLimit
from coursepkg.grading.judging.values import encode

CASE = {"args": [1.5], "kwargs": {}}


def outcome(answer, seconds=0.2, driver="call", case=CASE):
    return LocalCall(answer, driver, seconds=seconds)(case)


# --- what is left behind ---------------------------------------------------------------------------------------------


def test_a_call_that_is_cut_off_inside_numpy_leaves_its_error_handling_as_it_was():
    """NumPy's linear algebra changes it for a moment; if the bell rings just then, later calls would raise."""

    def cut_off(x):
        np.errstate(invalid="call", call=lambda *words: pytest.fail("left behind")).__enter__()
        while True:
            pass

    before = np.geterr(), np.geterrcall()
    assert outcome(cut_off).kind == "time-limit"
    assert (np.geterr(), np.geterrcall()) == before
    assert outcome(lambda x: np.float64(np.inf) * 0.0).kind == "value"


# --- endless loops ---------------------------------------------------------------------------------------------------


def plain_loop(x):
    while True:
        pass


def swallows(x):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


def swallows_in_two_frames(x):
    while True:
        try:
            swallows(x)
        except BaseException:
            pass


def swallows_three_deep(x):
    while True:
        try:
            try:
                try:
                    while True:
                        sum(range(10))
                except BaseException:
                    x = 1
            except BaseException:
                x = 2
        except BaseException:
            x = len("a")


def goes_on_in_finally(x):
    while True:
        try:
            swallows_three_deep(x)
        finally:
            continue


def suppresses(x):
    while True:
        with contextlib.suppress(BaseException):
            swallows(x)


def sleeps(x):
    while True:
        try:
            time.sleep(100)
        except:
            pass


def mixed(x):
    while True:
        try:
            try:
                swallows_in_two_frames(x)
            except BaseException:
                goes_on_in_finally(x)
        except BaseException:
            suppresses(x)


def prints_without_end(x):
    while True:
        print("x" * 1000)


def returns_when_stopped(x):
    try:
        while True:
            pass
    except BaseException:
        return x


class LoopsWhenDeleted:
    """Of what is raised in ``__del__``, the interpreter tells only its ``unraisablehook``."""

    def __del__(self):
        for _ in range(200_000):
            pass


def makes_what_loops_when_deleted(x):
    while True:
        try:
            LoopsWhenDeleted()
        except BaseException:
            pass


LOOPS = [plain_loop, swallows, swallows_in_two_frames, swallows_three_deep, goes_on_in_finally, suppresses, sleeps]
LOOPS += [mixed, prints_without_end, returns_when_stopped, makes_what_loops_when_deleted]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a POSIX timer")
@pytest.mark.parametrize("answer", LOOPS, ids=lambda answer: answer.__name__)
def test_an_endless_loop_ends(answer):
    hooks = sys.gettrace(), sys.getprofile(), signal.getsignal(signal.SIGALRM)
    assert outcome(answer).kind == "time-limit"
    assert (sys.gettrace(), sys.getprofile(), signal.getsignal(signal.SIGALRM)) == hooks
    assert sys.exc_info() == (None, None, None), "the learner's next traceback would begin with ours"
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a POSIX timer")
def test_what_an_answer_raises_in_a_finalizer_is_told_as_elsewhere(monkeypatch):
    """Even while the bell rings: whoever tells it (here a slow one) is not cut off."""
    told = []

    def tells(unraisable):
        until = time.process_time() + 0.12
        while time.process_time() < until:
            pass
        told.append(str(unraisable.exc_value))

    class Fails:
        def __del__(self):
            raise ValueError("in a finalizer")

    def fails(x):
        for _ in range(3):
            Fails()
        while True:
            pass

    monkeypatch.setattr(sys, "unraisablehook", tells)
    assert LocalCall(fails, "call", seconds=0.2, time_by=PROCESSOR)(CASE).kind == "time-limit"
    assert len(told) > 1
    assert set(told) == {"in a finalizer"}
    assert sys.unraisablehook is tells


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a POSIX timer")
@pytest.mark.parametrize("answer", [loop for loop in LOOPS if loop is not sleeps], ids=lambda answer: answer.__name__)
def test_an_endless_loop_ends_by_processor_time_too(answer):
    hooks = sys.gettrace(), sys.getprofile(), signal.getsignal(signal.SIGPROF)
    assert LocalCall(answer, "call", seconds=0.2, time_by=PROCESSOR)(CASE).kind == "time-limit"
    assert (sys.gettrace(), sys.getprofile(), signal.getsignal(signal.SIGPROF)) == hooks
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


def test_by_processor_time_waiting_is_free():
    """Whether an answer waits for a crowded machine or for a clock: only what it computes itself counts."""

    def waits(x):
        time.sleep(0.5)
        return x

    assert LocalCall(waits, "call", seconds=0.1, time_by=PROCESSOR)(CASE).value == 1.5
    assert LocalCall(waits, "call", seconds=0.1)(CASE).kind == "time-limit"


@pytest.mark.parametrize("answer", [plain_loop, prints_without_end, returns_when_stopped], ids=lambda a: a.__name__)
def test_an_endless_loop_ends_in_another_thread_too(answer):
    found = []
    thread = threading.Thread(target=lambda: found.append(outcome(answer)))
    thread.start()
    thread.join()
    assert [item.kind for item in found] == ["time-limit"]


def test_time_is_shared_by_all_calls_of_a_check():
    call = LocalCall(plain_loop, "call", seconds=0.1)
    assert [call(CASE).kind for _ in range(50)] == ["time-limit"] * 50


def test_a_timer_that_was_set_before_goes_on():
    if not hasattr(signal, "setitimer"):
        pytest.skip("needs a POSIX timer")
    rung = []
    previous = signal.signal(signal.SIGALRM, lambda *args: rung.append(1))
    signal.setitimer(signal.ITIMER_REAL, 30)
    try:
        assert outcome(lambda x: x).kind == "value"
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 30
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


# --- errors ----------------------------------------------------------------------------------------------------------


def raises(error):
    def answer(x):
        raise error

    return answer


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("not even this")


class Own(BaseException):
    pass


ERRORS = [
    SystemExit(3), KeyboardInterrupt(), GeneratorExit(), MemoryError(), Own("mine"), Unprintable(), StopIteration(1),
    RecursionError(), ExceptionGroup("several", [ValueError("one")]), AssertionError(), TimeoutError("late"),
]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_nothing_that_is_raised_escapes(error):
    found = outcome(raises(error))
    assert (found.kind, found.error) == ("error", type(error).__name__)
    assert found.source == "raise error"


def test_a_learner_cannot_pretend_that_time_ran_out():
    assert outcome(raises(TimeLimit())).kind == "time-limit"


def test_recursion_and_memory_end():
    def recursive(x):
        return recursive(x) + 1

    assert outcome(recursive, seconds=5).error == "RecursionError"
    assert outcome(lambda x: np.zeros(2**60), seconds=5).error in ("MemoryError", "ValueError", "_ArrayMemoryError")
    assert outcome(exit).error in ("SystemExit", "ValueError")


def test_the_line_is_the_learners_own():
    def helper(values):
        return np.linalg.inv(values)  # fails inside numpy

    def answer(x):
        y = x + 1
        return helper(np.zeros((2, 3))) + y

    found = outcome(answer, seconds=5)
    assert found.error == "LinAlgError"
    assert found.source.startswith("return np.linalg.inv(values)")
    assert found.line == helper.__code__.co_firstlineno + 1


def test_errors_in_our_own_driver_show_no_line():
    class NoPlus:
        def __init__(self, data):
            self.data = data

    case = {"args": [encode(("add", ("var", 0), ("var", 0))), [1.5]], "kwargs": {}}
    found = outcome(NoPlus, driver="scalar_expression", case=case, seconds=5)
    assert (found.error, found.line, found.source) == ("TypeError", None, "")


# --- output and warnings ---------------------------------------------------------------------------------------------


def test_prints_are_kept_from_the_page_and_cut(capsys):
    def answer(x):
        for i in range(10_000):
            print("line", i)
        print("to stderr", file=sys.stderr)
        return x

    found = outcome(answer, seconds=5)
    assert found.value == 1.5
    assert found.printed.startswith("line 0\nline 1\n")
    assert len(found.printed) <= 2000
    assert capsys.readouterr() == ("", "")


def test_a_warning_is_no_error():
    def answer(x):
        warnings.warn("an overflow, say\nsecond line", RuntimeWarning, stacklevel=1)
        return np.float64(x) + np.exp(np.float64(1000)) * 0 if x < 0 else x

    found = outcome(answer, seconds=5)
    assert found.value == 1.5
    assert found.warned == "RuntimeWarning: an overflow, say second line"


def test_arguments_that_were_changed_are_noticed():
    case = {"args": [encode(np.array([1.5, 2.0])), [1, 2]], "kwargs": {"k": [3]}}
    assert not outcome(lambda a, b, k: a + 1, case=case).changed
    assert outcome(lambda a, b, k: a.sort(), case={**case, "args": [encode(np.array([2.0, 1.5])), [1, 2]]}).changed
    assert outcome(lambda a, b, k: b.append(3), case=case).changed
    assert outcome(lambda a, b, k: k.append(object()), case=case).changed
    assert outcome(lambda a, b, k: b.clear() or 1 / 0, case=case).changed


class Asked:
    """What is put among the arguments and would rather not be compared."""

    def __eq__(self, other):
        raise SystemExit("it was asked")

    def __hash__(self):
        return hash("a")


@pytest.mark.parametrize("change", [
    lambda d, xs: xs.__setitem__(0, Asked()), lambda d, xs: d.__setitem__("a", Asked()),
    lambda d, xs: (d.clear(), d.__setitem__(Asked(), 1.5)), lambda d, xs: xs.__setitem__(0, xs),
])  # fmt: skip
def test_nothing_that_an_answer_put_among_its_arguments_is_asked_to_compare(change):
    found = outcome(lambda d, xs: change(d, xs) and None, case={"args": [encode({"a": 1.5}), [1.0]], "kwargs": {}})
    assert (found.kind, found.changed) == ("value", True)


def test_an_outcome_survives_json():
    for item in (
        Outcome("value", {"a": (1.5, np.ones((2, 3), dtype=np.float32))}, changed=True, printed="x"),
        Outcome("error", error="ValueError", message="no", line=3, source="x = 1"),
        Outcome("time-limit"),
    ):
        assert repr(Outcome.from_json(item.to_json())) == repr(item)
    for data in ({}, {"kind": "value", "score": 1}, {"kind": "value", "value": {"array": 1}}):
        with pytest.raises((TypeError, ValueError)):
            Outcome.from_json(data)


# --- answers that cannot be used -------------------------------------------------------------------------------------


class AClass:
    pass


@pytest.mark.parametrize(("answer", "words"), [
    (3.0, "it was given a number"),
    ("f", "it was given a string"),
    (None, "it was given None"),
    (AClass, "it was given the class AClass"),
    ([1], "it was given a list"),
    (..., "it was given `...`"),
    (np.ones(3), "it was given an array of shape (3,)"),
    (lambda: 1, "with 1 argument; yours takes (nothing)"),
    (lambda a, b: 1, "with 1 argument; yours takes (a, b)"),
    (lambda *, a: 1, "with 1 argument"),
])  # fmt: skip
def test_what_cannot_be_called_is_said(answer, words):
    found = outcome(answer)
    assert found.kind == "wrong-kind"
    assert words in found.message


@pytest.mark.parametrize(
    "answer", [np.sin, np.vectorize(lambda x: x), abs, lambda x, y=2: x, lambda *a: a[0]], ids=range(5)
)
def test_what_can_be_called_is_called(answer):
    assert outcome(answer, seconds=5).kind == "value"


def test_a_class_is_needed_where_a_class_is_asked_for():
    case = {"args": [encode(("var", 0)), [1.5]], "kwargs": {}}
    for answer in (3.0, lambda x: x, None):
        found = outcome(answer, driver="scalar_expression", case=case)
        assert found.kind == "wrong-kind"
        assert "checks a class" in found.message


def test_our_own_faults_are_called_ours():
    assert outcome(abs, driver="nothing").kind == "infrastructure"
    assert outcome(abs, case={"args": [{"tuple": 1}], "kwargs": {}}).kind == "infrastructure"
    assert outcome(abs, case={}).kind == "infrastructure"


def test_the_judge_needs_numpy_alone():
    code = (
        "import sys; import coursepkg.grading; "
        "print(sorted({'matplotlib', 'sympy', 'scipy', 'IPython', 'pandas', 'coursepkg.autodiff'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
