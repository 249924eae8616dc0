"""The text task: real, the same each time, and no text on both sides."""

import numpy as np
import pytest

from coursepkg.docstrings import FEWEST_WORDS, PACKAGES, docstring_task, package_docstrings


@pytest.fixture(scope="module")
def task():
    return docstring_task(rng=np.random.default_rng(0))


def test_packages_have_texts_that_mention_their_subject():
    texts = package_docstrings("logging")
    assert len(texts) > 100
    assert sum("log" in text for text in texts) > 50


def test_the_package_is_read_and_not_imported():
    import subprocess
    import sys

    code = "from coursepkg.docstrings import package_docstrings as read; import sys; read('xmlrpc')"
    code += "; print('xmlrpc' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_parts_are_large_enough_and_every_class_is_in_both(task):
    assert len(task.train[1]) > 900
    assert len(task.test[1]) > 200
    assert len(task.test[1]) == pytest.approx(0.2 * (len(task.train[1]) + len(task.test[1])), abs=1)
    for _, labels in (task.train, task.test):
        assert np.bincount(labels, minlength=len(PACKAGES)).min() >= 5


def test_texts_are_numbers_with_padding_at_the_end(task):
    tokens, labels = task.train
    assert tokens.shape == (len(labels), 32)
    assert len(task.words) == 1000
    assert tokens.min() == 0
    assert tokens.max() < 1000
    present = tokens != 0
    assert (np.diff(present.astype(int), axis=1) <= 0).all()
    assert present.sum(axis=1).min() >= FEWEST_WORDS
    assert task.words[int(np.bincount(tokens[tokens > 1]).argmax())] == "the"


def test_no_text_is_on_both_sides():
    whole = docstring_task(rng=np.random.default_rng(0), length=400, words=100_000)
    train = {tuple(row) for row in whole.train[0].tolist()}
    assert len(train) == len(whole.train[0])
    assert not train & {tuple(row) for row in whole.test[0].tolist()}


def test_words_are_counted_in_the_training_part_alone():
    whole = docstring_task(rng=np.random.default_rng(0), words=100_000)
    assert 1 not in whole.train[0]
    assert 1 in whole.test[0]


def test_a_seed_decides_what_is_held_out():
    one, same, other = (docstring_task(rng=np.random.default_rng(s), packages=("http", "xml")) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.test[0], same.test[0])
    assert not np.array_equal(one.test[1], other.test[1])
    assert one.packages == ("http", "xml")


@pytest.mark.parametrize("name", ["no_such_package_at_all", "math", "sys"])
def test_what_has_no_source_gets_advice(name):
    with pytest.raises(ValueError, match="with source code in this Python; try one of"):
        package_docstrings(name)
