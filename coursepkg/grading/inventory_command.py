"""The command ``grade inventory``: the ten questions of a class, before and after, as a page for the instructor.

Exit codes: 0 the page is written, 2 a table that does not fit.
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
        options.empty.write_text(inventory_class.empty_table(), encoding="utf-8")
        print(f"wrote {options.empty}: a row for each sheet; its two rows are examples, to be overwritten")
        return 0
    try:
        report = inventory_class.analysed(inventory_class.read(options.tables))
    except (inventory_class.SheetError, OSError, UnicodeDecodeError) as error:
        print(f"Nothing was written: {error}", file=sys.stderr)
        return 2
    options.out.write_text(page(report), encoding="utf-8")
    print(f"wrote {options.out}")
    for name, value in facts(report):
        print(f"{name}: {value}")
    for moved in report.moved[:TOLD]:
        had = f"{moved.before} had it, {moved.still} still do, {moved.new} new"
        print(f"question {moved.question.number} {moved.letter} ({moved.question.concept}): {had}")
    for note in report.notes:
        print(note)
    return 0


def facts(report: Any) -> list[tuple[str, str]]:
    """The numbers of the whole sheet, as a reader sees them."""
    found = []
    for name, time in report.times.items():
        told = f"{time.sheets} sheets, mean {time.mean:.1f} of 10, spread {time.spread:.1f}"
        found.append(
            (name.capitalize(), told + (f", KR-20 {time.reliability:.2f}" if time.reliability is not None else ""))
        )
    if report.pairs:
        found.append(("With both sheets", str(report.pairs)))
    if report.gain is not None and report.pairs:
        found.append(("Gain", f"{report.gain:.0%}".replace("-", "−")))
    if report.effect is not None:
        found.append(("Effect", f"{report.effect:.2f}".replace("-", "−")))
    return found


def page(report: Any) -> str:
    """The report as a page of its own."""
    from coursepkg.grading.learning.inventory_questions import QUESTIONS
    from coursepkg.grading.reporting.page import render

    return render("inventory.html", report=report, facts=facts(report), questions=QUESTIONS)
