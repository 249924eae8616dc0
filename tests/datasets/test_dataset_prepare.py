"""Nothing that is learned from data may be learned from the part that judges."""

import numpy as np
import pytest

from coursepkg import datasets
from coursepkg.datasets import Scaler, batches, one_hot, split


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def table(n=50, columns=3):
    X = np.random.default_rng(4).normal(5.0, 2.0, (n, columns))
    return X, np.arange(n)


def test_a_split_holds_every_example_once(rng):
    X, y = table()
    parts = split(X, y, validation=0.2, test=0.3, rng=rng)
    assert [len(part[0]) for part in (parts.train, parts.validation, parts.test)] == [25, 10, 15]
    together = np.concatenate([part[1] for part in (parts.train, parts.validation, parts.test)])
    assert sorted(together) == list(range(50))
    for part in (parts.train, parts.validation, parts.test):
        np.testing.assert_array_equal(part[0], X[part[1]])
    np.testing.assert_array_equal(np.concatenate(parts.rows), together)


def test_a_split_without_validation_or_test_part_is_allowed(rng):
    parts = split(*table(), validation=0.0, test=0.0, rng=rng)
    assert len(parts.train[0]) == 50
    assert parts.validation[0].shape == (0, 3)


def test_a_stratified_split_keeps_the_shares_of_the_classes(rng):
    y = np.repeat([0, 1], [90, 10])
    parts = split(np.arange(100)[:, None], y, validation=0.2, test=0.3, stratify=True, rng=rng)
    assert [np.bincount(part[1]).tolist() for part in (parts.train, parts.validation, parts.test)] == [
        [45, 5],
        [18, 2],
        [27, 3],
    ]
    assert len(np.unique(np.diff(np.flatnonzero(parts.train[1] == 1)))) > 1


def test_the_scaler_never_sees_the_judging_parts(rng):
    X, y = table()
    clean = split(X, y, rng=np.random.default_rng(3))
    poisoned_X = X.copy()
    poisoned_X[np.concatenate(clean.rows[1:])] = 1e9
    poisoned = split(poisoned_X, y, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(clean.scaled().train[0], poisoned.scaled().train[0])
    np.testing.assert_array_equal(clean.scaled(Scaler.minmax).train[0], poisoned.scaled(Scaler.minmax).train[0])


def test_standard_scaling_gives_mean_zero_and_deviation_one():
    X, _ = table()
    scaled = Scaler.standard(X)(X)
    np.testing.assert_allclose(scaled.mean(axis=0), 0.0, atol=1e-13)
    np.testing.assert_allclose(scaled.std(axis=0), 1.0, rtol=1e-12)


def test_minmax_scaling_gives_the_unit_interval():
    X, _ = table()
    scaled = Scaler.minmax(X)(X)
    np.testing.assert_allclose([scaled.min(axis=0), scaled.max(axis=0)], [[0.0] * 3, [1.0] * 3], rtol=1e-12)


@pytest.mark.parametrize("fit", [Scaler.standard, Scaler.minmax])
def test_a_constant_column_survives_scaling_and_inverse_undoes_it(fit):
    X, _ = table()
    X[:, 1] = 0.1
    scaler = fit(X)
    assert np.isfinite(scaler(X)).all()
    np.testing.assert_allclose(scaler(X)[:, 1], 0.0, atol=1e-12)
    np.testing.assert_allclose(scaler.inverse(scaler(X)), X, rtol=1e-12)


def test_impossible_splits_are_refused(rng):
    X, y = table()
    with pytest.raises(ValueError, match="one target"):
        split(X, y[:-1], rng=rng)
    with pytest.raises(ValueError, match="leave something to train on"):
        split(X, y, validation=0.5, test=0.5, rng=rng)
    with pytest.raises(ValueError, match="nothing is left"):
        split(X[:1], y[:1], validation=0.0, test=0.9, rng=rng)


def test_one_hot_puts_the_one_where_the_class_says():
    expected = [[0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0]]
    np.testing.assert_array_equal(one_hot([2, 0, 1], classes=4), expected)
    assert one_hot(np.array([2, 0], dtype=np.uint8)).shape == (2, 3)
    assert one_hot([], classes=3).shape == (0, 3)


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0]])
def test_one_hot_refuses_classes_outside_the_range(labels):
    with pytest.raises(ValueError, match=r"0\.\.2"):
        one_hot(labels, classes=3)


@pytest.mark.parametrize("labels", [[0.0, 1.0], [[0], [1]], ["a", "b"]])
def test_one_hot_refuses_what_is_not_a_vector_of_integers(labels):
    with pytest.raises(ValueError, match="vector of integers"):
        one_hot(labels)


def test_an_epoch_of_batches_holds_every_example_once_in_a_new_order(rng):
    X, y = table()
    first, second = (list(batches(X, y, 8, rng=rng)) for _ in range(2))
    assert [len(part) for part, _ in first] == [8] * 6 + [2]
    for epoch in (first, second):
        order = np.concatenate([labels for _, labels in epoch])
        assert sorted(order) == list(range(50))
        np.testing.assert_array_equal(np.concatenate([part for part, _ in epoch]), X[order])
    assert not np.array_equal(first[0][1], second[0][1])


def test_a_small_last_batch_can_be_dropped(rng):
    X, y = table()
    assert [len(part) for part, _ in batches(X, y, 8, drop_last=True, rng=rng)] == [8] * 6
    assert [len(part) for part, _ in batches(X, y, 80, rng=rng)] == [50]


def test_wrong_arguments_of_batches_are_refused_at_the_call(rng):
    X, y = table()
    with pytest.raises(ValueError, match="size=0"):
        batches(X, y, 0, rng=rng)
    with pytest.raises(ValueError, match="one target"):
        batches(X, y[1:], 4, rng=rng)
    with pytest.raises(TypeError, match="default_rng"):
        batches(X, y, 4, rng=42)


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [
        ("iris", (150, 4), 3),
        ("wine", (178, 13), 3),
        ("breast_cancer", (569, 30), 2),
        ("digits", (1797, 64), 10),
        ("diabetes", (442, 10), 0),
    ],
)
def test_bundled_data_sets_work_offline(name, shape, classes):
    data = datasets.load(name)
    X, y = data
    assert X is data.X
    assert (X.shape, y.shape) == (shape, shape[:1])
    assert X.dtype == np.float64
    assert len(data.target_names) == classes
    if classes:
        assert np.array_equal(np.unique(y), np.arange(classes))
    assert len(data.feature_names) == shape[1]
    assert datasets.available(name)
