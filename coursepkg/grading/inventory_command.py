"""The command ``grade inventory``: the ten questions of a class, before and after, as a page for the instructor.

Exit codes: 0 the page is written, 1 it is written and a table was left out, 2 nothing is written.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

TOLD = 5  # ideas that are printed; the page has all


def register(actions: Any) -> None:
    """Add the command to the actions of ``grade``."""
    inventory = actions.add_parser("inventory", help="the ten questions of a class, before and after")
    inventory.add_argument("tables", type=Path, nargs="*", help="tables of answers, or folders that hold them")
    inventory.add_argument("--empty", type=Path, metavar="FILE", help="write an empty table, to fill in from paper")
    inventory.add_argument("--out", type=Path, default=Path("ten-questions.html"), help="the page to write")
    inventory.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the page, and say the most important of it."""
    from coursepkg.grading.learning import inventory_class

    if options.empty is not None:
        if options.empty.exists():
            print(f"{options.empty} is there already, and stays as it is", file=sys.stderr)
            return 2
        if not _written(options.empty, inventory_class.empty_table(), "--empty"):
            return 2
        print(f"wrote {options.empty}: a row for each sheet; its two rows are examples, to be overwritten")
        return 0
    try:
        found = inventory_class.gathered(options.tables)
        if not found.sheets:
            raise inventory_class.SheetError("\n".join(found.left_out))
    except inventory_class.SheetError as error:
        print(f"Nothing was written: {error}", file=sys.stderr)
        return 2
    report = inventory_class.analysed(found.sheets, len(found.left_out))
    if not _written(options.out, page(report), "--out"):
        return 2
    for line in found.left_out:
        print(f"Left out: {line}", file=sys.stderr)
    print(f"wrote {options.out}")
    for name, value in facts(report):
        print(f"{name}: {value}")
    for moved in report.moved[:TOLD]:
        had = f"{moved.before} had it, {moved.still} still do, {moved.new} new"
        print(f"question {moved.question.number} {moved.letter} ({moved.question.concept}): {had}")
    for note in report.notes:
        print(note)
    return int(bool(found.left_out))


def _written(file: Path, text: str, option: str) -> bool:
    """Write a file, or say why it cannot be written."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        told = f"{file} cannot be written ({error.strerror}); name another file with {option}"
        print(f"Nothing was written: {told}", file=sys.stderr)
        return False
    return True


def facts(report: Any) -> list[tuple[str, str]]:
    """The numbers of the whole sheet, as a reader sees them."""
    found = []
    for name, time in report.times.items():
        sheets = f"{time.sheets} sheet{'s' * (time.sheets != 1)}"
        told = f"{sheets}, mean {time.mean:.1f} of 10, spread {time.spread:.1f}"
        reliability = "" if time.reliability is None else f", KR-20 {_signed(f'{time.reliability:.2f}')}"
        found.append((name.capitalize(), told + reliability))
    if report.pairs:
        found.append(("With both sheets", str(report.pairs)))
    if report.gain is not None and report.pairs:
        found.append(("Gain", _signed(f"{report.gain:.0%}")))
    if report.effect is not None:
        found.append(("Effect", _signed(f"{report.effect:.2f}")))
    return found


def _signed(number: str) -> str:
    """A number with a minus sign in place of a hyphen, and none before a zero."""
    return number.replace("-", "−" if any(digit in number for digit in "123456789") else "")


def page(report: Any) -> str:
    """The report as a page of its own."""
    from coursepkg.grading.learning.inventory_questions import QUESTIONS
    from coursepkg.grading.reporting.page import render

    return render("inventory.html", report=report, facts=facts(report), questions=QUESTIONS)
