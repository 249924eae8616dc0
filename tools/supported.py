"""Writes docs/supported.md: every function that the table of primitives knows, with its options and conventions.

Run ``python tools/supported.py``; a test holds the page to what the table says.
"""

from pathlib import Path

from coursepkg.autodiff import catalogue, linalg  # noqa: F401  (enter the stand-ins for SciPy's linear algebra)
from coursepkg.autodiff.gate import parameters_of, public_name
from coursepkg.autodiff.primitives import further, special  # noqa: F401  (enter NumPy's further functions and SciPy's)
from coursepkg.autodiff.table import COMPOSITES, CONSTANTS, PRIMITIVES

PAGE = Path(__file__).parent.parent / "docs" / "supported.md"
INTRODUCTION = """\
# What is supported

<!-- Written by `make supported` from the table of primitives; change the table, not this page. -->

Every function here takes traced values on all routes to a gradient. A *primitive* has rules of its own, a *composite*
is written with other functions of the table, and a *constant* returns plain values, through which no gradient flows.
Options that are not listed are refused before anything is computed.

NumPy's functions and SciPy's special functions find the table by themselves. SciPy's linear algebra cannot, so it is
called as `linalg.solve` and so on after `from coursepkg.autodiff import linalg`, with SciPy's own signatures.
"""


def options_of(function):
    """Return the options of an entry, as one line."""
    if function in PRIMITIVES:
        return PRIMITIVES[function].options.split()
    entry, known = COMPOSITES[function], parameters_of(COMPOSITES[function].definition)
    arrays = {*entry.arrays.split(), *entry.sequences.split(), *entry.nested.split()}
    return [name for name in (*known.positional, *sorted(known.known - {*known.positional})) if name not in arrays]


def lines():
    """Return one line of the table for each function that users call, in order of their names."""
    ours = {getattr(catalogue, name) for name in catalogue.__all__}
    entries = {**PRIMITIVES, **COMPOSITES}
    for function in sorted(entries, key=lambda f: (public_name(f).lower(), public_name(f))):
        if function in ours or public_name(function).startswith(("np.", "scipy.", "linalg.")):
            kind = "primitive" if function in PRIMITIVES else "composite"
            options = ", ".join(f"`{name}`" for name in options_of(function))
            yield f"| `{public_name(function)}` | {kind} | {options} | {entries[function].note} |"


def page():
    """Return the whole page."""
    constants = ", ".join(sorted(f"`{public_name(function)}`" for function in CONSTANTS))
    rows = ["| function | kind | options | convention |", "| --- | --- | --- | --- |", *lines()]
    return "\n".join([INTRODUCTION, *rows, "", "## Constants", "", constants + ".", ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.name}")
