"""Trees in files: the round trip is exact, and a hostile file gets a sentence instead of a tree."""

import json

import numpy as np
import pytest
from trees import SHAPES, grown, hand_tree, problem

from coursepkg.neural_tree import CompiledTree, FunctionNode, Leaf, Tree, forward, from_json, load, save, to_json


@pytest.mark.parametrize("shape", SHAPES)
def test_the_round_trip_is_exact(shape, tmp_path):
    tree = grown(*shape)
    again = load(save(tree, tmp_path / "tree.json"))
    X, _ = problem(tree)
    assert np.array_equal(again.parameters(), tree.parameters())
    assert np.array_equal(forward(again, X), forward(tree, X))
    assert np.array_equal(
        CompiledTree(again).outputs(again.parameters(), X), CompiledTree(tree).outputs(tree.parameters(), X)
    )
    assert to_json(again) == to_json(tree)


def test_the_file_can_be_read_by_a_person():
    assert to_json(hand_tree()).splitlines() == [
        '{"format": "coursepkg neural tree", "version": 1, "n_inputs": 2, "nodes": [',
        '{"parent": null, "bias": 0.2},',
        '{"parent": 0, "weight": -1.0, "bias": -1.0},',
        '{"parent": 1, "weight": 1.0, "attribute": 0},',
        '{"parent": 1, "weight": 2.0, "attribute": 1},',
        '{"parent": 0, "weight": 0.5, "attribute": 0}',
        "]}",
    ]


def test_extreme_parameters_survive():
    theta = [1e-308, -0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, -1 / 3]
    tree = hand_tree()
    tree.set_parameters(np.array(theta))
    again = from_json(to_json(tree)).parameters()
    assert again.tolist() == theta
    assert np.signbit(again[1])


def test_what_is_not_finite_is_not_written():
    tree = Tree([FunctionNode([Leaf(0, float("nan"))])], 1)
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json(tree)


def changed(**changes):
    """The file of the hand tree, with entries of its head replaced."""
    return json.dumps(json.loads(to_json(hand_tree())) | changes)


def node(number, **changes):
    """The same with entries of one node replaced; None removes an entry."""
    data = json.loads(to_json(hand_tree()))
    entry = data["nodes"][number] | changes
    data["nodes"][number] = {key: value for key, value in entry.items() if value != "remove"}
    return json.dumps(data)


HOSTILE = {
    "empty": ("", "damaged"),
    "not JSON": ("import os", "damaged"),
    "cut off": (to_json(hand_tree())[:-9], "damaged"),
    "a number": ("3", "not a neural tree"),
    "another object": ('{"model": 1}', "not a neural tree"),
    "deep nesting": ("[" * 100_000 + "]" * 100_000, "nested too deeply|damaged"),
    "a repeated key": ('{"format": "coursepkg neural tree", "format": "coursepkg neural tree"}', "occurs twice"),
    "another version": (changed(version=2), "version 2; this package reads version 1"),
    "no inputs": (changed(n_inputs=0), "at least one input"),
    "inputs as text": (changed(n_inputs="2"), "whole number"),
    "inputs as a truth": (changed(n_inputs=True), "whole number"),
    "half an input": (changed(n_inputs=1.5), "whole number"),
    "no nodes": (changed(nodes=[]), "at least one node"),
    "nodes as an object": (changed(nodes={"0": 1}), "at least one node"),
    "a node as text": (changed(nodes=["__import__('os')"]), "must be an object"),
    "NaN": (to_json(hand_tree()).replace("0.2", "NaN"), "NaN is not a finite number"),
    "infinity": (to_json(hand_tree()).replace("0.2", "-Infinity"), "-Infinity is not a finite number"),
    "infinity in disguise": (to_json(hand_tree()).replace("0.2", "1e999"), "finite number"),
    "an integer too large": (to_json(hand_tree()).replace("0.2", "1" + "0" * 400), "finite number"),
    "an integer of a million digits": (to_json(hand_tree()).replace("0.2", "1" * 1_000_000), "damaged|finite"),
    "weight as text": (node(1, weight="1.0"), "node 1: weight must be a finite number"),
    "weight as a truth": (node(1, weight=True), "node 1: weight must be a finite number"),
    "weight missing": (node(1, weight="remove"), "node 1 has the entries"),
    "bias and attribute": (node(1, attribute=0), "node 1 has the entries"),
    "an unknown entry": (node(1, code="x"), "node 1 has the entries"),
    "attribute out of range": (node(2, attribute=7), "reads input 7"),
    "attribute below zero": (node(2, attribute=-1), "reads input -1"),
    "attribute as a fraction": (node(2, attribute=0.5), "whole number"),
    "its own parent": (node(1, parent=1), "comes before its children"),
    "a parent that comes later": (node(1, parent=4), "comes before its children"),
    "a parent below zero": (node(1, parent=-1), "comes before its children"),
    "a parent as text": (node(1, parent="0"), "whole number"),
    "a leaf as a parent": (node(4, parent=2), "which is a leaf"),
    "a leaf without a parent": (node(2, parent=None, weight="remove"), "output and needs a bias"),
    "a function node without children": (changed(nodes=[{"parent": None, "bias": 0.0}]), "at least one child"),
    "an output with a weight": (node(0, weight=1.0), "node 0 has the entries"),
    "too tall": (
        changed(
            nodes=[{"parent": None, "bias": 0.0}]
            + [{"parent": k, "weight": 1.0, "bias": 0.0} for k in range(5000)]
            + [{"parent": 5000, "weight": 1.0, "attribute": 0}]
        ),
        "200 function nodes on one path",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_words(name, tmp_path):
    text, message = HOSTILE[name]
    with pytest.raises(ValueError, match=message) as raised:
        from_json(text)
    assert len(str(raised.value)) < 400
    path = tmp_path / "tree.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load(path)


def test_files_that_are_missing_binary_or_huge_get_advice(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"neural_tree\.save"):
        load(tmp_path / "none.json")
    (tmp_path / "binary.json").write_bytes(b"\x80\x04\x95\xff\xfe")
    with pytest.raises(ValueError, match="no text in UTF-8"):
        load(tmp_path / "binary.json")
    for call in (lambda: load(tmp_path / "tree.pkl"), lambda: save(hand_tree(), tmp_path / "tree.pkl")):
        with pytest.raises(ValueError, match=r"try 'tree\.json'"):
            call()
    path = save(hand_tree(), tmp_path / "tree.json")
    monkeypatch.setattr("coursepkg.neural_tree.files.LARGEST_FILE", 10)
    with pytest.raises(ValueError, match="at most 10"):
        load(path)


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = save(hand_tree(), tmp_path / "tree.json")
    before = path.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="JSON"):
        save(Tree([FunctionNode([Leaf(0, float("inf"))])], 1), path)
    assert path.read_text(encoding="utf-8") == before
    assert [p.name for p in tmp_path.iterdir()] == ["tree.json"]


def test_damaged_files_give_a_tree_or_a_value_error_and_nothing_else():
    """Characters replaced, cut out and doubled at random."""
    text = to_json(grown(2, 2))
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(1500):
        start, length = int(rng.integers(len(text))), int(rng.integers(1, 12))
        middle = ("", text[start : start + length] * 2, "".join(rng.choice(list('0-9.e"{}[],:ntN'), length)))
        damaged = text[:start] + middle[rng.integers(3)] + text[start + length :]
        try:
            tree = from_json(damaged)
        except ValueError:
            refused += 1
        else:
            assert np.isfinite(tree.parameters()).all()
    assert 1000 < refused < 1500
