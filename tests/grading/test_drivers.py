"""Drivers: an answer of any form is put to use, and one that does not fit gets plain words."""

import copy
import math

import numpy as np
import pytest
from grading_chapters import OWN, exercises, judged

from coursepkg.grading.judging.calling import LocalCall
from coursepkg.grading.judging.drivers import BINARY, DRIVERS, _lies_between, formula, graph
from coursepkg.grading.judging.values import encode
from coursepkg.grading.specification.chapters import load_specs

ANSWERS = {exercise.id: exercise.reference for exercise in load_specs(OWN / "solutions" / "specs")["90"]}
NUMBER = ANSWERS["90.3"]
X0, X1 = ("var", 0), ("var", 1)
SHARED = ("mul", ("add", X0, X1), ("add", X0, X1))


def used(driver, answer, *args, **kwargs):
    """The outcome of an answer under a driver, through JSON as in a worker."""
    case = {"args": [encode(arg) for arg in args], "kwargs": {k: encode(v) for k, v in kwargs.items()}}
    return LocalCall(answer, driver, seconds=5)(case)


# --- functions -------------------------------------------------------------------------------------------------------


def test_call_gives_the_value():
    assert used("call", lambda a, *, b: a * b, 2.0, b=3.0).value == 6.0


def test_changed_arguments_gives_them_back_and_keeps_the_originals():
    def update(weights, gradients, eta):
        for i, gradient in enumerate(gradients):
            weights[i] -= eta * gradient

    found = used("changed_arguments", update, [1.0, 2.0], [0.5, 1.0], 0.1)
    assert found.value == [[0.95, 1.9], [0.5, 1.0], 0.1]
    assert not found.changed


def test_repeated_gives_all_states():
    def move(state, eta):
        state -= eta * state
        return state

    found = used("repeated", move, np.array([1.0, -2.0]), 0.5, times=2)
    np.testing.assert_allclose(found.value, [[0.5, -1.0], [0.25, -0.5]], rtol=1e-12)


# --- classes ---------------------------------------------------------------------------------------------------------


def test_scalar_drivers_give_value_local_derivatives_and_gradients():
    assert used("scalar_forward", NUMBER, SHARED, [2.0, 3.0]).value == 25.0
    assert used("scalar_local", NUMBER, ("mul", X0, X1), [2.0, 3.0]).value == {
        "value": 6.0,
        "parents": [2.0, 3.0],
        "local_grads": [3.0, 2.0],
    }
    assert used("scalar_expression", NUMBER, SHARED, [2.0, 3.0]).value == {"value": 25.0, "gradients": [10.0, 10.0]}
    twice = used("scalar_expression", NUMBER, SHARED, [2.0, 3.0], repeat=2).value
    assert twice == {"value": 25.0, "gradients": [20.0, 20.0]}


def test_equal_parts_of_an_expression_are_one_node():
    output, variables, nodes = graph(SHARED, [2.0, 3.0])
    assert len(nodes) == 4
    assert output.parents[0] is output.parents[1]
    assert [node.data for node in variables] == [2.0, 3.0]


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "neg", "exp", "log", "sin", "cos", "tanh", "relu"])
def test_rules_of_given_nodes_agree_with_finite_differences(name):
    point = [1.3, 0.7][: 2 if name in BINARY else 1]
    expression = (name, *(("var", i) for i in range(len(point))))
    for i, rate in enumerate(graph(expression, point)[0].local_grads):
        above, below = ([*point[:i], point[i] + h, *point[i + 1 :]] for h in (1e-6, -1e-6))
        slope = (graph(expression, above)[0].data - graph(expression, below)[0].data) / 2e-6
        assert math.isclose(rate, slope, rel_tol=1e-7)


class Slots:
    __slots__ = ("data",)

    def __init__(self, data):
        self.data = data


class NoBackward(NUMBER):
    backward = None


class NoGrad:
    def __init__(self, data):
        self.data = data

    def __add__(self, other):
        return NoGrad(self.data + other.data)

    def backward(self):
        pass


class PlainResult(NUMBER):
    def __add__(self, other):
        return self.data + other.data


class Forgets(NUMBER):
    def __add__(self, other):
        pass


class NeedsTwo:
    def __init__(self, data, label):
        pass


class Empty:
    pass


