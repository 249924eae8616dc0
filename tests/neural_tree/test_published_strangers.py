"""Tables that the package has never seen: trees and rows come from files, and every logged error is found again.

The errors in the logs are computed here by a second evaluation, number by number, from the description of the format.
The tables are made up, with what real ones have: names of classes with blanks, classes that come late, one that has no
row, columns without variation, targets that are whole numbers.
"""

import gzip
import json
import math

import numpy as np
import pytest

from coursepkg.datasets import DataCorrupt
from coursepkg.neural_tree import published

GLASS = ["build wind float", "build wind non-float", "containers", "headlamps", "tableware", "vehic wind float"]


def random_node(rng, columns, depth):
    if depth == 0 or rng.random() < 0.4:
        return [int(rng.integers(columns)), float(rng.normal(0.0, 3.0))]
    return [*rng.normal(0.0, 3.0, 2).tolist(), [random_node(rng, columns, depth - 1) for _ in range(3)]]


def function(rng, columns):
    return [*rng.normal(0.0, 3.0, 2).tolist(), [random_node(rng, columns, 2) for _ in range(3)]]


def value(node, x):
    """A node for one example: an input, or the sigmoid of the bias and the weighted children."""
    if len(node) == 2:
        return x[node[0]]
    z = node[1] + sum(child[1 if len(child) == 2 else 0] * value(child, x) for child in node[2])
    return 1.0 / (1.0 + math.exp(-z))


def errors(tree, order, X, targets, classes):
    """Training and test error as the logs have them."""
    low, high = X.min(axis=0), X.max(axis=0)
    scaled = (X - low) / np.where(high > low, high - low, 1.0)
    cut = len(order) * 8 // 10
    found = []
    for part in (order[:cut], order[cut:]):
        if classes:
            said = [classes[int(np.argmax([value(child, scaled[row]) for child in tree[2]]))] for row in part]
            found.append(np.mean([a != targets[row] for a, row in zip(said, part, strict=True)]))
        else:
            least, most = min(targets), max(targets)
            guesses = [least + value(tree, scaled[row]) * (most - least) for row in part]
            found.append(np.mean([(a - targets[row]) ** 2 for a, row in zip(guesses, part, strict=True)]))
    return {"train_error": str(found[0]), "test_error": str(found[1])}


def write_set(folder, name, X, targets, classes, *, written=None, labels=None, mark=",", tail=""):
    """Four runs and their table: `written` are the classes as the runs have them, `labels` the cells of the table."""
    rng = np.random.default_rng(len(name))
    runs = []
    for number in range(4):
        tree = function(rng, X.shape[1])
        if classes:
            tree = [-1.0, 1.0, [function(rng, X.shape[1]) for _ in classes]]
        order = rng.permutation(len(X)).tolist()
        runs.append(
            {
                "run": f"{name}_{number}", "row_order": order, "targets": written or classes or ["target"],
                "logged_rmsprop": errors(tree, order, X, targets, classes), "trees": {"rmsprop": tree},
            }
        )  # fmt: skip
    trees, table = folder / f"{name}.json.gz", folder / f"{name}.csv"
    trees.write_bytes(gzip.compress(json.dumps({"set": name, "runs": runs}).encode(), mtime=0))
    header = [*(f"Column {k}" for k in range(X.shape[1])), "target"]
    rows = [[*map(repr, row.tolist()), str(label)] for row, label in zip(X, labels or targets, strict=True)]
    table.write_text("".join(mark.join(row) + tail + "\n" for row in [header, *rows]), encoding="utf-8")
    return trees, table


def inputs(rows, columns, seed=0):
    """Columns of very different sizes; the last but one is constant, the last holds whole numbers."""
    X = np.random.default_rng(seed).normal(size=(rows, columns)) * 10.0 ** np.arange(columns)
    X[:, -2], X[:, -1] = 4.0, np.arange(rows) % 5
    return X


def all_equal(trees, table):
    runs = published.load(trees)
    data = published.read_table(table, runs)
    assert published.compare(runs, data) == (len(runs.runs), [])
    return runs, data


