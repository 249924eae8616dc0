"""When a wrong idea is named, when it is only asked about, and when two are there at once."""

import numpy as np
import pytest
from grading_chapters import judged
from made_up import exercise, named, verdict

from coursepkg.grading import case
from coursepkg.grading.judging.calling import LocalCall
from coursepkg.grading.judging.judge import judge
from coursepkg.grading.specification.compiling import compile_check

RNG = np.random.default_rng(13)
NUMBERS = [case(1.52, 2.21), case(-0.53, 3.13), case(2.44, 0.71), case(0.93, -1.31)]
VECTORS = [case(RNG.normal(size=n), RNG.normal(size=n)) for n in (3, 4, 2)]


def product(a, b):
    return a * b


@named("added")
def added(a, b):
    return a + b


@named("nothing-moves")
def nothing_moves(a, b):
    return 1.0 * a


@named("never-filled")
def never_filled(a, b):
    return 0.0 * a


@named("always-one")
def always_one(a, b):
    return np.ones_like(a)


# --- named or asked about --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cases", [NUMBERS, VECTORS])
def test_an_idea_that_explains_telling_numbers_is_named(cases):
    found = verdict(product, cases, lambda a, b: b + a, added)
    assert (found.finding, found.sure) == ("added", True)
    assert found.lines[1] == "The reason."


@pytest.mark.parametrize("idea", [nothing_moves, never_filled, always_one])
@pytest.mark.parametrize("cases", [NUMBERS, VECTORS])
def test_copies_of_inputs_zeros_and_ones_are_shared_by_many_mistakes_and_only_asked_about(idea, cases):
    found = verdict(product, cases, idea, idea)
    assert (found.status, found.finding, found.sure) == ("wrong", idea.named, False)
    assert "Could this be why? The reason." in found.text
    assert found.lines[-1].startswith("For `answer(")


def test_an_idea_that_shows_in_one_number_is_only_asked_about():
    @named("cut-off-too-early")
    def cut(a, b):
        return a * b if b > -1 else a / b

    found = verdict(product, NUMBERS, cut, cut)
    assert (found.finding, found.sure) == ("cut-off-too-early", False)


def test_yes_and_no_in_a_few_places_are_only_asked_about_and_in_many_are_named():
    @named("other-way-round")
    def flipped(a, b):
        return [bool(x > y) for x, y in zip(a, b, strict=True)]

    def less(a, b):
        return [bool(x < y) for x, y in zip(a, b, strict=True)]

    long = [case(RNG.normal(size=n), RNG.normal(size=n)) for n in (8, 12, 9)]
    assert not verdict(less, VECTORS, flipped, flipped).sure
    assert verdict(less, long, flipped, flipped).sure


def test_rows_of_an_input_in_another_arrangement_are_telling_and_the_whole_input_is_not():
    tables = [case(RNG.normal(size=(n, 4)), np.roll(np.arange(n), 2)) for n in (5, 6, 7)]

    @named("not-sorted")
    def untouched(x, order):
        return x

    @named("upside-down")
    def reverse(x, order):
        return x[order][::-1]

    for idea, sure in ((untouched, False), (reverse, True)):
        found = verdict(lambda x, order: x[order], tables, idea, idea)
        assert (found.finding, found.sure) == (idea.named, sure)


def test_an_idea_that_explains_all_but_one_number_is_neither_named_nor_asked_about():
    for off in (0, 3):
        found = verdict(product, NUMBERS, lambda a, b, off=off: a + b + (a == NUMBERS[off].args[0]), added)
        assert found.finding == "value"
        assert "Could" not in found.text


def test_hidden_inputs_are_not_shown_in_a_question():
    found = verdict(product, NUMBERS, nothing_moves, nothing_moves, fields={"hidden": True})
    assert not found.sure
    assert "For `" not in found.text


