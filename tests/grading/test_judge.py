"""The judge: what it accepts, in which order it names what is wrong, and what it never says."""

import numpy as np
import pytest
from made_up import exercise, named, verdict

from coursepkg.grading import case
from coursepkg.grading.judging.calling import LocalCall, Outcome
from coursepkg.grading.judging.feedback import PATTERNS
from coursepkg.grading.judging.judge import judge
from coursepkg.grading.specification.compiling import compile_check

RNG = np.random.default_rng(7)
BATCHES = [case(RNG.normal(size=(n, d))) for n, d in [(4, 3), (3, 2), (5, 2)]]
SQUARES = [case(RNG.normal(size=(n, n))) for n in (3, 4, 2)]
NUMBERS = [case(1.5, 2.0), case(-0.5, 3.0), case(2.0, 0.7)]


def column_sums(x):
    return x.sum(axis=0)


def product(a, b):
    return a * b


# --- generic patterns ------------------------------------------------------------------------------------------------

PATTERNED = {
    "zero": lambda x: 0 * x.sum(axis=0),
    "twice": lambda x: 2 * x.sum(axis=0),
    "half": lambda x: x.sum(axis=0) / 2,
    "negative": lambda x: -x.sum(axis=0),
    "n-times": lambda x: x.sum(axis=0) * len(x),
    "one-nth": lambda x: x.mean(axis=0),
    "wrong-axis": lambda x: x.sum(axis=1),
    "not-summed": lambda x: x,
    "not-averaged": lambda x: x * len(x),
    "summed-too-far": lambda x: x.sum(),
    "extra-axis": lambda x: x.sum(axis=0, keepdims=True),
    "other-order": lambda x: x.sum(axis=0)[::-1],
    "constant-factor": lambda x: 3.7 * x.sum(axis=0),
}


@pytest.mark.parametrize("name", PATTERNED)
def test_generic_pattern_is_named(name):
    found = verdict(column_sums, BATCHES, PATTERNED[name])
    assert (found.status, found.finding) == ("wrong", name)
    assert PATTERNS[name][0].partition("{")[0] in found.text


@pytest.mark.parametrize("name", PATTERNED)
def test_a_pattern_that_fails_in_one_case_is_not_named(name):
    def answer(x):
        return PATTERNED[name](x) + (0.31 if len(x) == 5 else 0.0)

    found = verdict(column_sums, BATCHES, answer)
    assert found.status == "wrong"
    assert found.finding not in PATTERNS


@pytest.mark.parametrize("name", PATTERNED)
def test_a_pattern_that_is_right_in_one_case_is_not_named(name):
    def answer(x):
        return column_sums(x) if len(x) == 5 else PATTERNED[name](x)

    assert verdict(column_sums, BATCHES, answer).finding not in PATTERNS


def test_transposed_is_named_for_square_and_other_matrices():
    for cases in (BATCHES, SQUARES):
        assert verdict(lambda x: 3 * x + 1, cases, lambda x: (3 * x + 1).T).finding == "transposed"
        assert verdict(lambda x: x.T.copy(), cases, lambda x: x).finding == "transposed"


def test_wrong_axis_is_named_for_square_matrices():
    assert verdict(column_sums, SQUARES, lambda x: x.sum(axis=1)).finding == "wrong-axis"


def test_equal_totals_are_no_evidence_where_every_right_answer_has_the_same_total():
    def softmax(x):
        e = np.exp(x)
        return (e / e.sum()).sum(axis=0)

    found = verdict(softmax, SQUARES, lambda x: np.full(len(x), 1 / len(x)) + np.linspace(-0.1, 0.1, len(x)))
    assert found.finding == "value"


def test_zeros_in_the_right_answer_are_no_evidence_for_a_factor():
    def relu(x):
        return max(x, 0.0)

    cases = [case(-1.0), case(2.0), case(-3.0), case(1.5)]
    assert verdict(relu, cases, lambda x: 2 * max(x, 0.0)).finding == "twice"
    assert verdict(relu, cases, lambda x: 2 * max(x, 0.0) if x > 1.7 else max(x, 0.0)).finding == "value"
    assert verdict(relu, cases, lambda x: 2 * x).finding == "value"


