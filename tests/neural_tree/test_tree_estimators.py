"""The estimators pass scikit-learn's own checks and behave like its models when the input is bad."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from coursepkg import datasets, neural_tree
from coursepkg.neural_tree import BNeuralTClassifier, BNeuralTRegressor

BOTH = [BNeuralTClassifier, BNeuralTRegressor]


# Two checks skip themselves, with scikit-learn's own words: one wants pandas, which the course does not use, the other
# the environment variable SCIPY_ARRAY_API.
@parametrize_with_checks([BNeuralTClassifier(), BNeuralTRegressor(), BNeuralTClassifier(loss="cross_entropy")])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def small(estimator, **options):
    return estimator(**{"epochs": 5, "max_depth": 2, "random_state": 0} | options)


def data(n=40, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, (X[:, 0] > 0).astype(int)


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (np.where(X > 1, np.nan, X), y), "NaN"),
        (lambda X, y: (np.where(X > 1, np.inf, X), y), "infinity"),
        (lambda X, y: (X[:0], y[:0]), "0 sample"),
        (lambda X, y: (X[:, :0], y), r"0 feature\(s\)"),
        (lambda X, y: (X[:, 0], y), "2D array"),
        (lambda X, y: (X, y[:-1]), "inconsistent numbers of samples"),
        (lambda X, y: (X.astype(str).astype(object) + "a", y), "could not convert string to float"),
        (lambda X, y: (X, np.full(len(y), np.nan)), "NaN"),
        (lambda X, y: (X * 1j, y), "Complex data not supported"),
    ],
)
def test_bad_training_data_get_scikit_learns_kind_of_error(estimator, change, message):
    with pytest.raises(ValueError, match=message):
        small(estimator).fit(*change(*data()))


@pytest.mark.parametrize("estimator", BOTH)
def test_bad_input_at_prediction_gets_scikit_learns_kind_of_error(estimator):
    X, y = data()
    with pytest.raises(NotFittedError):
        small(estimator).predict(X)
    model = small(estimator).fit(X, y)
    with pytest.raises(ValueError, match=f"X has 2 features, but {estimator.__name__} is expecting 3 features"):
        model.predict(X[:, :2])
    with pytest.raises(ValueError, match="NaN"):
        model.predict(np.full((2, 3), np.nan))
    with pytest.raises(ValueError, match="2D array"):
        model.predict(X[0])


def test_one_class_and_continuous_classes_are_refused():
    X, _ = data()
    with pytest.raises(ValueError, match="at least 2 classes in the data, but the data contain only one class"):
        small(BNeuralTClassifier).fit(X, np.ones(40, dtype=int))
    with pytest.raises(ValueError, match="Unknown label type"):
        small(BNeuralTClassifier).fit(X, X[:, 0])


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"optimizer": "sgd"}, "optimizer is one of"),
        ({"loss": "hinge"}, "loss is one of"),
        ({"start": "zeros"}, "start is one of"),
        ({"max_children": 2}, "at least 3"),
        ({"epochs": 0}, "at least 1"),
        ({"batch_size": 0}, "at least 1"),
        ({"learning_rate": -1.0}, "learning rate"),
        ({"validation_fraction": 1.0}, "from 0 to below 1"),
        ({"random_state": "seed"}, "cannot be used to seed"),
    ],
)
def test_options_out_of_range_are_named_at_fit(estimator, option, message):
    with pytest.raises(ValueError, match=message):
        small(estimator, **option).fit(*data())


def test_labels_of_any_kind_come_back():
    X, y = data(60)
    for names in (np.array(["no", "yes"]), np.array([-1, 1]), np.array([False, True])):
        model = small(BNeuralTClassifier, epochs=60).fit(X, names[y])
        assert set(model.predict(X)) == set(names)
        assert model.classes_.tolist() == names.tolist()
        assert model.score(X, names[y]) > 0.9


def test_probabilities_are_shares_of_the_outputs():
    X, y = data()
    model = small(BNeuralTClassifier).fit(X, y)
    share = model.predict_proba(X)
    assert share.shape == (40, 2)
    np.testing.assert_allclose(share.sum(axis=1), 1.0, rtol=1e-12)
    assert np.array_equal(model.classes_[share.argmax(axis=1)], model.predict(X))


@pytest.mark.parametrize("estimator", BOTH)
def test_scaling_is_fitted_on_the_fit_part_alone(estimator):
    X, y = data(50)
    model = small(estimator).fit(X, y)
    scaled = model.scaler_(X)
    assert ((scaled > 1.0) | (scaled < 0.0)).any(), "ten rows that were set aside reach beyond the fit part"
    assert len(model.run_.history.validation_loss) == 5


@pytest.mark.parametrize("estimator", BOTH)
def test_a_seed_or_a_generator_makes_fits_repeatable(estimator):
    X, y = data()
    first, second, other = (small(estimator, random_state=s).fit(X, y) for s in (3, 3, 4))
    assert np.array_equal(first.tree_.parameters(), second.tree_.parameters())
    assert first.tree_.parameters().tolist() != other.tree_.parameters().tolist()
    a, b = (small(estimator, random_state=np.random.default_rng(1)).fit(X, y) for _ in range(2))
    assert np.array_equal(a.tree_.parameters(), b.tree_.parameters())
    assert first.n_parameters_ == first.tree_.n_parameters


@pytest.mark.parametrize("estimator", BOTH)
def test_without_validation_part_the_last_epoch_is_kept(estimator):
    X, y = data()
    model = small(estimator, validation_fraction=0.0).fit(X, y)
    assert model.run_.selection == "last"
    assert small(estimator).fit(X, y).run_.selection == "validation"


def test_they_join_pipelines_grids_and_cross_validation():
    X, y = datasets.iris()
    tree = BNeuralTClassifier(epochs=40, random_state=1)
    assert cross_val_score(make_pipeline(StandardScaler(), tree), X, y, cv=3).mean() > 0.85
    search = GridSearchCV(clone(tree), {"max_depth": [1, 2]}, cv=2).fit(X, y)
    assert search.best_params_["max_depth"] in (1, 2)
    X, y = datasets.diabetes()
    assert cross_val_score(BNeuralTRegressor(epochs=30, random_state=0), X, y, cv=3).mean() > 0.3


@pytest.mark.parametrize("module", ["", *(info.name for info in pkgutil.iter_modules(neural_tree.__path__))])
def test_examples_hold(module):
    failed, _ = doctest.testmod(importlib.import_module(f"coursepkg.neural_tree.{module}".rstrip(".")))
    assert failed == 0


def test_a_tree_loads_neither_scikit_learn_nor_matplotlib():
    code = "import sys, coursepkg.neural_tree; print(*{'sklearn', 'scipy', 'matplotlib', 'sympy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_front_door_opens_everything():
    for name in neural_tree.__all__:
        assert getattr(neural_tree, name) is not None
    with pytest.raises(AttributeError, match="BNeuralTClassifier"):
        _ = neural_tree.BNeuralTree
