"""How far the levels of a tree move, and how numbers are counted in a contest."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

from coursepkg import datasets, neural_tree
from coursepkg.neural_tree.contest import contest, contestants, numbers_in
from coursepkg.neural_tree.pace import moves_by_depth


@pytest.fixture(scope="module")
def iris():
    X, y = datasets.iris()
    return X / X.max(axis=0), y


@pytest.fixture
def moves(iris):
    tree, targets = neural_tree.random_tree(4, 3, rng=np.random.default_rng(2)), datasets.one_hot(iris[1], 3)

    def of(name):
        return moves_by_depth(tree, iris[0], targets, name, updates=10, rng=np.random.default_rng(3))

    return of


def test_descent_hardly_moves_the_lower_levels_and_rmsprop_moves_all(moves):
    slow, even = moves("gd")[-1], moves("rmsprop")[-1]
    assert slow[0] > 1000 * slow[-1]
    assert even.max() < 10 * even.min()


def test_the_first_move_of_descent_is_the_rate_times_the_gradient(iris):
    tree, targets = neural_tree.random_tree(4, 3, rng=np.random.default_rng(2)), datasets.one_hot(iris[1], 3)
    pick = np.random.default_rng(3).integers(len(iris[0]), size=1)
    moved = moves_by_depth(tree, iris[0], targets, "gd", updates=1, lr=0.5, rng=np.random.default_rng(3))
    neural_tree.value_and_gradient(tree, iris[0][pick], targets[pick])
    outputs = np.mean([abs(float(np.squeeze(node.bias_gradient))) for node in tree.outputs])
    assert moved[0, 0] == pytest.approx(0.5 * outputs, rel=1e-12)
    assert outputs > 1e-3


@pytest.mark.parametrize(("model", "expected"), [
    (LogisticRegression(max_iter=2000), 15),
    (MLPClassifier(7, max_iter=3000), 4 * 7 + 7 + 7 * 3 + 3),
])  # fmt: skip
def test_weights_and_biases_are_counted(model, expected, iris):
    assert numbers_in(model.fit(*iris)) == expected


def test_a_split_of_a_decision_tree_counts_two_numbers_and_a_leaf_one(iris):
    one = DecisionTreeClassifier(max_leaf_nodes=3, random_state=0).fit(*iris)
    assert numbers_in(one) == 2 * 2 + 3
    forest = RandomForestClassifier(4, max_leaf_nodes=3, random_state=0).fit(*iris)
    assert numbers_in(forest) == 4 * 7


def test_every_contestant_is_scored_on_points_that_it_has_not_seen(iris):
    found = contest(iris, splits=1)
    assert list(found) == list(contestants(0))
    assert all(size > 1 and 0.5 < score <= 1 for size, score in found.values())
