"""The authors' own trees: read without trust, and scored as their logs say.

The small files are made up here, in the published form. Where the published trees are on this computer, every log of
every table is recomputed.
"""

import gzip
import json
import math

import numpy as np
import pytest

from coursepkg import datasets, neural_tree
from coursepkg.datasets import DataCorrupt, DataNotFound, Dataset, bneuralt
from coursepkg.neural_tree import published

FEATURES = ("a", "b", "same")


def table(y, names=("ant", "bee"), *, X=None):
    """Ten rows; the last column is constant."""
    X = np.array([[row, 10.0 - row, 4.0] for row in range(10)]) if X is None else X
    return Dataset("made up", X, np.asarray(y), FEATURES, tuple(names))


def two_classes(first, second):
    """A root above two class nodes, each [edge, bias, children]."""
    return [-1.0, 1.0, [first, second]]


# Says "bee" where column a is above its middle.
STEP = two_classes([0.5, 2.0, [[0, -4.0]]], [0.5, -2.0, [[0, 4.0]]])
BEES = [0] * 5 + [1] * 5


def run(tree, **changed):
    entry = {
        "run": "made_up_0",
        "row_order": list(range(10)),
        "targets": ["ant", "bee"],
        "logged_rmsprop": {"train_error": "0.0", "test_error": "0.0"},
        "trees": {"rmsprop": tree},
    }
    return {key: value for key, value in (entry | changed).items() if value != "left out"}


@pytest.fixture
def write(tmp_path):
    def write(content, name="made_up.json.gz"):
        path = tmp_path / name
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        path.write_bytes(gzip.compress(text, mtime=0))
        return path

    return write


@pytest.fixture
def load(write):
    """Read runs from entries of a file."""
    return lambda *runs, name="made up": published.load(write({"set": name, "runs": list(runs)}))


def only(runs):
    [found] = runs.runs
    return found


# --- scoring


def test_the_first_four_fifths_of_the_row_order_are_the_training_part(load):
    order = [9, 0, 1, 2, 3, 4, 5, 6, 8, 7]
    train, test = only(load(run(STEP, row_order=order))).rows
    assert train.tolist() == order[:8]
    assert test.tolist() == [8, 7]


def test_errors_are_counted_in_each_part(load):
    wrong_at_1_and_8 = [0, 1, 0, 0, 0, 1, 1, 1, 0, 1]
    outcome = published.evaluate(only(load(run(STEP))), table(wrong_at_1_and_8))
    assert outcome.error == pytest.approx((1 / 8, 1 / 2), rel=1e-12)
    assert outcome.score == pytest.approx((7 / 8, 1 / 2), rel=1e-12)


def test_regression_is_scored_in_the_unit_of_the_target(load):
    tree = [-1.0, 0.0, [[0, 2.0], [1.0, -1.0, [[1, 3.0]]]]]
    data = table(np.linspace(-3.0, 5.0, 10) ** 2, names=())
    found = only(load(run(tree, targets=["target"], logged_rmsprop=None)))
    outcome = published.evaluate(found, data)
    a, b = data.X[:, 0] / 9.0, (data.X[:, 1] - 1.0) / 9.0
    inner = 1 / (1 + np.exp(-(3.0 * b - 1.0)))
    guess = data.y.min() + np.ptp(data.y) / (1 + np.exp(-(2.0 * a + inner)))
    squares = (guess - data.y) ** 2
    assert outcome.error == pytest.approx((squares[:8].mean(), squares[8:].mean()), rel=1e-12)
    assert outcome.score.test == pytest.approx(1 - squares[8:].mean() / data.y[8:].var(), rel=1e-12)


def test_a_constant_target_has_an_error_and_no_score(load):
    found = only(load(run([-1.0, 0.0, [[0, 1.0]]], targets=["target"])))
    outcome = published.evaluate(found, table(np.full(10, 2.5), names=()))
    assert outcome.error.test == 0.0
    assert math.isnan(outcome.score.test)


@pytest.mark.parametrize(("biases", "winner"), [((-45.0, -40.0), 0), ((40.0, 45.0), 0), ((-45.0, -20.0), 1)])
def test_outputs_that_are_equal_after_rounding_go_to_the_first_class(load, biases, winner):
    tree = two_classes(*([1.0, bias, [[2, 1.0]]] for bias in biases))
    outcome = published.evaluate(only(load(run(tree))), table([winner] * 10))
    assert outcome.error == (0.0, 0.0)


def test_a_constant_column_is_no_number_divided_by_nothing(load):
    tree = two_classes([1.0, 0.1, [[2, 50.0]]], [1.0, 0.2, [[2, -50.0]]])
    assert published.evaluate(only(load(run(tree))), table([1] * 10)).error == (0.0, 0.0)


def test_classes_are_matched_by_name_in_whatever_order_and_spelling(load):
    found = only(load(run(STEP, targets=["10.0", "2.0"])))
    data = table([1 - y for y in BEES], names=("2", "10"))
    assert published.evaluate(found, data).error == (0.0, 0.0)


