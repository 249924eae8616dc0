"""Notebooks are tests: `pytest --nbval notebooks` runs them, under the stricter rules of `tools/strict_nbval.py`."""

import gc

pytest_plugins = ["tools.strict_nbval"]


def pytest_collection_finish() -> None:
    """Keep what was collected out of the collector's way: going through 31,000 tests takes it a second each time."""
    gc.collect()
    gc.freeze()