def test_six_classes_with_blanks_that_come_one_after_the_other(tmp_path):
    targets = [GLASS[row * 6 // 107] for row in range(107)]
    runs, data = all_equal(*write_set(tmp_path, "panes", inputs(107, 9), targets, GLASS[::-1]))
    assert data.target_names == tuple(GLASS)
    assert runs.runs[0].classes == tuple(GLASS[::-1])


def test_classes_written_as_other_numbers_in_the_runs_than_in_the_table(tmp_path):
    targets = [str(1 + row % 7) for row in range(50)]
    classes = [str(k) for k in (3, 1, 2, 7, 5, 6, 4)]
    written = [f"{k}.0" for k in classes]
    all_equal(*write_set(tmp_path, "numbers", inputs(50, 5), targets, classes, written=written))
    as_numbers = [float(k) for k in classes]
    all_equal(*write_set(tmp_path, "floats", inputs(50, 5), targets, classes, written=as_numbers))


def test_labels_in_quotes_and_with_spaces(tmp_path):
    targets = ["bus", "opel", "saab", "van"] * 11
    labels = [f"{name} " if name != "opel" else '" opel"' for name in targets]
    written = ["van ", "saab ", "'bus'", " opel"]
    classes = ["van", "saab", "bus", "opel"]
    all_equal(*write_set(tmp_path, "cars", inputs(44, 4), targets, classes, written=written, labels=labels))


def test_a_class_that_has_no_row(tmp_path):
    targets = ["absent" if row % 3 else "present" for row in range(27)]
    _, data = all_equal(*write_set(tmp_path, "hearts", inputs(27, 6), targets, ["present", "unsure", "absent"]))
    assert data.target_names == ("absent", "present")


@pytest.mark.parametrize("spread", [(13, 26.0, 18), (-3.5, -3.25, 0.125), (1e6, 2e6, 1e4)])
def test_regression_with_whole_negative_and_large_targets(tmp_path, spread):
    targets = np.random.default_rng(3).choice(np.linspace(spread[0], spread[1], 30), 61).tolist()
    targets[:2] = [spread[2], spread[0]]
    _, data = all_equal(*write_set(tmp_path, "mileage", inputs(61, 4), targets, []))
    assert data.target_names == ()
    assert data.y.dtype == np.float64


def test_whole_numbers_are_classes_or_targets_as_the_runs_say(tmp_path):
    targets = [1 + row % 3 for row in range(30)]
    _, numbers = all_equal(*write_set(tmp_path, "as_numbers", inputs(30, 3), targets, []))
    _, classes = all_equal(*write_set(tmp_path, "as_classes", inputs(30, 3), list(map(str, targets)), ["1", "2", "3"]))
    assert numbers.y.tolist() == targets
    assert classes.target_names == ("1", "2", "3")


@pytest.mark.parametrize(("mark", "tail"), [(",", ""), (";", ""), ("\t", ""), (",", ",,,"), (",", "\r")])
def test_cells_may_be_parted_in_several_ways(tmp_path, mark, tail):
    targets = ["no", "yes"] * 10
    _, data = all_equal(*write_set(tmp_path, "parted", inputs(20, 4), targets, ["yes", "no"], mark=mark, tail=tail))
    assert data.feature_names == tuple(f"Column {k}" for k in range(4))


def test_runs_may_be_written_without_gzip(tmp_path):
    trees, table = write_set(tmp_path, "plain", inputs(20, 4), ["no", "yes"] * 10, ["yes", "no"])
    plain = tmp_path / "plain.json"
    plain.write_bytes(gzip.decompress(trees.read_bytes()))
    all_equal(plain, table)
    all_equal(str(plain), str(table))


def test_an_error_that_is_not_the_logged_one_is_found(tmp_path):
    trees, table = write_set(tmp_path, "shifted", inputs(40, 4), ["no", "yes"] * 20, ["yes", "no"])
    text = table.read_text(encoding="utf-8").replace(",no\n", ",yes\n", 12)
    table.write_text(text, encoding="utf-8")
    runs = published.load(trees)
    assert len(published.compare(runs, published.read_table(table, runs)).different) > 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,target\n1,2,no\n3,?,yes\n", r"line 3, column 'b': expected a finite number, found '\?'"),
        ("a,b,target\n1,2,no\n3,,yes\n", "line 3, column 'b': expected a finite number, found ''"),
        ("a,b,target\n\n1,nan,no\n3,4,yes\n", "line 3, column 'b': expected a finite number, found 'nan'"),
        ("a,b,target\n1,2,?\n3,4,yes\n", "line 2: there is no class"),
        ("a,b,target\n1,2,no\n3\n", "line 3, column 'b': expected a finite number, found nothing"),
        ("a,b,target\n1,2,no\n3,4\n", "line 3: there is no class"),
        ("target\nno\nyes\n", "at least two columns"),
        ("", "needs a line of names"),
    ],
)
def test_a_table_with_a_hole_is_refused_with_its_place(tmp_path, text, message):
    trees, table = write_set(tmp_path, "holes", inputs(20, 4), ["no", "yes"] * 10, ["yes", "no"])
    table.write_text(text, encoding="utf-8")
    with pytest.raises(DataCorrupt, match=message):
        published.read_table(table, published.load(trees))


def test_a_table_that_is_missing_or_no_text_is_refused(tmp_path):
    trees, table = write_set(tmp_path, "bytes", inputs(20, 4), ["no", "yes"] * 10, ["yes", "no"])
    runs = published.load(trees)
    table.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataCorrupt, match="no text in UTF-8"):
        published.read_table(table, runs)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        published.read_table(tmp_path / "none.csv", runs)
