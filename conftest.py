"""Notebooks are tests: `pytest --nbval notebooks` runs them, under the stricter rules of `tools/strict_nbval.py`."""

pytest_plugins = ["tools.strict_nbval"]
