"""The ten questions of a class, before and after: statistics of made-up classes that are known by hand."""

from dataclasses import replace

import pytest

from coursepkg.grading import cli
from coursepkg.grading.inventory_command import page
from coursepkg.grading.learning import inventory, inventory_class, record
from coursepkg.grading.learning.inventory_class import AFTER, BEFORE, Sheet, SheetError, analysed
from coursepkg.grading.learning.inventory_questions import QUESTIONS

RIGHT = {question.number: question.answer for question in QUESTIONS}
WRONG = {
    question.number: next(letter for letter in question.options if letter != question.answer) for question in QUESTIONS
}


def sheet(code, time, right, **letters):
    """A sheet on which the first `right` questions are right and the others wrong, but for some letters."""
    chosen = {n: (RIGHT if n <= right else WRONG)[n] for n in RIGHT}
    return Sheet(f"CODE{code}", time, chosen | {int(name[1:]): letter for name, letter in letters.items()})


def test_scores_means_and_spread():
    found = analysed([sheet(k, BEFORE, score) for k, score in enumerate((2, 4, 6))]).times[BEFORE]
    assert (found.sheets, found.mean, found.spread, found.reliability) == (3, 4, 2.0, None)


def test_the_gain_is_the_share_of_what_could_be_won():
    # Two learners have 3 and 5 of 10, so 12 points can be won; they win 2 and 4 of them.
    sheets = [sheet(1, BEFORE, 3), sheet(2, BEFORE, 5), sheet(1, AFTER, 5), sheet(2, AFTER, 9)]
    found = analysed(sheets)
    assert found.pairs == 2
    assert found.gain == pytest.approx(6 / 12, rel=1e-12)
    assert found.effect == pytest.approx(3 / 2**0.5, rel=1e-12)  # changes 2 and 4: mean 3, spread the root of 2


def test_without_anything_to_win_there_is_no_gain():
    found = analysed([sheet(1, BEFORE, 10), sheet(1, AFTER, 10)])
    assert (found.gain, found.effect, found.moved) == (None, None, [])


def test_a_class_that_forgets_has_a_gain_below_zero():
    assert analysed([sheet(1, BEFORE, 6), sheet(1, AFTER, 4)]).gain == pytest.approx(-2 / 4, rel=1e-12)


def test_difficulty_is_the_share_of_right_answers_and_open_ones_count():
    sheets = [sheet(k, BEFORE, score) for k, score in enumerate((1, 1, 4))] + [Sheet("CODE9", BEFORE, {})]
    items = analysed(sheets).items
    assert items[1, BEFORE].difficulty == pytest.approx(3 / 4, rel=1e-12)
    assert items[4, BEFORE].difficulty == pytest.approx(1 / 4, rel=1e-12)
    assert items[1, BEFORE].chosen == {RIGHT[1]: 3, "": 1}


def test_a_question_that_the_strong_get_right_discriminates_fully():
    # The rest of the sheet is 9 for six learners and 0 for six, and question 1 goes with it.
    sheets = [sheet(k, BEFORE, 10 if k < 6 else 0) for k in range(12)]
    found = analysed(sheets)
    assert found.items[1, BEFORE].discrimination == pytest.approx(1.0, rel=1e-12)
    # Everybody has all or nothing: KR-20 is 10/9 (1 - 10 · 1/4 / 25) = 1.
    assert found.times[BEFORE].reliability == pytest.approx(1.0, rel=1e-12)


def test_a_question_that_goes_against_the_sheet_has_a_discrimination_of_minus_one():
    sheets = [sheet(k, BEFORE, 10, q1=WRONG[1]) if k < 6 else sheet(k, BEFORE, 1) for k in range(12)]
    assert analysed(sheets).items[1, BEFORE].discrimination == pytest.approx(-1.0, rel=1e-12)


