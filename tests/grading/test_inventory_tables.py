"""Tables of answers as they come: typed in by hand, saved by spreadsheets, damaged, twice; one hurts no other."""

import os
import random
import statistics

import numpy as np
import pytest

from coursepkg.grading import cli
from coursepkg.grading.inventory_command import facts
from coursepkg.grading.learning.inventory_class import AFTER, BEFORE, COLUMNS, Sheet, SheetError, analysed, gathered
from coursepkg.grading.learning.inventory_class import read as read_tables
from coursepkg.grading.learning.inventory_questions import QUESTIONS

HEAD = ",".join(COLUMNS)
ROW = "abc123,before,a,b,c,d,a,b,c,d,a,b"
LETTERS = dict(enumerate("abcdabcdab", 1))


@pytest.fixture
def table(tmp_path):
    def written(text, name="a.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return path

    return written


@pytest.mark.parametrize("text", [
    f"{HEAD}\n{ROW}\n".replace(",", "\t"),
    f"{HEAD}\n{ROW}\n{',' * 11}\n\n , \n",
    f"{HEAD.upper()}\n{ROW}\n",
    f"{HEAD.replace(',', ' , ')}\n{ROW}\n",
    f"{HEAD},note\n{ROW},typed by hand\n",
    f"{HEAD}\n{ROW},,,\n",
])  # fmt: skip
def test_what_spreadsheets_make_of_a_table_is_understood(table, text):
    assert read_tables([table(text)]) == [Sheet("ABC123", BEFORE, LETTERS)]


@pytest.mark.parametrize(("text", "words"), [
    ("", "a.csv: the columns code, time, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 are missing"),
    (f"{HEAD}\n\n", "a.csv: there is no row below the head; write one for each sheet"),
    (f"{HEAD},1\n{ROW},d\n", "a.csv: the column 1 is there twice; take one of them away"),
    (f"{HEAD}\n{ROW},c\n", "a.csv, line 2: the row has 13 cells, and the head has 12"),
    (f"{HEAD}\n{'x' * 200_000},before\n", "a.csv, line 2: it cannot be taken apart"),
    (f"{HEAD}\n{'x' * 10_000},before\n", f"'{'x' * 40}' (cut, it has 10000 characters) has not"),
    (f"{HEAD}\nabc,{'x' * 10_000}\n", f"not '{'x' * 40}' (cut, it has 10000 characters)"),
    (f"{HEAD}\nabc,after,{'x' * 10_000}\n", f"not '{'x' * 40}' (cut, it has 10000 characters)"),
    (f"{HEAD}\n{ROW}\n".encode("utf-16"), "a.csv: it is no text in UTF-8; save the table as CSV in UTF-8 once more"),
    (b"\xe9", "a.csv: it is no text in UTF-8"),
    (f"{HEAD}\n<b>x</b>,before\n", "a.csv, line 2: a code has 3 to 24 letters, digits or dashes"),
    (f"{HEAD}\n\x1b[31m,before\n", "'\\x1b[31m' has not"),
    (f"{HEAD}\n{ROW}\n{ROW}\n", "a.csv, line 3: the code ABC123 has two sheets from before; keep one of them"),
])  # fmt: skip
def test_a_table_that_cannot_be_read_is_named_in_a_sentence_and_stops_no_other(table, tmp_path, capsys, text, words):
    table(text)
    with pytest.raises(SheetError) as refused:
        read_tables([tmp_path])
    assert words in str(refused.value)
    assert len(str(refused.value)) < 300
    table(f"{HEAD}\n{ROW.replace('abc123', 'zzz999')}\n", "b.csv")
    page = tmp_path / "page.html"
    assert cli.main(["grade", "inventory", str(tmp_path), "--out", str(page)]) == 1
    told = capsys.readouterr()
    assert f"Left out: {refused.value}\n" == told.err
    assert "Before: 1 sheet, mean" in told.out
    shown = page.read_text(encoding="utf-8")
    assert "1 table was left out. The command that wrote this page said why." in shown
    assert "ABC123" not in shown + told.out


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_what_is_no_table_at_all_is_named_and_stops_no_other(table, tmp_path):
    table(f"{HEAD}\n{ROW}\n", "z.CSV")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    found = gathered([tmp_path, tmp_path / "gone\x1b.csv"])
    assert found.sheets == [Sheet("ABC123", BEFORE, LETTERS)]
    assert found.left_out == [
        "folder.csv: it is no file; a table is a CSV file, or a folder of such",
        "loop.csv: it cannot be opened (Too many levels of symbolic links)",
        "pipe.csv: it is no file; a table is a CSV file, or a folder of such",
        "'gone\\x1b.csv': it cannot be opened (No such file or directory)",
    ]


def test_who_hands_in_twice_counts_once_unless_the_letters_differ(table, tmp_path):
    table(f"{HEAD}\n{ROW}\n", "early.csv")
    table(f"{HEAD}\n{ROW}\n{ROW.replace('before', 'after')}\n", "late.csv")
    found = gathered([tmp_path])
    assert found.left_out == []
    assert [(sheet.code, sheet.time) for sheet in found.sheets] == [("ABC123", BEFORE), ("ABC123", AFTER)]
    table(f"{HEAD}\n{ROW.replace(',a,', ',b,', 1)}\n", "other.csv")
    assert "other.csv, line 2: the code ABC123 has two sheets from before" in gathered([tmp_path]).left_out[0]


@pytest.mark.parametrize("options", [["--out"], ["--empty"]])
def test_a_file_that_cannot_be_written_is_named(table, tmp_path, capsys, options):
    source = str(table(f"{HEAD}\n{ROW}\n"))
    gone = str(tmp_path / "gone" / "file")
    assert cli.main(["grade", "inventory", source, *options, gone]) == 2
    told = capsys.readouterr()
    assert f"Nothing was written: {gone} cannot be written (No such file or directory); name another" in told.err
    assert told.out == ""


def test_the_indices_are_those_of_a_computation_by_correlations_and_variances():
    rng = random.Random(3)
    for count in (10, 11, 17, 30):
        sheets = [
            Sheet(f"CODE{k}", BEFORE, {q.number: rng.choice(["", q.answer, *q.options]) for q in QUESTIONS})
            for k in range(count)
        ]
        right = np.array([[sheet.letters[q.number] == q.answer for q in QUESTIONS] for sheet in sheets], dtype=float)
        found = analysed(sheets)
        for column, question in enumerate(QUESTIONS):
            item, own = found.items[question.number, BEFORE], right[:, column]
            assert item.difficulty == pytest.approx(own.sum() / count, rel=1e-12)
            rest = np.delete(right, column, axis=1).sum(axis=1)
            if np.ptp(own) and np.ptp(rest):
                expected = (np.mean(own * rest) - own.mean() * rest.mean()) / (own.std() * rest.std())
                assert item.discrimination == pytest.approx(expected, rel=1e-9, abs=1e-12)
            else:
                assert item.discrimination is None
        agreement = 10 / 9 * (1 - right.var(axis=0).sum() / right.sum(axis=1).var())
        assert found.times[BEFORE].reliability == pytest.approx(agreement, rel=1e-9)
        assert found.times[BEFORE].spread == pytest.approx(statistics.stdev(right.sum(axis=1)), rel=1e-12)


def test_numbers_below_zero_have_a_minus_sign_and_zero_has_none():
    # Each learner has five right, each another half: the questions go against each other, and KR-20 is below zero.
    half = {q.number: q.answer for q in QUESTIONS[:5]}
    other = {q.number: q.answer for q in QUESTIONS[5:]} | {1: QUESTIONS[0].answer}
    sheets = [Sheet(f"CODE{k}", BEFORE, half if k % 2 else other) for k in range(12)]
    told = dict(facts(analysed(sheets)))
    assert "KR-20 −" in told["Before"]
    # 299 learners stay where they are, and one loses a point of the 1500 that could be won: no "-0%".
    many = [Sheet(f"CODE{k}", time, half) for time in (BEFORE, AFTER) for k in range(299)]
    loser = [Sheet("LOSER", BEFORE, half), Sheet("LOSER", AFTER, {n: a for n, a in half.items() if n > 1})]
    assert dict(facts(analysed(many + loser)))["Gain"] == "0%"