SUM = ("add", X0, X1)
MISFITS = [
    (Empty, SUM, "TypeError", "takes no arguments"),
    (NeedsTwo, SUM, "TypeError", "label"),
    (Slots, SUM, "TypeError", "unsupported operand"),
    (NoGrad, SUM, "Misfit", "A variable has no `.grad`"),
    (PlainResult, SUM, "Misfit", "The result has no `.data`; it is of type int"),
    (Forgets, SUM, "Misfit", "The result has no `.data`; it is of type NoneType"),
    (NoBackward, SUM, "TypeError", "'NoneType' object is not callable"),
    (NUMBER, ("sqrt", X0), "Misfit", "has no method `sqrt()`"),
    (int, SUM, "Misfit", "The result has no `.data`; it is of type int"),
    (list, SUM, "TypeError", "not iterable"),
    (type, SUM, "TypeError", ""),
    (Exception, SUM, "TypeError", "unsupported operand"),
]


@pytest.mark.parametrize(("answer", "expression", "error", "words"), MISFITS, ids=lambda item: str(item)[:40])
def test_a_class_of_another_form_gets_plain_words(answer, expression, error, words):
    found = used("scalar_expression", answer, expression, [2, 3])
    assert (found.kind, found.error) == ("error", error)
    assert words in found.message


# --- graphs and training ---------------------------------------------------------------------------------------------


def test_any_right_order_is_right():
    for answer in exercises()["90.4"].accepted:
        found = used("topological_order", answer, SHARED, [2.0, 3.0])
        assert found.value == {
            "different nodes": 4,
            "entries in the list": 4,
            "edges in the wrong direction": 0,
            "output at its end of the list": True,
            "nodes left changed": 0,
        }
    backwards = used("topological_order", lambda node: ANSWERS["90.4"](node)[::-1], SHARED, [2.0, 3.0], output="first")
    assert backwards.value["edges in the wrong direction"] == 0
    assert backwards.value["output at its end of the list"]


@pytest.mark.parametrize(("answer", "words"), [
    (lambda node: None, "returned NoneType"),
    (lambda node: "abc", "returned str"),
    (lambda node: 3, "returned int"),
    (lambda node: [1, 2], "nodes themselves"),
    (lambda node: [node, None], "nodes themselves"),
    (lambda node: {node: 1}, "returned dict"),
])  # fmt: skip
def test_what_is_no_list_of_nodes_gets_plain_words(answer, words):
    found = used("topological_order", answer, SHARED, [2.0, 3.0])
    assert found.error == "Misfit"
    assert words in found.message
    assert judged("90.4", answer).status == "error"
    assert words in judged("90.4", answer).text


def test_an_empty_or_unhashable_order_is_wrong_and_no_crash():
    assert judged("90.4", lambda node: []).status == "wrong"
    assert judged("90.4", lambda node: set(ANSWERS["90.4"](node))).status == "wrong"


def test_backward_fills_in_variables_and_inner_nodes():
    found = used("backward_on_graph", ANSWERS["90.5"], SHARED, [2.0, 3.0])
    assert found.value == {"gradients": [10.0, 10.0], "inner nodes": [10.0, 1.0], "nodes left changed": 0}
    deleted = used("backward_on_graph", lambda node: delattr(node, "grad"), SHARED, [2.0, 3.0])
    assert deleted.error == "Misfit"


def test_coupled_parameters_feel_each_other():
    """Whoever moves one parameter before the next gradient is worked out ends elsewhere."""

    def one_by_one(parameters, loss_of, eta):
        for parameter in parameters:
            for other in parameters:
                other.zero_grad()
            loss_of().backward()
            parameter.data -= eta * parameter.grad

    inputs = ([1.0, -1.0], [1.0, 2.0], [0.0, 1.0], 0.5)
    together = used("training_step", ANSWERS["90.6"], *inputs, steps=1, coupling=0.8)
    apart = used("training_step", one_by_one, *inputs, steps=1, coupling=0.8)
    np.testing.assert_allclose(together.value["parameters"], [[0.9, 1.4]], rtol=1e-12)
    np.testing.assert_allclose(apart.value["parameters"], [[0.9, 1.44]], rtol=1e-12)


STEPS = [1.0, -1.0], [1.0, 2.0], [0.0, 1.0], 0.5


@pytest.mark.parametrize("change", [
    lambda parameters: parameters.reverse(),
    lambda parameters: parameters.pop(),
    lambda parameters: parameters.append(parameters[0]),
    lambda parameters: parameters.__setitem__(1, copy.copy(parameters[1])),
])  # fmt: skip
def test_a_step_leaves_the_list_as_it_is(change):
    def answer(parameters, loss_of, eta):
        ANSWERS["90.6"](parameters, loss_of, eta)
        change(parameters)

    found = used("training_step", answer, *STEPS)
    assert (found.error, found.message.startswith("The list of parameters is not as it was")) == ("Misfit", True)