def test_an_answer_that_ignores_its_inputs_is_named():
    assert verdict(product, NUMBERS, lambda a, b: 3.0).finding == "ignores-input"


def test_a_pattern_is_found_in_one_part_of_an_answer():
    def both(a, b):
        return {"value": a * b, "gradients": [b, a]}

    found = verdict(both, NUMBERS, lambda a, b: {"value": a * b, "gradients": [2 * b, 2 * a]})
    assert found.finding == "twice"
    assert "In `gradients`: every number is twice" in found.text
    found = verdict(lambda a, b: (a * b, a - 2 * b), NUMBERS, lambda a, b: [a * b, 2 * b - a])
    assert found.finding == "negative"
    assert "In the second of two results: every number has the wrong sign" in found.text


# --- what is kept, what is changed -----------------------------------------------------------------------------------


def test_changing_an_argument_in_place_is_noticed_although_the_numbers_are_right():
    def in_place(x):
        x *= 1.0
        x += 1.0
        return x.sum(axis=0)

    assert verdict(lambda x: (x + 1.0).sum(axis=0), BATCHES, in_place).finding == "changes-input"
    lists = [case([1.0, 2.5]), case([2.0, -0.5]), case([0.3, 0.9, 1.1])]
    assert verdict(sum, lists, lambda xs: sum(xs.pop() for _ in range(len(xs)))).finding == "changes-input"
    assert verdict(sum, lists, lambda xs: sum(xs[:])).passed


def test_an_array_that_all_calls_return_is_noticed_although_each_number_was_right_when_it_came():
    """The caller of `first = f(x)` and `second = f(y)` holds one array under two names."""
    buffer, sums = {}, []

    def one_array(x):
        shape = x.shape[1:]
        np.sum(x, axis=0, out=(kept := buffer.setdefault(shape, np.zeros(shape))))
        return kept

    def one_list(x):
        sums[:] = x.sum(axis=0)
        return sums

    same_width = [case(RNG.normal(size=(n, 3))) for n in (4, 2, 5)]

    def parts_of_one_array(x):
        everything = buffer.setdefault("", np.zeros(10))
        return np.sum(x, axis=0, out=everything[: x.shape[1]])

    for answer in (one_array, one_list, parts_of_one_array):
        found = verdict(lambda x: x.sum(axis=0), same_width, answer)
        assert (found.status, found.finding) == ("wrong", "one-object-for-all-calls")
        assert found.lines[0].endswith("a later call changes what an earlier one returned.")
    turns = [case(RNG.normal(size=shape)) for shape in ((4, 3), (2, 2), (5, 3), (1, 2))]
    assert verdict(lambda x: x.sum(axis=0), turns, one_array).finding == "one-object-for-all-calls"
    remembered = {}
    by_bytes = lambda x: remembered.setdefault(x.tobytes(), x.sum(axis=0))  # noqa: E731
    assert verdict(lambda x: x.sum(axis=0), same_width, by_bytes).passed
    assert verdict(lambda x: x * 1.0, same_width, lambda x: x).passed


def test_a_changed_argument_is_told_first_where_the_numbers_are_wrong_too():
    def sorts(xs):
        first = xs[0]
        xs.sort()
        return [first, xs[0]]

    lists = [case([2.0, -0.5, 3.0]), case([2.0, -0.5]), case([0.3, 0.9, 0.1, -4.0])]
    found = verdict(lambda xs: [xs[0], xs[-1]], lists, sorts)
    assert found.finding == "changes-input"
    assert found.lines[0].endswith("Your function changes what it was given.")
    assert "work on a copy" in found.lines[1]
    assert found.lines[2:] == ("Entry 1 is too small (yours: -0.5).", "For `answer([2, -0.5, 3])`")

    def scales(g, eta):
        g *= eta
        return g

    steps = [case(RNG.normal(size=n), eta) for n, eta in [(3, 0.5), (2, 0.25), (4, 0.75)]]
    found = verdict(lambda g, eta: -eta * g, steps, scales)
    assert (found.finding, "wrong sign" in found.text) == ("changes-input", True)
    assert "The numbers are right" not in found.text
    assert verdict(lambda g, eta: -eta * g, steps, scales, named("a-minus-lost")(scales)).finding == "a-minus-lost"


def test_a_kept_list_or_number_is_noticed():
    def with_default(x, seen=[]):  # noqa: B006 - the slip itself
        seen.append(x)
        return sum(item.sum() for item in seen) * np.ones(2)

    def first_right(a, b, state={"calls": 0}):  # noqa: B006 - the slip itself
        state["calls"] += 1
        return a * b * (1 if state["calls"] <= 3 else 2)

    assert verdict(lambda x: x.sum() * np.ones(2), BATCHES, with_default).finding == "accumulates"
    assert verdict(product, NUMBERS, first_right).finding == "accumulates"
    chance = np.random.default_rng(0)
    assert verdict(product, NUMBERS, lambda a, b: a * b + chance.normal()).finding == "accumulates"


def test_a_stale_global_is_noticed():
    stale = {"a": 1.5}
    assert verdict(product, NUMBERS, lambda a, b: stale["a"] * b).status == "wrong"


# --- the bank --------------------------------------------------------------------------------------------------------


@named("forgets-the-mean")
def forgets_mean(x):
    return x.sum(axis=0)


@named("sums-rows")
def sums_rows(x):
    return x.sum(axis=1)


def test_a_bank_entry_is_preferred_to_the_pattern_that_says_the_same():
    def mean(x):
        return x.mean(axis=0)

    assert verdict(mean, BATCHES, forgets_mean).finding == "n-times"
    found = verdict(mean, BATCHES, forgets_mean, forgets_mean)
    assert found.finding == "forgets-the-mean"
    assert found.lines == ("07.1 not yet · It looks like case 0.", "The reason.", "Look again at: the page")


def test_a_bank_entry_with_another_shape_is_named_before_the_shape():
    found = verdict(lambda x: x.max(axis=0), BATCHES, sums_rows, sums_rows)
    assert found.finding == "sums-rows"


def test_a_bank_entry_must_explain_the_cases_that_it_gets_right():
    @named("absolute-value-forgotten")
    def signed(x):
        return x

    cases = [case(-1.5), case(2.0), case(-0.7), case(3.0)]
    assert verdict(abs, cases, signed, signed).finding == "absolute-value-forgotten"
    assert verdict(abs, cases, lambda x: x if x < 0 else x + 1, signed).finding == "value"
    assert verdict(abs, cases, lambda x: x if x > -1 else -x, signed).finding == "value"


def test_a_bank_entry_may_raise_in_some_cases_and_is_named_only_if_those_cases_raise():
    @named("no-empty-list")
    def first_of(xs):
        return xs[0] + sum(xs[1:]) if xs[0] > 1 else 1 / 0

    cases = [case([2.0, 1.0]), case([0.5, 4.0]), case([3.0])]
    found = verdict(sum, cases, first_of, first_of)
    assert (found.status, found.finding) == ("wrong", "no-empty-list")
    assert "ZeroDivisionError" in found.text
    assert verdict(sum, cases, lambda xs: 1 / 0, first_of).finding == "ZeroDivisionError"
    assert verdict(sum, cases, lambda xs: sum(xs) if xs[0] > 1 else [][0], first_of).finding == "IndexError"


def test_a_bank_entry_that_differs_only_by_what_it_changes_is_told_apart():
    @named("works-in-place")
    def in_place(x):
        x += 1.0
        return x.sum(axis=0)

    def reference(x):
        return (x + 1.0).sum(axis=0)

    assert verdict(reference, BATCHES, in_place, in_place).finding == "works-in-place"
    assert verdict(reference, BATCHES, reference, in_place).passed