def test_an_idea_that_explains_the_parts_that_are_wrong_is_asked_about_before_a_constant_is():
    @named("rate-of-one-always")
    def fixed(a, b):
        return {"product": a + b, "rate": 1.25}

    def both(a, b):
        return {"product": a * b, "rate": a - b}

    def answer(a, b):
        return {**both(a, b), "rate": 1.25}

    assert verdict(both, NUMBERS, answer).finding == "ignores-input"
    found = verdict(both, NUMBERS, answer, fixed)
    assert (found.finding, found.sure) == ("rate-of-one-always", False)
    assert verdict(both, NUMBERS, lambda a, b: {"product": a / b, "rate": 1.25}, fixed).finding == "ignores-input"


# --- two at once -----------------------------------------------------------------------------------------------------


def rule(op, a, b):
    return (a * b, a + b)[op == "add"], (a - b, b - a)[op == "add"]


RULES = [case(op, *RNG.uniform(0.3, 2.7, size=2).round(3)) for op in ("add", "mul", "add", "mul", "add", "mul")]


@named("sum-as-a-difference")
def slip_in_sum(op, a, b):
    return (a - 3 * b, b - a) if op == "add" else rule(op, a, b)


@named("product-as-a-quotient")
def slip_in_product(op, a, b):
    return (a / b, a - b) if op == "mul" else rule(op, a, b)


@named("second-result-doubled")
def slip_in_second(op, a, b):
    value, other = rule(op, a, b)
    return value, 2.3 * other + 1


@named("all-negative")
def slip_everywhere(op, a, b):
    return tuple(-x for x in rule(op, a, b))


IDEAS = (slip_in_sum, slip_in_product, slip_in_second, slip_everywhere)


def both_in_turn(op, a, b):
    return slip_in_sum(op, a, b) if op == "add" else slip_in_product(op, a, b)


def both_in_parts(op, a, b):
    return slip_in_sum(op, a, b)[0], slip_in_second(op, a, b)[1]


@pytest.mark.parametrize(("answer", "ids"), [
    (both_in_turn, "sum-as-a-difference+product-as-a-quotient"),
    (both_in_parts, "sum-as-a-difference+second-result-doubled"),
])  # fmt: skip
def test_two_known_mistakes_in_other_calls_or_parts_are_both_named(answer, ids):
    found = verdict(rule, RULES, answer, *IDEAS)
    assert (found.status, found.finding, found.sure) == ("wrong", ids, True)
    assert "At least two things" in found.lines[0]
    for number, idea in enumerate(IDEAS):
        assert (f"It looks like case {number}." in found.text) == (idea.named in ids.split("+"))
    assert len(found.lines) <= 4


def test_two_mistakes_in_two_rows_of_one_array_are_both_named():
    def table(x):
        return np.stack([x**2, 3 * x, x - 1])

    @named("cubed")
    def cubed(x):
        return np.stack([x**3, 3 * x, x - 1])

    @named("added-one")
    def added_one(x):
        return np.stack([x**2, 3 * x, x + 1])

    @named("last-row-doubled")
    def doubled(x):
        return np.stack([x**2, 3 * x, 2 * x - 2])

    cases = [case(RNG.uniform(1.5, 4, size=n)) for n in (3, 5, 2)]
    found = verdict(table, cases, lambda x: np.stack([x**3, 3 * x, x + 1]), cubed, added_one, doubled)
    assert found.finding == "cubed+added-one"


def test_two_mistakes_of_which_one_tells_little_are_asked_about():
    @named("sum-left-empty")
    def empty(op, a, b):
        return (0.0, 0.0) if op == "add" else rule(op, a, b)

    found = verdict(rule, RULES, lambda op, a, b: (empty if op == "add" else slip_in_product)(op, a, b),
                    empty, slip_in_product)  # fmt: skip
    assert (found.finding, found.sure) == ("sum-left-empty+product-as-a-quotient", False)
    assert "Could one of them be this?" in found.text


@pytest.mark.parametrize("off", [0, 1, 4])
def test_two_mistakes_must_explain_every_number(off):
    def answer(op, a, b):
        value, other = both_in_turn(op, a, b)
        return value + 0.3 * (a == RULES[off].args[1]), other

    assert verdict(rule, RULES, answer, *IDEAS).finding == "value"


