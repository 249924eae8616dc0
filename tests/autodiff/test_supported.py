"""The page that lists what is supported says what the table says."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def load():
    """The module that writes the page; it is not installed."""
    spec = importlib.util.spec_from_file_location("supported", ROOT / "tools" / "supported.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date():
    supported = load()
    assert supported.PAGE.read_text(encoding="utf-8") == supported.page(), "run `make supported`"


def test_the_page_names_entries_options_and_conventions():
    lines = {line.split("`")[1]: line for line in load().lines()}
    assert "`axis`" in lines["np.sum"]
    assert "| primitive |" in lines["np.tanh"]
    assert "| composite |" in lines["np.median"]
    assert "one triangle" in lines["np.linalg.eigh"]
