"""What the page on the ten questions shows is what the commands and the notebook do."""

import re

from coursepkg.grading import cli, inventory
from coursepkg.grading.learning import inventory_class
from coursepkg.grading.learning.inventory_questions import QUESTIONS
from tools.notebook_file import ROOT

PAGE = (ROOT / "instructor" / "before-and-after.md").read_text(encoding="utf-8")
RIGHT = {question.number: question.answer for question in QUESTIONS}


def test_its_commands_go_the_whole_way(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    empty, report = re.findall(r"^ {4}grade (inventory .*)$", PAGE, flags=re.M)
    assert cli.main(["grade", *empty.split()]) == 0
    table = tmp_path / empty.split()[-1]
    table.write_text(table.read_text(encoding="utf-8").replace("AB12CD,before,", "LE07AN,before,b"), encoding="utf-8")
    (tmp_path / "collected").mkdir()
    sheet = inventory_class.Sheet("LE07AN", inventory_class.AFTER, RIGHT)
    (tmp_path / "collected" / "ten-questions-LE07AN.csv").write_text(inventory_class.table([sheet]), encoding="utf-8")
    assert cli.main(["grade", *report.split()]) == 0
    assert (tmp_path / "ten-questions.html").is_file()
    told = capsys.readouterr().out
    example = re.search(r"^ {4}(With both sheets: .*\n) {4}(Gain: .*\n) {4}(question .*)$", PAGE, flags=re.M)
    assert re.search(r"^With both sheets: \d+$", told, flags=re.M)
    assert re.fullmatch(r"Gain: −?\d+%\n", example[2])
    question = QUESTIONS[5]
    assert example[3].startswith(f"question {question.number} a ({question.concept}): ")
    assert re.search(r"\d+ had it, \d+ still do, \d+ new$", example[3])


def test_what_a_learner_types_exists(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSEPKG_PROGRESS", str(tmp_path / "progress.json"))
    for call in ("inventory.ask(again=True)", 'inventory.hand_in("LE07AN")'):
        assert call in PAGE
    inventory.ask(again=True).children[0].children[1].value = RIGHT[1]
    table = inventory.hand_in("LE07AN", tmp_path)
    assert f"`{table.name}`" in PAGE