@pytest.mark.parametrize(("returned", "words"), [(0.5, "float"), ([], "list"), (False, "bool")])
def test_a_step_returns_nothing(returned, words):
    def answer(parameters, loss_of, eta):
        ANSWERS["90.6"](parameters, loss_of, eta)
        return returned

    found = used("training_step", answer, *STEPS)
    assert (found.error, found.message) == (
        "Misfit", f"A step returns nothing; yours returned an object of type {words}."
    )  # fmt: skip


def test_all_steps_get_one_loss_so_whoever_keeps_its_first_value_is_found():
    kept = {}

    def answer(parameters, loss_of, eta):
        ANSWERS["90.6"](parameters, lambda: kept.setdefault(loss_of, loss_of()), eta)

    found = used("training_step", answer, *STEPS, steps=2).value["parameters"]
    right = used("training_step", ANSWERS["90.6"], *STEPS, steps=2).value["parameters"]
    np.testing.assert_array_equal(found[0], right[0])
    assert abs(found[1][0] - right[1][0]) > 0.1


def test_training_steps_follow_the_gradient():
    found = used("training_step", ANSWERS["90.6"], [1.0, -1.0], [1.0, 2.0], [0.0, 1.0], 0.5, steps=2)
    np.testing.assert_allclose(found.value["parameters"], [[0.5, 1.0], [0.25, 1.0]], rtol=1e-12)


def test_every_driver_says_what_it_takes_and_words_its_cases():
    for name, driver in DRIVERS.items():
        assert driver.takes in ("function", "class"), name
        assert driver.run.__doc__, name


def test_formulas_read_like_formulas():
    expression = ("add", ("mul", ("const", 2.0), X0), ("tanh", ("neg", ("pow", X1, ("const", 2)))))
    assert formula(expression) == "(2 * x0) + tanh(-(x1 ** 2))"


# --- kept between calls, in between, at a kink -----------------------------------------------------------------------


class PlainZero(NUMBER):
    def __mul__(self, other):
        return 0.0


def test_a_plain_number_in_the_middle_of_an_expression_is_named():
    found = used("scalar_expression", PlainZero, ("add", X0, ("mul", X0, X1)), [2.0, 3.0])
    assert (found.error, found.message) == ("Misfit", "`x0 * x1` has no `.data`; it is of type float.")
    asked = used("scalar_expression", PlainZero, ("tanh", ("mul", X0, X1)), [2.0, 3.0])
    assert (asked.error, asked.message) == ("Misfit", "An operation gave a plain float, which has no method `tanh()`.")


class Pretends(float):
    """A number that lies between any two."""

    __le__ = __ge__ = lambda self, other: True


class Sloped(NUMBER):
    slope = 0.0

    def relu(self):
        return self * type(self)(type(self).slope)


