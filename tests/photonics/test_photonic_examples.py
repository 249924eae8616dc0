"""The examples in the docstrings hold."""

import doctest
import importlib
import pkgutil

import pytest

from coursepkg import photonics


@pytest.mark.parametrize("module", [info.name for info in pkgutil.iter_modules(photonics.__path__)])
def test_examples_hold(module):
    failed, _ = doctest.testmod(importlib.import_module(f"coursepkg.photonics.{module}"))
    assert failed == 0
