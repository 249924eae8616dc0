"""The instructor's page goes the whole way: every command on it is run, and says what the page shows."""

import re
import shlex
import subprocess
import sys

import machine
from generated_class import PROJECT

PAGE = PROJECT / "instructor" / "class.md"


def shown():
    """The commands of the page, each with the lines that it prints."""
    blocks = re.findall(r"(?:^    .+\n)+", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    for block in blocks:
        first, *rest = [line[4:] for line in block.splitlines()]
        yield first.removeprefix("$ "), rest


def run(command, folder):
    """Run a line of the page in a folder, and return what it prints."""
    words = shlex.split(command)
    if words[0] == "openssl":
        (folder / words[-1]).write_text("a secret of the tests, and of nobody else")
        return []
    start = {"grade": [sys.executable, "-m", "coursepkg", "grade"], "python": [sys.executable]}[words[0]]
    ran = subprocess.run([*start, *words[1:]], cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def test_the_page_goes_the_whole_way(tmp_path):
    tier = machine.best_tier()
    machine.require(tier)
    for name in ("solutions", "exercises", "tools"):
        (tmp_path / name).symlink_to(PROJECT / name)
    commands = list(shown())
    assert [command.split()[:2] for command, _ in commands] == [
        ["openssl", "rand"], ["grade", "release"], ["python", "tools/example_class.py"], ["grade", "batch"],
        ["grade", "report"], ["grade", "feedback"], ["grade", "export"],
    ]  # fmt: skip
    for command, expected in commands:
        printed = run(command, tmp_path)
        assert len(printed) == len(expected), (command, printed)
        for line, wanted in zip(printed, expected, strict=True):
            wanted = wanted.replace("bubblewrap", tier)
            assert re.fullmatch(re.escape(wanted).replace(r"\.\.\.", ".*"), line), command
    marks = (tmp_path / "marks.csv").read_text(encoding="utf-8").splitlines()
    points = {line.split(",")[1]: line.split(",")[3] for line in marks[1:]}
    assert points == {
        "Ada Okafor": "26", "Bruno Silva": "24", "Chen Wei": "24", "Dora Novak": "0", "Emil Berg": "0",
        "Farah Aziz": "0",
    }  # fmt: skip
    assert (tmp_path / "results-report" / "index.html").is_file()
    said = {line.split(",")[1]: line.split(",", 4)[4].strip('"') for line in marks[1:]}
    assert said["Emil Berg"] == "Nothing was handed in."
    assert said["Farah Aziz"].endswith("hand in the notebook itself, the file that ends in .ipynb.")
    assert said["Chen Wei"].endswith("Late: 2 points taken off.")
    report = (tmp_path / "results-report" / "index.html").read_text(encoding="utf-8")
    for words in ("Class report: hw2, due 01 December 2026, 23:59", "5 folders, 5 learners, 1 missing",
                  "Handed in nothing: Emil Berg."):  # fmt: skip
        assert words in report