def test_a_question_that_has_nothing_to_do_with_the_sheet():
    # Question 1 is right for every second learner of the strong and of the weak; the others go with strength.
    sheets = [sheet(k, BEFORE, 10 if k < 6 else 0, q1=RIGHT[1] if k % 2 else WRONG[1]) for k in range(12)]
    found = analysed(sheets).items
    assert abs(found[1, BEFORE].discrimination) < 1e-12 < found[2, BEFORE].discrimination
    # Question 2: the rest is 8 and a half or so for the strong. Right and rest in numbers: six ones and six zeros
    # against 9, 8 and 1, 0 in turn. Covariance 2, spreads 1/2 and the root of 16.25.
    assert found[2, BEFORE].discrimination == pytest.approx(2 / (0.5 * 16.25**0.5), rel=1e-12)


@pytest.mark.parametrize("found", [-0.001, -1e-17])
def test_a_discrimination_of_nearly_nothing_has_no_sign_of_less(found):
    told = analysed([sheet(k, BEFORE, k % 11) for k in range(12)])
    told.items[1, BEFORE] = replace(told.items[1, BEFORE], discrimination=found)
    assert "+0.00" in page(told)
    assert "−0.00" not in page(told)


def test_a_question_that_all_get_right_and_a_small_class_have_no_discrimination():
    assert analysed([sheet(k, BEFORE, 10) for k in range(12)]).items[1, BEFORE].discrimination is None
    assert analysed([sheet(k, BEFORE, k) for k in range(9)]).items[1, BEFORE].discrimination is None


def test_which_wrong_idea_moved():
    # Question 6, letters: b is right, a multiplies the paths, c keeps the last. Four learners, on question 6 alone:
    # a -> b (gone), a -> a (still), b -> c (new), a -> c (another idea). Everything else is right.
    before, after = ["a", "a", "b", "a"], ["b", "a", "c", "c"]
    sheets = [
        sheet(k, time, 10, q6=letter)
        for time, letters in ((BEFORE, before), (AFTER, after))
        for k, letter in enumerate(letters)
    ]
    found = [(m.question.number, m.letter, m.before, m.still, m.new, m.after) for m in analysed(sheets).moved]
    assert found == [(6, "c", 0, 0, 2, 2), (6, "a", 3, 1, 0, 1)]


def test_sheets_without_a_partner_are_counted_and_left_out_of_the_gain():
    sheets = [sheet(1, BEFORE, 3), sheet(2, BEFORE, 9), sheet(1, AFTER, 10), sheet(3, AFTER, 0)]
    found = analysed(sheets)
    assert (found.pairs, found.gain, found.alone) == (1, 1.0, {BEFORE: 1, AFTER: 1})
    assert found.notes[0] == "1 sheet from before found no second one with the same code."
    assert "do not pass this page on" in found.notes[-1]


# --- tables ---


def test_a_table_is_read_as_it_is_written(tmp_path):
    sheets = [sheet(1, BEFORE, 3), Sheet("CODE2", AFTER, {4: "d"})]
    (tmp_path / "a.csv").write_text(inventory_class.table(sheets), encoding="utf-8")
    assert inventory_class.read([tmp_path]) == sheets