@pytest.mark.parametrize(("slope", "given"), [
    (0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (np.float32(0.5), 0.0), (np.array(0.5), 0.0),
    (2.0, 2.0), (-0.5, -0.5), (math.nan, math.nan),
])  # fmt: skip
def test_at_a_kink_any_slope_of_a_range_is_as_good(slope, given):
    answer = type("Bend", (Sloped,), {"slope": slope})
    found = used("scalar_expression", answer, ("relu", X0), [0.0], any_from_0_to=1)
    np.testing.assert_equal(np.asarray(found.value["gradients"], dtype=float), [given])


def test_a_number_that_compares_as_it_likes_lies_between_nothing():
    assert not _lies_between(0, Pretends(7.0), 1)


def marked(root):
    """An order that leaves a mark on each node that it has seen."""
    order = []

    def visit(node):
        if not hasattr(node, "seen"):
            node.seen = True
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(root)
    return order


def test_marks_left_on_nodes_show_in_a_second_call():
    once = used("topological_order", marked, SHARED, [2.0, 3.0]).value
    assert once["different nodes"] == 4
    assert used("topological_order", marked, SHARED, [2.0, 3.0], after=SHARED).value["different nodes"] == 0
    assert used("topological_order", marked, SHARED, [2.0, 3.0], after=SUM).value["different nodes"] == 1
    again = used("topological_order", ANSWERS["90.4"], SHARED, [2.0, 3.0], after=SHARED)
    assert again.value == once | {"nodes left changed": 0}


def overwriting(root):
    root.grad = 1.0
    for node in reversed(ANSWERS["90.4"](root)):
        node.local_grads = [node.grad * rate for rate in node.local_grads]
        for parent, report in zip(node.parents, node.local_grads, strict=True):
            parent.grad += report


def test_a_second_backward_pass_finds_gradients_at_zero_and_what_the_first_one_left():
    right = used("backward_on_graph", ANSWERS["90.5"], SHARED, [2.0, 3.0]).value
    for after in (SHARED, SUM, X0):
        assert used("backward_on_graph", ANSWERS["90.5"], SHARED, [2.0, 3.0], after=after).value == right
    once = used("backward_on_graph", overwriting, SHARED, [2.0, 3.0]).value
    assert once == right | {"nodes left changed": 4}
    again = used("backward_on_graph", overwriting, SHARED, [2.0, 3.0], after=SHARED).value
    assert again["gradients"] != right["gradients"]


def test_whoever_takes_the_parents_away_still_gets_all_nodes_judged():
    def forgetful(root):
        nodes = ANSWERS["90.4"](root)
        ANSWERS["90.5"](root)
        for node in nodes:
            node.parents = node.local_grads = ()

    assert used("backward_on_graph", forgetful, SHARED, [2.0, 3.0]).value["inner nodes"] == [10.0, 1.0]
    again = used("backward_on_graph", forgetful, SHARED, [2.0, 3.0], after=SUM).value
    assert again["gradients"] == [0.0, 0.0]


def test_a_sum_has_as_many_parents_as_it_is_given():
    output, _, _ = graph(("sum", X0, X1, ("mul", X0, X1), X0), [2.0, 3.0])
    assert output.data == 13.0
    assert output.local_grads == (1.0,) * 4
    assert output.parents[0] is output.parents[3]


def test_a_case_says_on_what_the_answer_was_called_before():
    for name in ("backward_on_graph", "topological_order"):
        said = DRIVERS[name].show(SUM, [2.0, 3.0], after=("mul", X0, X0))
        assert said == "x0 + x1 at x0 = 2, x1 = 3, after a call on x0 * x0"


@pytest.mark.parametrize("leave", [
    lambda node: setattr(node, "seen", False),
    lambda node: setattr(node, "data", node.data + 1),
    lambda node: setattr(node, "parents", list(node.parents)),
    lambda node: setattr(node, "local_grads", list(node.local_grads)),
])  # fmt: skip
def test_what_is_left_on_the_nodes_is_counted(leave):
    def order(root):
        found = ANSWERS["90.4"](root)
        for node in found:
            leave(node)
        return found

    def backward(root):
        ANSWERS["90.5"](root)
        for node in ANSWERS["90.4"](root):
            leave(node)

    for after in ({}, {"after": SHARED}):
        assert used("topological_order", order, SHARED, [2.0, 3.0], **after).value["nodes left changed"] == 4
        assert used("backward_on_graph", backward, SHARED, [2.0, 3.0], **after).value["nodes left changed"] == 4


def test_an_order_leaves_the_gradients_as_they_are_too():
    def order(root):
        root.grad = 1.0
        return ANSWERS["90.4"](root)

    assert used("topological_order", order, SHARED, [2.0, 3.0]).value["nodes left changed"] == 1
    assert used("topological_order", ANSWERS["90.4"], SHARED, [2.0, 3.0], after=SUM).value["nodes left changed"] == 0


def test_a_long_formula_is_cut_for_the_reader():
    long = X0
    for _ in range(60):
        long = ("add", ("mul", long, X1), X0)
    shown = DRIVERS["backward_on_graph"].show(long, [1.5, 2.0], after=long)
    assert len(shown) < 240
    assert shown.startswith("((((")
    assert shown.endswith("+ x0")


def test_a_list_that_was_handed_out_is_the_callers():
    known = {}

    def order(root):
        if root not in known:
            known[root] = ANSWERS["90.4"](root)
        return known[root]

    assert used("topological_order", order, SHARED, [2.0, 3.0], after=SHARED).value["entries in the list"] == 0


def test_a_form_that_does_not_fit_has_no_name_for_learners():
    """The class of our own error says nothing to them, on inputs that are shown or not."""
    for seed in (None, 1):
        for answer in (lambda node: None, lambda node: [node, None]):
            assert "Misfit" not in judged("90.4", answer, seed).text
    [plain] = [entry.answer for entry in exercises()["02.7"].bank if entry.id == "relu-gives-a-plain-zero"]
    assert "Misfit" not in judged("02.7", plain).text
