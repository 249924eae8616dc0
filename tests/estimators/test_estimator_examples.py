"""The examples in the docstrings hold, and the room's front door opens what it names."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import coursepkg.estimators as estimators


@pytest.mark.parametrize("module", [info.name for info in pkgutil.iter_modules(estimators.__path__)])
def test_examples_hold(module):
    failed, _ = doctest.testmod(importlib.import_module(f"coursepkg.estimators.{module}"))
    assert failed == 0


def test_the_front_door_opens_every_name_and_lists_them_for_an_unknown_one():
    for name in estimators.__all__:
        assert callable(getattr(estimators, name)), name
    with pytest.raises(AttributeError, match="fill_gradients"):
        _ = estimators.fill_gradient


def test_the_routes_do_not_load_what_stands_above_them():
    code = "import sys, coursepkg.gradients; print([m for m in sys.modules if m.startswith('coursepkg.estimators')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr
