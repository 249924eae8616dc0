"""Does this computer have what the course needs? One function, one line per finding, and what to do about each.

Notebook 00 calls it. Nothing here needs a network.
"""

import importlib
import sys
from collections.abc import Callable

from coursepkg import in_browser

OLDEST_PYTHON = (3, 11)
LIBRARIES = ("numpy", "sympy", "matplotlib", "ipywidgets", "scipy", "sklearn", "tqdm")


def _python() -> str | None:
    if sys.version_info >= OLDEST_PYTHON:
        return None
    return f"this is Python {sys.version_info.major}.{sys.version_info.minor}; run `make env` with Python 3.11 or newer"


def _libraries() -> str | None:
    missing = []
    in_a_page = in_browser.LIBRARIES if sys.platform == "emscripten" else ()  # there, a cell that needs these says so
    for name in (name for name in LIBRARIES if name not in in_a_page):
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    if not missing:
        return None
    return f'missing: {", ".join(missing)}; `make lab` brings them, and so does `pip install "coursepkg[course]"`'


def _two_routes() -> str | None:
    """Differentiate one expression twice, backward through the graph and by sympy, and compare."""
    from coursepkg.autodiff.scalar import Scalar, tanh
    from coursepkg.autodiff.symbolic import derive

    def neuron(w, x):
        return tanh(w * x) * w

    w, x = Scalar(0.5), Scalar(-1.25)
    neuron(w, x).backward()
    expected = derive(neuron, "w", "x").at(w=0.5, x=-1.25)
    if all(abs(found - wanted) < 1e-12 for found, wanted in zip((w.grad, x.grad), expected, strict=True)):
        return None
    return "the engine and sympy disagree about a gradient; please report this, with the output of `pip freeze`"


def _exercises() -> str | None:
    from coursepkg.grading.learning.notebook import checks_around

    if checks_around() is not None:
        return None
    return "this notebook is away from its exercises; `coursepkg start my-course` lays out both, to work there"


FINDINGS: tuple[tuple[str, Callable[[], str | None]], ...] = (
    ("Python is 3.11 or newer", _python),
    ("all libraries are here", _libraries),
    ("two routes to a gradient agree", _two_routes),
    ("the exercises are within reach", _exercises),
)


def check_setup() -> bool:
    """Print one line per thing the course needs, and say what to do about what is missing.

    Returns
    -------
    bool
        True if everything is in place.
    """
    fine = True
    for name, finding in FINDINGS:
        problem = finding()
        print(f"ok    {name}" if problem is None else f"HELP  {name}? No: {problem}")
        fine = fine and problem is None
    print("You are ready." if fine else "Mend the lines marked HELP, then run this cell again.")
    return fine