def test_semicolons_capitals_and_spaces_of_a_spreadsheet_are_understood(tmp_path):
    path = tmp_path / "a.csv"
    head = ";".join(inventory_class.COLUMNS)
    path.write_text(f"\ufeff{head}\nle 07 an;Before; B;C;;;;;;;;A\n", encoding="utf-8")
    assert inventory_class.read([path]) == [Sheet("LE07AN", BEFORE, {1: "b", 2: "c", 10: "a"})]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("code,time,1\n", "the columns 2, 3, 4, 5, 6, 7, 8, 9, 10 are missing"),
        ("HEAD\nab12,later,,,,,,,,,,\n", "the time is 'before' or 'after', not 'later'"),
        ("HEAD\nab12,before,x,,,,,,,,,\n", "question 1 has the options a, b, c, d, not 'x'"),
        ("HEAD\n=A1+2,before,a,,,,,,,,,\n", "a code has 3 to 24 letters"),
        ("HEAD\nab12,before,a,,,,,,,,,\nAB12,before,b,,,,,,,,,\n", "the code AB12 has two sheets from before"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_in_words(tmp_path, rows, words):
    path = tmp_path / "a.csv"
    path.write_text(rows.replace("HEAD", ",".join(inventory_class.COLUMNS)), encoding="utf-8")
    with pytest.raises(SheetError, match=r"a\.csv.*") as refused:
        inventory_class.read([path])
    assert words in str(refused.value)


def test_no_table_at_all_is_refused(tmp_path):
    with pytest.raises(SheetError, match="there is no table"):
        inventory_class.read([tmp_path])


# --- the command and its page ---


def test_the_command_writes_a_page_without_codes(tmp_path, capsys):
    sheets = [sheet(k, time, score) for time, score in ((BEFORE, 4), (AFTER, 7)) for k in range(12)]
    (tmp_path / "a.csv").write_text(inventory_class.table(sheets), encoding="utf-8")
    assert cli.main(["grade", "inventory", str(tmp_path), "--out", str(tmp_path / "page.html")]) == 0
    told, shown = capsys.readouterr().out, (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "With both sheets: 12" in told
    assert "Gain: 50%" in told
    assert "question 8 a (what a zero derivative says): 12 had it, 12 still do, 0 new" in told
    assert "CODE" not in shown + told
    assert shown.count("<tr>") == 2 + 6 + 20  # two heads, six ideas, ten questions twice
    assert "<script" not in shown


def test_a_page_with_one_time_alone_says_what_it_knows():
    shown = page(analysed([sheet(k, BEFORE, k) for k in range(11)]))
    assert "11 sheets, mean 5.0 of 10" in shown
    assert "Gain" not in shown.partition("<section")[0]


def test_an_empty_table_is_written_once(tmp_path, capsys):
    path = tmp_path / "answers.csv"
    assert cli.main(["grade", "inventory", "--empty", str(path)]) == 0
    assert "no row below the head" in inventory_class.gathered([path]).left_out[0]  # its examples are nobody's sheets
    path.write_text(path.read_text().replace("AB12CD,before,", "AB12CD,before,b"), encoding="utf-8")
    assert [(found.code, found.time) for found in inventory_class.read([path])] == [("AB12CD", BEFORE)]
    assert cli.main(["grade", "inventory", "--empty", str(path)]) == 2
    assert "stays as it is" in capsys.readouterr().err


def test_a_wrong_table_ends_the_command_in_words(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("name,mark\n", encoding="utf-8")
    assert cli.main(["grade", "inventory", str(tmp_path / "a.csv"), "--out", str(tmp_path / "p.html")]) == 2
    assert "Nothing was written: a.csv" in capsys.readouterr().err
    assert not (tmp_path / "p.html").exists()


# --- what a learner keeps, and hands in ---


@pytest.fixture
def kept(tmp_path, monkeypatch):
    path = tmp_path / "progress.json"
    monkeypatch.setenv("COURSEPKG_PROGRESS", str(path))
    return path


def test_letters_of_the_second_time_are_kept_beside_the_first(kept):
    inventory.ask().children[1].children[1].value = "a"
    again = inventory.ask(again=True)
    assert again.children[1].children[1].value is None
    again.children[1].children[1].value = "c"
    found = record.read(kept)
    assert (found.questions, found.questions_again) == ({2: "a"}, {2: "c"})
    assert inventory.ask().children[1].children[1].value == "a"
    assert inventory.ask(again=True).children[1].children[1].value == "c"


def test_both_times_are_handed_in_with_a_code_and_nothing_else(kept, tmp_path, capsys):
    inventory.ask().children[1].children[1].value = "a"
    inventory.ask(again=True).children[1].children[1].value = "c"
    table = inventory.hand_in("le 07 an", tmp_path)
    assert table.name == "ten-questions-LE07AN.csv"
    assert table.read_text(encoding="utf-8").splitlines() == [
        "code,time,1,2,3,4,5,6,7,8,9,10", "LE07AN,before,,a,,,,,,,,", "LE07AN,after,,c,,,,,,,,",
    ]  # fmt: skip
    assert "before and after. Your code is LE07AN" in capsys.readouterr().out
    assert inventory_class.read([table])[1] == Sheet("LE07AN", AFTER, {2: "c"})


def test_nothing_kept_is_nothing_to_hand_in(kept, tmp_path):
    with pytest.raises(ValueError, match="no letters are kept here yet"):
        inventory.hand_in("le07an", tmp_path)
    with pytest.raises(ValueError, match="a code has 3 to 24 letters"):
        inventory.hand_in("../x", tmp_path)
