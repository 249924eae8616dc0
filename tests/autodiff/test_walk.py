"""A backward pass that is walked edge by edge arrives at what the engine computes at once."""

import pytest

from coursepkg.autodiff.graph_reader import read_graph
from coursepkg.autodiff.scalar import Scalar, tanh
from coursepkg.autodiff.walk import walk_back


def graph():
    x, y = Scalar(0.7), Scalar(-1.3)
    a = x * y
    b = tanh(a) + x
    loss = b * b * a
    loss.backward()
    return read_graph(loss)


def test_all_contributions_together_are_the_gradients_of_the_engine():
    nodes = graph()
    found = list(walk_back(nodes, drawn=range(len(nodes)), boxes={}))
    assert len(found) == sum(len(node.parents) for node in nodes)
    totals = {each.parent: each.total for each in found}
    for node in nodes[:-1]:
        assert totals[node.index] == pytest.approx(node.grad, rel=1e-14)
    for each in found:
        [((node, place), share)] = each.sent.items()
        assert share == each.downstream == pytest.approx(each.upstream * nodes[node].local[place], rel=1e-15)


def test_a_box_sends_one_contribution_to_each_operand_outside_of_it():
    nodes = graph()
    leaves = [node.index for node in nodes if node.is_leaf]
    box = [node.index for node in nodes[:-1] if not node.is_leaf]
    drawn = [*leaves, box[-1], nodes[-1].index]
    found = [each for each in walk_back(nodes, drawn=sorted(drawn), boxes={box[-1]: box}) if each.node == box[-1]]
    assert sorted(each.parent for each in found) == leaves
    for each in found:
        assert each.downstream == pytest.approx(nodes[each.parent].grad, rel=1e-14)
        assert set(each.sent) <= {(index, place) for index in box for place in (0, 1)}


def test_an_operand_that_wants_no_gradient_gets_none():
    nodes = graph()
    found = walk_back(nodes, drawn=range(len(nodes)), boxes={}, rule=lambda node, up: [None] * len(node.parents))
    assert list(found) == []
