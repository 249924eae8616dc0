"""Which symbols a formula uses: what the test of the course's notation reads out of the LaTeX of the notebooks.

python tests/notebooks/notation.py     # the two tables of chapter 00, made from notation.toml
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_CODE = re.compile(r"```.*?```|`[^`]*`", re.S)
_FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+?)\$", re.S)
_WORDS = re.compile(
    r"\\(?:text|texttt|operatorname\*?|mathrm|begin|end)\s*\{[^{}]*\}|\\(?:mathrm|mathsf|mathbb)\s*[EHT]\b"
)
_TRANSPOSED = re.compile(r"\\mathsf\s*\{?[TH]\}?|\^\{?\s*\\?!?\\top\}?")
_DIFFERENTIAL = re.compile(r"(?<![A-Za-z_{\\])d(?=[A-Za-z]|\\eta\b|\\psi\b|\|)|(?<=\\frac\{)d(?=\})|(?<=\{)d(?=p\})")
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[A-Za-z]|[_^{}]|\S")
GREEK = frozenset(
    [
        "alpha", "beta", "gamma", "delta", "varepsilon", "epsilon", "eta", "theta", "kappa", "lambda", "mu", "nu", "pi",
        "rho", "sigma", "tau", "phi", "varphi", "psi", "ell", "Sigma", "Omega", "Delta",
    ]
)  # fmt: skip
MARKS = frozenset(["bar", "dot", "hat", "overline", "nabla"])
CONSTANTS = frozenset({"e", "\\pi"})


def formulas(notebook: Any) -> Iterator[str]:
    """The formulas of a notebook's text, without the dollar signs."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for match in _FORMULA.finditer(_CODE.sub("", cell.source)):
                yield match.group(1) or match.group(2)


def symbols(formula: str) -> set[str]:
    r"""Letters of a formula as they are written, with a lower index as ``_i`` and marks as ``\bar``.

    Words, names of functions, transposition, differentials, Euler's number and π are left out.

    Examples
    --------
    >>> sorted(symbols(r"\bar W_{ij} = \bar y_i\, x_j + \text{rest}"))
    ['W', '\\bar', '_i', '_j', 'x', 'y']
    """
    formula = _TRANSPOSED.sub("", _WORDS.sub("", formula.replace("[2pt]", "")))
    formula = _DIFFERENTIAL.sub("", formula)
    found, depth, below, pending = set(), 0, None, False
    for token in _TOKEN.findall(formula):
        if token == "_":
            pending = True
            continue
        if token == "{":
            depth += 1
            if pending:
                below, pending = depth, False
            continue
        if token == "}":
            if below == depth:
                below = None
            depth -= 1
            continue
        lower = pending or below is not None
        pending = False
        if token[0] == "\\":
            name = token[1:]
            if name in MARKS:
                found.add("\\" + name)
            if name not in GREEK:
                continue
        elif not token.isalpha():
            continue
        if token not in CONSTANTS:
            found.add("_" + token if lower else token)
    return found


def tables() -> tuple[str, str]:
    """The signs that all chapters share, and the letters of each, as chapter 00 shows them."""
    known = tomllib.loads((Path(__file__).parent / "notation.toml").read_text(encoding="utf-8"))
    shared = ["| sign | meaning |", "| --- | --- |"]
    for symbol, meaning in (known["everywhere"] | known["usual"]).items():
        mark = {"\\nabla": r"\nabla f"}.get(symbol, f"{symbol} v" if symbol[1:] in MARKS else symbol)
        shared.append(f"| ${mark}$ | {meaning} |")
    own = ["| chapter | letters of its own |", "| --- | --- |"]
    for chapter, letters in known["chapters"].items():
        meanings: dict[str, list[str]] = {}
        for symbol, meaning in letters.items():
            meanings.setdefault(meaning, []).append(f"${symbol}$")
        told = "; ".join(f"{', '.join(signs)}: {meaning}" for meaning, signs in meanings.items())
        own.append(f"| {chapter} | {told} |")
    return "\n".join(shared), "\n".join(own)


if __name__ == "__main__":
    print("\n\n".join(tables()))
