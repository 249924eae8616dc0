"""Questions about the backward pass: right answers pass, typical wrong ones are named."""

import pytest
from drawn import fork, random_expression, run, skip

from coursepkg.autodiff.graph_reader import read_graph
from coursepkg.autodiff.scalar import Scalar
from coursepkg.visualize.graph.stepper import Passes
from coursepkg.visualize.graph.story import questions, tell_graph


def judge(question, answer):
    """What a page says to an answer: "" if it is right."""
    if question.right[0] <= answer <= question.right[1]:
        return ""
    return next((words for low, high, words in question.replies if low <= answer <= high), question.otherwise)


@pytest.mark.parametrize("seed", range(12))
def test_right_answers_pass_as_numbers_and_as_drawn(seed):
    """What each edge sends back, from the gradients of the engine's own backward pass."""
    passes = Passes(run(random_expression(seed)))
    for number, question in questions(passes).items():
        result, position = passes.steps[number].edge
        answer = passes.nodes[result].grad * passes.nodes[result].local[position]
        assert judge(question, answer) == ""
        assert judge(question, float(f"{answer:.3g}")) == ""


def test_there_is_one_question_per_edge():
    assert len(tell_graph(fork()).asks) == sum(len(node.parents) for node in read_graph(fork()))
    assert 0 < len(tell_graph(skip()).asks) < 40


def test_typical_wrong_answers_are_named():
    x, y = Scalar(3.0, label="x"), Scalar(5.0, label="y")
    p = x * y
    p.label = "p"
    [to_x] = [question for question in tell_graph(p * 7).asks.values() if "back to x" in question.text]
    assert judge(to_x, 35.0) == ""
    for answer, words in (
        (7.0, "upstream gradient. Multiply"), (5.0, "local derivative. Multiply"), (-35.0, "sign"), (12.0, "You added"),
        (3.0, "forward value of x"), (100.0, "upstream gradient is 7"),
    ):  # fmt: skip
        assert words in judge(to_x, answer)


def test_the_running_sum_at_a_fork_is_told_from_the_contribution():
    x = Scalar(3.0, label="x")
    *_, to_x = (question for question in tell_graph(x * 4 + x * 0.5).asks.values() if "back to x" in question.text)
    assert judge(to_x, 4.5) == "Not yet. That is the sum at x so far. This edge is asked for alone."
    assert judge(to_x, 4.0) == ""
