"""The examples in the docstrings hold."""

import doctest
import importlib
import pkgutil

import matplotlib as mpl
import pytest

import coursepkg.visualize as visualize

mpl.use("Agg")


@pytest.mark.parametrize("module", [info.name for info in pkgutil.iter_modules(visualize.__path__)])
def test_examples_hold(module):
    failed, _ = doctest.testmod(importlib.import_module(f"coursepkg.visualize.{module}"))
    assert failed == 0