# --- statuses and order ----------------------------------------------------------------------------------------------


def stub(*args):
    raise NotImplementedError("07.1: write your answer here")


def test_the_five_statuses_are_distinct():
    assert verdict(product, NUMBERS, product).status == "passed"
    assert verdict(product, NUMBERS, lambda a, b: a).status == "wrong"
    assert verdict(product, NUMBERS, lambda a, b: 1 / 0).status == "error"
    assert verdict(product, NUMBERS, stub).status == "not-attempted"
    check = {**compile_check(exercise(product, NUMBERS)), "driver": "no such driver"}
    assert judge(check, LocalCall(product, "no such driver")).status == "infrastructure"


def test_only_passed_counts_as_passed():
    check = compile_check(exercise(product, NUMBERS))
    for outcome in (
        Outcome("infrastructure", message="numpy cannot be imported"),
        Outcome("not-attempted"),
        Outcome("time-limit"),
        Outcome("error", error="ValueError"),
        Outcome("wrong-kind"),
        Outcome("value", None),
        Outcome("value", 0.0),
    ):
        found = judge(check, lambda item, outcome=outcome: outcome)
        assert not found.passed
        assert found.lines


def test_a_lost_worker_in_the_last_case_is_no_pass():
    check = compile_check(exercise(product, NUMBERS))
    right = LocalCall(product, "call")
    for outcome in (Outcome("infrastructure"), Outcome("time-limit"), Outcome("error", error="ProcessEnded")):
        calls = iter([right, right, lambda item, outcome=outcome: outcome, right])
        assert judge(check, lambda item, calls=calls: next(calls)(item)).status in ("infrastructure", "error")


def test_a_half_written_answer_is_an_error_and_not_untouched():
    def half(a, b):
        if a > 0:
            return a * b
        raise NotImplementedError

    found = verdict(product, NUMBERS, half)
    assert found.status == "error"
    assert "not written yet" in found.text


def test_an_answer_that_uses_another_stub_is_sent_there():
    def uses_other(a, b):
        raise NotImplementedError("07.3: write your answer here")

    found = verdict(product, NUMBERS, uses_other)
    assert found.status == "not-attempted"
    assert "07.3" in found.text


def test_right_and_wrong_cases_are_counted():
    found = verdict(product, NUMBERS, lambda a, b: a * b if a > 0 else a + b)
    assert (found.right, found.total) == (2, 3)
    assert "2 of 3 calls are right" in found.text
    assert "answer(-0.5, 3)" in found.text


@pytest.mark.parametrize(("answer", "words"), [
    (lambda a, b: None, "`None`"),
    (lambda a, b: str(a * b), "text"),
    (lambda a, b: np.array([a * b, b]), "it has (2,)"),
    (lambda a, b: [a, b, a], "shape"),
    (lambda a, b: (a for _ in "x"), "yield"),
    (lambda a, b: map(float, [a]), "list(...)"),
    (lambda a, b: print, "a function"),
    (lambda a, b: float("nan"), "NaN"),
    (lambda a, b: a * b * float("inf"), "infinite"),
    (lambda a, b: a * b + 0.3, "too large (yours: 3.3)"),
    (lambda a, b: a * b - 0.3 * a, "too small"),
    (lambda a, b: -a * b + 0.1, "wrong sign"),
    (lambda a, b: {"answer": a * b}, "a dictionary"),
])  # fmt: skip
def test_the_first_difference_is_said_in_words(answer, words):
    found = verdict(product, NUMBERS, answer)
    assert found.status == "wrong"
    assert words in found.text


ROWS = [case(RNG.normal(size=n)) for n in (3, 4, 2)]


@pytest.mark.parametrize(("held", "words"), [
    (lambda x: [[1.0], [2.0, 3.0]], "a list of lists"), (lambda x: [*x[1:], "a"], "a list that holds a string"),
    (lambda x: (None, *x[1:]), "a tuple that holds None"), (lambda x: [[1.0, None]], "a list that holds None"),
    (lambda x: [1.0, [2.0, 3.0]], "a list that holds lists and numbers"), (lambda x: {}, "a dictionary"),
    (lambda x: [np.ones(2), np.ones(3)], "a list of arrays"),
])  # fmt: skip
def test_what_a_list_holds_is_said_where_it_is_no_list_of_numbers(held, words):
    assert verdict(lambda x: 2 * x, ROWS, held).lines[0].endswith(f"of 3 numbers; it is {words}.")


def test_an_empty_list_is_asked_for_in_words():
    cases = [case([-1.0]), case([2.5, -1.0]), case([1.5, 3.25])]
    found = verdict(lambda xs: [x for x in xs if x > 0], cases, lambda xs: [x for x in xs if x > 0] or None)
    assert "the answer should be an empty list or array; it is None." in found.text
    found = verdict(lambda xs: [xs, [*xs, 1.5]], cases, lambda xs: None)
    assert "the answer should be a list or tuple of 2 entries; it is None." in found.text


def test_one_array_in_place_of_several_results_is_told():
    def both(x):
        return x[:2], 3 * x[:2]

    found = verdict(both, ROWS, lambda x: x[:2])
    assert "the answer should be a tuple of two results; it is one array of shape (2,)." in found.text
    assert verdict(both, ROWS, lambda x: np.stack(both(x))).passed
    found = verdict(lambda x: {"step": both(x)}, ROWS, lambda x: {"step": x[:2]})
    assert "`step` should be a tuple of two parts; it is one array of shape (2,)." in found.text


@pytest.mark.parametrize("count", [1, 2])
def test_a_list_of_arrays_is_one_in_words_whether_or_not_it_could_be_stacked(count):
    def weights(x):
        return {"weights": [x + k for k in range(count)]}

    single = verdict(weights, BATCHES, lambda x: {"weights": x[0]})
    assert f"`weights` should be a list of {('one array', 'two arrays')[count - 1]}; it is one array of" in single.text
    off = verdict(weights, BATCHES, lambda x: {"weights": [x + k + 0.1 * (k == count - 1) for k in range(count)]})
    place = ("the only entry", "the second of two entries")[count - 1]
    assert f"`weights`, {place}, row 0, column 0 is" in off.text
    shape = verdict(weights, BATCHES, lambda x: {"weights": [x[:, :1] for k in range(count)]})
    assert "should have shape (4, 3); it has (4, 1)" in shape.text
    assert verdict(weights, BATCHES, lambda x: {"weights": np.stack(weights(x)["weights"])}).passed


def test_yes_and_no_are_asked_for_in_words():
    def positive(xs):
        return [x > 0 for x in xs]

    lists = [case([1.5, -2.0]), case([-0.5, 3.0, 1.0]), case([2.0])]
    assert "True or False for each entry; it is numbers" in verdict(positive, lists, lambda xs: xs).text
    assert verdict(positive, lists, lambda xs: [x <= 0 for x in xs]).finding in ("value", "other-order")
    assert verdict(positive, lists, lambda xs: [int(x > 0) for x in xs]).passed


def test_the_expected_number_is_never_shown():
    found = verdict(lambda a, b: a * b + 0.123456, NUMBERS, lambda a, b: a * b + 0.2)
    assert "3.123" not in found.text


def test_hidden_inputs_and_messages_stay_hidden():
    def tells(a, b):
        print("seen", a, b)
        raise ValueError(f"the inputs were {a} and {b}")

    check = compile_check(exercise(product, NUMBERS), np.random.default_rng(1))
    for answer in (tells, lambda a, b: a, lambda a, b: a * b if a > 0 else 77.7, lambda a, b: [a]):
        found = judge(check, LocalCall(answer, "call"))
        assert not found.passed
        for secret in ("0.5", "3.0", "1.5", "77.7", "were", "seen"):
            assert secret not in found.text