@pytest.mark.parametrize("written", ["'ant'", '"ant"', " ant"])
def test_quotes_and_spaces_are_no_part_of_a_class(load, written):
    found = only(load(run(STEP, targets=[written, "bee"])))
    assert published.evaluate(found, table(BEES)).error == (0.0, 0.0)


def test_more_classes_than_two_have_a_tree_each(load):
    trees = [[1.0, 0.0, [[0, weight]]] for weight in (-1.0, -1.0, 1.0, 0.5)]
    found = only(load(run([-1.0, 1.0, trees], targets=list("wxyz"))))
    assert len(found.trees["rmsprop"].outputs) == 4
    assert published.evaluate(found, table([0] + [2] * 9, names="wxyz")).error == (0.0, 0.0)


def test_the_evaluation_agrees_with_the_pass_that_is_to_be_read(load):
    rng = np.random.default_rng(3)
    tree = neural_tree.random_tree(4, 3, rng=rng)
    X = rng.uniform(size=(20, 4))
    np.testing.assert_allclose(published.outputs(tree, X), neural_tree.forward(tree, X), rtol=1e-12)


def test_logged_errors_are_compared_and_differences_named(load):
    right = run(STEP)
    wrong = run(STEP, run="made_up_1", logged_rmsprop={"train_error": "0.125", "test_error": 0})
    unlogged = run(STEP, logged_rmsprop=None)
    compared, different = published.compare(load(right, wrong, unlogged), table(BEES))
    assert compared == 2
    assert different == [("made_up_1", "rmsprop", (0.0, 0.0), (0.125, 0.0))]


def test_optimizers_may_be_missing_or_new(load):
    found = only(load(run(STEP, trees={"adam": STEP, "lion": STEP})))
    assert published.evaluate(found, table(BEES), "lion").error == (0.0, 0.0)
    with pytest.raises(ValueError, match="no tree of 'rmsprop'; it has adam, lion"):
        published.evaluate(found, table(BEES))
    assert published.compare(load(run(STEP, trees={})), table(BEES)) == (0, [])


def test_only_regressions_of_seven_nodes_or_more_are_in_the_papers_means(load):
    small = [-1.0, 0.0, [[0, 1.0], [1, 1.0]]]
    large = [-1.0, 0.0, [[1.0, 0.0, [[0, 1.0], [1, 1.0]]], [0, 1.0], [1, 1.0], [1, 2.0]]]
    numbers = {"targets": ["target"]}
    assert not only(load(run(small, **numbers))).counted
    assert only(load(run(large, **numbers))).counted
    assert only(load(run(STEP))).counted


def test_digits_are_scored_by_the_share_of_wrong_images(write):
    lit = [[1.0, 0.0, [[pixel, 5.0]]] for pixel in range(10)]
    digits = published.load_digits(write({"set": "mnist", "published_error": 0.25, "tree": [-1.0, 1.0, lit]}))
    images = np.zeros((4, 28, 28), np.uint8)
    images[range(4), 0, [3, 1, 7, 0]] = 255
    assert digits.published_error == 0.25
    read = published.pixels_read(digits)
    assert read.shape == (10, 28, 28)
    assert [tuple(place) for place in np.argwhere(read)] == [(digit, 0, digit) for digit in range(10)]
    assert published.digit_error(digits, images, np.array([3, 1, 7, 9])) == 0.25


def test_a_published_tree_can_be_drawn(load):
    from coursepkg.visualize.tree.still import draw_tree

    picture = draw_tree(only(load(run(STEP))).trees["rmsprop"], output_names=["ant", "bee"])
    assert "<svg" in picture.svg


# --- what is refused