def test_where_one_of_two_mistakes_should_show_and_does_not_they_are_not_named():
    def half(op, a, b):
        if a == RULES[2].args[1]:
            return rule(op, a, b)
        return both_in_turn(op, a, b)

    assert verdict(rule, RULES, half, *IDEAS).finding == "value"


# --- state -----------------------------------------------------------------------------------------------------------


def stateful_sum():
    total = []

    def answer(a, b):
        total.append(a * b)
        return sum(total)

    return answer


def test_a_stateful_idea_of_the_bank_keeps_its_name_and_the_state_is_told():
    @named("total-never-emptied")
    def kept(a, b, total=[]):  # noqa: B006 - the slip itself
        total.append(a * b)
        return sum(total)

    def fresh(fields):
        kept.__defaults__[0].clear()
        return verdict(product, NUMBERS, stateful_sum(), kept, fields=fields)

    assert fresh({}).finding == "total-never-emptied"
    assert "same call made twice also gives two different answers" in fresh({}).text


def test_state_takes_the_place_of_a_name_that_is_known_to_keep_none():
    def adds_at_first(calls):
        def answer(a, b):
            calls.append(a)
            return a + b if len(calls) <= len(NUMBERS) else a - b

        return answer

    check = compile_check(exercise(product, NUMBERS, added))
    for known, name in (({}, "added"), ({"keeps_state": True}, "added"), ({"keeps_state": False}, "accumulates")):
        entries = [{**entry, **known} for entry in check["misconceptions"]]
        found = judge({**check, "misconceptions": entries}, LocalCall(adds_at_first([]), "call"))
        assert found.finding == name
        assert "two different answers" in found.text


def test_an_answer_that_always_raises_gets_no_pair_of_names():
    @named("fails-on-short-ones")
    def short(a, b):
        return a[2] * b if len(a) < 3 else 2 * a * b

    @named("fails-on-long-ones")
    def long(a, b):
        return a[9] * b if len(a) > 2 else 3 * a * b

    found = verdict(product, VECTORS, lambda a, b: (a * b)[99], short, long)
    assert (found.status, found.finding) == ("error", "IndexError")


def test_ideas_that_are_worked_out_only_when_asked_for_are_held_against_an_answer_two_by_two():
    """As in batch grading: what an idea gives comes case by case, once."""
    check = compile_check(exercise(product, NUMBERS, added, nothing_moves, never_filled, always_one))
    answer = LocalCall(lambda a, b: a + b if a > 0 else 1.0 * a, "call")
    lazy = {**check, "misconceptions": [_Lazy(entry) for entry in check["misconceptions"]]}
    found = judge(lazy, answer)
    assert found.finding == judge(check, answer).finding == "added+nothing-moves"


class _Lazy(dict):
    def __getitem__(self, name):
        value = super().__getitem__(name)
        return map(dict, value) if name == "outcomes" else value


def test_a_long_list_in_place_of_an_array_is_held_against_the_ideas():
    """What is asked for is counted by its numbers, in whatever holds them."""
    long = [case(RNG.normal(size=300), RNG.normal(size=300)), *VECTORS]
    found = verdict(product, long, lambda a, b: (a + b).tolist(), added)
    assert (found.finding, found.sure) == ("added", True)


def test_what_the_first_call_was_given_is_not_taken_for_something_left_out():
    """The first call of 02.2 has an upstream gradient that shows, so whoever keeps it does not seem to ignore it."""
    kept = []

    def keeps_the_first(x, y, z, f_bar):
        kept.append(f_bar)
        return z * kept[0], z * kept[0], (x + y) * kept[0]

    assert judged("02.2", keeps_the_first).finding != "ignores-upstream"


@pytest.mark.parametrize("answer", [
    lambda coins, tiers: 1 / [price for start, price in tiers if start <= max(coins - 0.5, 0)][-1],
    lambda coins, tiers: 1 / [price for start, price in tiers if start <= max(coins - 0.4, 0)][-1],
])  # fmt: skip
def test_a_part_of_a_coin_back_is_not_taken_for_rounding(answer):
    assert judged("01.4", answer).finding != "whole-coins"
