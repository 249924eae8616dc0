"""The examples in the docstrings hold."""

import doctest
import importlib
import pkgutil

import matplotlib as mpl
import pytest

import coursepkg.visualize as visualize

mpl.use("Agg")


@pytest.mark.parametrize(
    "module", [info.name for info in pkgutil.walk_packages(visualize.__path__, "coursepkg.visualize.")]
)
def test_examples_hold(module):
    failed, _ = doctest.testmod(importlib.import_module(module))
    assert failed == 0