LEAF_ON_TOP = two_classes([0, 1.0], [0.5, 0.0, [[0, 1.0]]])
CHAIN = [0, 1.0]
for _ in range(250):
    CHAIN = [1.0, 0.0, [CHAIN]]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("a run", "run 0 must be an object"),
        (run(STEP, run=7), '"run" must be a name, got 7'),
        (run(STEP, row_order="left out"), '"row_order" must be a list'),
        (run(STEP, row_order=[0, 1, 1]), "3 rows are not each of 0 to 2 once"),
        (run(STEP, row_order=[0, 1, 10**40]), "3 rows are not each"),
        (run(STEP, row_order=[0, 1.0]), "whole number, got 1.0"),
        (run(STEP, row_order=[0]), "1 rows"),
        (run(STEP, targets=[]), '"targets" must be a list of names'),
        (run(STEP, targets=["ant", None]), "target must be a name, got null"),
        (run(STEP, targets=["ant", "bee", "cat"]), "2 children, but there are 3 classes"),
        (run(STEP, trees=[STEP]), '"trees" must be an object'),
        (run(STEP, trees={"adam": None}), "tree 'adam': its root must be"),
        (run(LEAF_ON_TOP), "child of the root is a leaf"),
        (run(two_classes([0.5, 0.0, []], STEP[2][0])), "at least one child"),
        (run(two_classes([0.5, 0.0, [[0]]], STEP[2][0])), r"a node is \[input, edge\]"),
        (run(two_classes([0.5, 0.0, [[0.5, 1.0]]], STEP[2][0])), "whole number, got 0.5"),
        (run(two_classes([0.5, 0.0, [[-1, 1.0]]], STEP[2][0])), "reads input -1"),
        (run(two_classes([0.5, 0.0, [[0, "1"]]], STEP[2][0])), "edge must be a finite number"),
        (run(two_classes([0.5, 1e200, [[0, 1.0]]], STEP[2][0])), "bias must be between"),
        (run(two_classes(CHAIN, STEP[2][0])), "more than 200 nodes on one path"),
        (run(STEP, logged_rmsprop=[0.1]), "logged_rmsprop must be an object"),
        (run(STEP, logged_rmsprop={"train_error": "0.1"}), "test_error must be a finite number, got null"),
        (run(STEP, logged_rmsprop={"train_error": "low", "test_error": "0"}), "train_error must be a number, got"),
        (run(STEP, logged_rmsprop={"train_error": "nan", "test_error": "0"}), "train_error must be a finite number"),
    ],
)  # fmt: skip
def test_a_run_that_is_none_is_refused_with_what_was_found(load, entry, message):
    with pytest.raises(DataCorrupt, match=message):
        load(entry)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"set": "x", "runs": [NaN]}', "NaN is not a finite number"),
        ([1, 2], "found a list"),
        ({"set": "x"}, r"found an object with \['set'\]"),
        ({"set": 3, "runs": []}, '"set" must be a name'),
        ({"tree": STEP, "published_error": 0.1}, "load_digits reads a single tree"),
    ],
)
def test_a_file_that_holds_no_runs_is_refused(write, content, message):
    with pytest.raises(DataCorrupt, match=message):
        published.load(write(content))


def test_a_file_is_read_up_to_a_bound(write, monkeypatch):
    monkeypatch.setattr(bneuralt, "LARGEST_TEXT", 1000)
    with pytest.raises(DataCorrupt, match="more than 1000 bytes"):
        published.load(write(b" " * 1001))


def test_runs_are_no_tree_for_digits(write):
    with pytest.raises(DataCorrupt, match=r"published\.load reads runs"):
        published.load_digits(write({"set": "x", "runs": []}))
    with pytest.raises(DataCorrupt, match="2 children, but there are 10 classes"):
        published.load_digits(write({"published_error": 0.1, "tree": STEP}))


def test_missing_files_and_unknown_names_say_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSEPKG_DATA", str(tmp_path))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    with pytest.raises(DataNotFound, match="data fetch bneuralt"):
        published.load("glass")
    with pytest.raises(ValueError, match="no trees for 'titanic'; choose one of australian"):
        published.load("titanic")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        published.load(tmp_path / "glass.json.gz")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (table(BEES, X=np.zeros((9, 3))), "run on 10 rows, but made up has 9"),
        (table(BEES, X=np.full((10, 3), np.nan)), "not finite, in column 0"),
        (table(BEES, names=()), "has 2 classes, but the targets of made up are numbers"),
        (table(BEES, names=("ant", "wasp")), "classes ant, bee, but made up has ant, wasp"),
        (table(BEES, names=("ant", "bee", "bee")), "classes ant, bee, but"),
        (table(BEES, X=np.zeros((10, 0))), "reads 1 inputs"),
    ],
)
def test_another_table_than_that_of_the_run_is_refused(load, data, message):
    with pytest.raises(ValueError, match=message):
        published.evaluate(only(load(run(STEP))), data)


# --- the published trees themselves, where they are at hand


def at_hand(name, table):
    if not (datasets.available(f"bneuralt/{name}") and (table is None or datasets.available(table))):
        pytest.skip(f"the published trees of {name} are not on this computer; set COURSEPKG_DATA or fetch them once")


@pytest.mark.parametrize("name", list(datasets.tables.TABLES))
def test_every_logged_error_is_recomputed(name):
    at_hand(bneuralt.spelled(name), f"uci/{name}")
    runs = published.load(name)
    compared, different = published.compare(runs, datasets.uci(name))
    assert compared == len(runs.runs) >= 1
    assert different == []


@pytest.mark.parametrize(("name", "error"), [("mnist_10k", 0.0773), ("mnist_18k", 0.0659), ("mnist_20k", 0.0605)])
def test_the_digit_trees_err_as_often_as_published(name, error):
    at_hand(name, "mnist/test")
    digits = published.load_digits(name)
    images, labels = datasets.mnist("test")
    found = published.digit_error(digits, images, labels)
    assert found == pytest.approx(error, abs=1e-12)
    assert math.floor(found * 1000) == round(digits.published_error * 1000)  # the file's name cuts the digits off
