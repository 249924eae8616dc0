"""The published count of wrong answers: it adds up, nothing gets through, and what it cites exists.

That each line is what is found today is asked in test_every_exercise.py, where the wrong answers are tried anyway.
"""

import re
from pathlib import Path

import pytest
from exercise_proof import Proof, course_exercises
from mutation_report import GAPS, REPORT, report, row

ROW = re.compile(r"\| (\d\d\.\d+) .+? \| ([a-z ]+) \| (\d+) of (\d+) \| (\d+) of (\d+) \| (\d+) of (\d+) "
                 r"\| (\d+) of (\d+) \| (\d+) of (\d+) \| (\d+) \|")  # fmt: skip


@pytest.fixture(scope="module")
def page():
    return REPORT.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows(page):
    return {found[1]: (found[2], *map(int, found.groups()[2:])) for found in ROW.finditer(page)}


def test_every_exercise_of_the_course_has_its_line(rows):
    assert list(rows) == course_exercises()


def test_nothing_gets_through(rows):
    for name, (untouched, *counts, _) in rows.items():
        assert untouched == "not attempted", name
        assert counts[0::2] == counts[1::2], f"{name}: something right fails, or something wrong passes"


def test_enough_is_tried(rows):
    for name, (_, right, _, named, _, _, _, changes, _, domain, _, _) in rows.items():
        assert (right >= 6, named >= 7, changes >= 10, domain >= 10) == (True, True, True, True), name


def test_the_totals_are_the_sums_of_the_lines(page, rows):
    sums = [sum(column) for column in zip(*(counts for _, *counts in rows.values()), strict=True)]
    head = page.partition("## In total")[2].partition("\n## ")[0]
    told = [tuple(map(int, found)) for found in re.findall(r"^- (\d+) of (\d+) ", head, re.MULTILINE)]
    right, named, generic, changes, domain = zip(sums[0:10:2], sums[1:10:2], strict=True)
    assert told == [(len(rows), len(rows)), right, named, generic, domain, changes]
    assert f"fail; {sums[10]} more change nothing" in head


def test_what_is_said_to_change_nothing_has_a_reason(page, rows):
    told = [part.partition("\n## ")[0] for part in page.split("Small changes that change nothing:")[1:]]
    lines = [line for part in told for line in re.findall(r"^- \d\d\.\d+: .+$", part, re.MULTILINE)]
    assert len(lines) == sum(counts[-1] for counts in rows.values())
    assert [line for line in lines if len(line.rpartition(": ")[2]) < 12] == []


def test_each_gap_of_another_course_has_its_test_here(page):
    tests = (Path(__file__).parent / "test_known_gaps.py").read_text(encoding="utf-8")
    for gap in GAPS:
        assert f"\ndef {gap.here}(" in tests
        assert gap.here in page


def test_a_wrong_answer_that_passes_shows_in_its_line_and_in_the_totals():
    leaky = Proof("04.1", "A | title", "not-attempted", (6, 6), (4, 5), (13, 13), (11, 12), (7, 8), ("a", "b"), {})
    text = report([leaky])
    assert row(leaky) == r"| 04.1 A \| title | not attempted | 6 of 6 | 4 of 5 | 13 of 13 | 11 of 12 | 7 of 8 | 0 |"
    assert row(leaky) in text
    assert "- 4 of 5 wrong ideas" in text
    assert "- 11 of 12 small changes" in text
    assert "- 7 of 8 wrong answers of the domains" in text