def test_judging_the_same_answer_twice_says_the_same():
    for answer in (product, lambda a, b: a, lambda a, b: a + 0.1, lambda a, b: 1 / 0, stub):
        assert verdict(product, NUMBERS, answer) == verdict(product, NUMBERS, answer)


# --- the call that failed --------------------------------------------------------------------------------------------

MIXED = [case(np.array([1.5, -2.0]), [3, (4.0, "a")], eta=0.1), case(np.array([0.5]), [2, (1.0, "b")], eta=0.2),
         case(np.array([2.5, 0.7, -1.1]), [1, (2.0, "c")], eta=0.3)]  # fmt: skip


def scaled(x, more, eta):
    return eta * x * more[0]


def fails_at(count, how):
    def answer(x, more, eta):
        return how(x) if len(x) == count else scaled(x, more, eta)

    return answer


def changes_its_input(x, more, eta):
    result = scaled(x, more, eta)
    x += 1.0
    return result


@pytest.mark.parametrize(("answer", "number"), [
    (fails_at(2, lambda x: x), 0), (fails_at(1, lambda x: x), 1), (fails_at(3, lambda x: None), 2),
    (fails_at(1, lambda x: {}["a"]), 1), (fails_at(3, lambda x: [x, x]), 2), (changes_its_input, 0),
    (lambda x, more, eta: 2 * scaled(x, more, eta), 0),
])  # fmt: skip
def test_a_verdict_carries_the_arguments_of_the_first_call_that_failed(answer, number):
    args, kwargs = verdict(scaled, MIXED, answer).call
    np.testing.assert_array_equal(args[0], MIXED[number].args[0], strict=True)
    assert (args[1], kwargs) == (MIXED[number].args[1], MIXED[number].kwargs)


def test_the_arguments_are_copies_that_an_answer_has_not_touched():
    seen = []

    def keeps(x, more, eta):
        seen.append(x)
        x -= 7.0
        return x

    args, _ = verdict(scaled, MIXED, keeps).call
    assert not any(np.shares_memory(args[0], x) for x in seen)
    np.testing.assert_array_equal(args[0], MIXED[0].args[0])


def test_an_endless_call_is_carried_too():
    def endless(x, more, eta):
        while len(x) == 1:
            pass
        return scaled(x, more, eta)

    check = compile_check(exercise(scaled, MIXED))
    args, _ = judge(check, LocalCall(endless, "call", seconds=0.3)).call
    assert args[0].shape == (1,)


def test_there_are_no_arguments_where_all_went_well_or_inputs_are_hidden():
    assert verdict(scaled, MIXED, scaled).call is None
    assert verdict(scaled, MIXED, stub).call is None
    for answer in (fails_at(1, lambda x: x), fails_at(1, lambda x: 1 / 0), lambda x, more, eta: 2 * x):
        assert verdict(scaled, MIXED, answer, fields={"hidden": True}).call is None


def test_what_a_driver_gets_is_carried_for_its_exercise():
    def slope(f, x):
        return f(x)

    def middle_slope(f, x):
        return (f(x + 1e-6) - f(x - 1e-6)) / 2e-6

    cases = [case("square", 1.5), case("cube", -0.5), case("bowl", 2.5)]
    check = compile_check(exercise(middle_slope, cases, driver="slope_of", rtol=1e-4))
    assert judge(check, LocalCall(slope, "slope_of")).call == (("square", 1.5), {})


def test_more_axes_of_length_one_pass_only_where_the_exercise_allows_them():
    def with_axis(x, more, eta):
        return scaled(x, more, eta)[:, None]

    assert verdict(scaled, MIXED, with_axis).status == "wrong"
    assert verdict(scaled, MIXED, with_axis, fields={"extra_axes": True}).passed
    assert not verdict(scaled, MIXED, lambda *a, **k: 2 * with_axis(*a, **k), fields={"extra_axes": True}).passed
