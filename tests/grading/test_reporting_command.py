"""``grade report``, ``grade export`` and ``grade mark`` from the command line."""

import argparse
import hashlib
import json
import re
import shlex
import subprocess
import sys

import pytest
from class_results import result, small_class, store
from grading_chapters import PROJECT

from coursepkg.grading import cli
from coursepkg.grading.reporting.command import FORMATS, register


def parse(arguments):
    """The options of a command line with these commands alone."""
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers(required=True))
    return parser.parse_args(arguments)


def main(arguments):
    options = parse(arguments)
    return options.run(options)


@pytest.fixture
def results(tmp_path):
    return store(small_class(), tmp_path / "results")


def test_report_writes_beside_the_results(results, capsys):
    assert main(["report", str(results)]) == 0
    assert (results.parent / "results-report" / "index.html").is_file()
    assert "wrote" in capsys.readouterr().out


def test_export_names_who_is_left_out_and_says_so_with_its_exit_code(results, capsys):
    assert main(["export", str(results), "--to", "csv"]) == 3
    assert "no mark yet, left out: @ed, di@example.org" in capsys.readouterr().err
    whole = store([result("ana", "01.1")], results.parent / "whole")
    assert main(["export", str(whole), "--to", "csv", "--out", str(results.parent / "out" / "marks.csv")]) == 0
    assert (results.parent / "out" / "marks.csv").is_file()


def test_mark_writes_a_sheet_and_takes_it_back(results, capsys):
    assert main(["mark", str(results)]) == 0
    sheet = results.parent / "results-to-mark.csv"
    sheet.write_text(sheet.read_text(encoding="utf-8-sig").replace(",3,,,,", ",3,,2,,"), encoding="utf-8")
    assert main(["mark", str(results), "--merge", str(sheet)]) == 0
    assert "2 marks taken" in capsys.readouterr().out


def test_the_page_is_served_until_ctrl_c_and_its_marks_are_written(results, capsys, monkeypatch):
    def serve(server):
        marking = server.marking
        answer = next(one for one in marking.listed() if one["names"] == ["+Ed -1"])
        marking.mark({"id": answer["id"], "points": 2, "comment": "", "seen": 0})
        raise KeyboardInterrupt

    monkeypatch.setattr("coursepkg.grading.reporting.marking_page.MarkingServer.serve_forever", serve)
    assert main(["mark", str(results), "--merge"]) == 2
    assert main(["mark", str(results), "--page"]) == 0
    assert re.search(r"http://127\.0\.0\.1:\d+/[\w-]{30,}/\n", capsys.readouterr().out)
    assert main(["mark", str(results), "--merge"]) == 0
    assert "1 marks written" in capsys.readouterr().out
    assert main(["export", str(results), "--to", "csv"]) == 3
    assert "no mark yet, left out: di@example.org" in capsys.readouterr().err


def test_the_page_shows_the_code_of_the_download(tmp_path, monkeypatch):
    code = 'def chain_rate(rates):\n    return 1\ncheck("01.1", chain_rate)'
    data = json.dumps({"cells": [{"cell_type": "code", "source": code}], "metadata": {}, "nbformat": 4}).encode()
    (tmp_path / "down" / "ana").mkdir(parents=True)
    (tmp_path / "down" / "ana" / "hw.ipynb").write_bytes(data)
    found = result("ana", "01.1", flags=("odd",), notebook_sha256=hashlib.sha256(data).hexdigest())
    results = store([found], tmp_path / "results")
    seen = []
    monkeypatch.setattr(
        "coursepkg.grading.reporting.marking_page.MarkingServer.serve_forever",
        lambda server: seen.extend(one["code"] for one in server.marking.listed()),
    )
    specs = str(PROJECT / "solutions" / "specs")
    assert main(["mark", str(results), "--page", "--submissions", str(tmp_path / "down"), "--specs", specs]) == 0
    assert seen == [code]
    assert main(["mark", str(results), "--page", "--submissions", str(tmp_path / "absent"), "--specs", specs]) == 2


def test_feedback_is_written_as_a_zip(tmp_path, capsys):
    (tmp_path / "down" / "Ana_11_assignsubmission_file").mkdir(parents=True)
    (tmp_path / "down" / "Ana_11_assignsubmission_file" / "a.ipynb").write_text("{}")
    results = store([result("11", "01.1"), result("12", "01.1")], tmp_path / "results")
    command = ["feedback", str(results), "--for", "moodle", "--submissions", str(tmp_path / "down")]
    assert main(command) == 3
    assert "not in the download, left out: 12" in capsys.readouterr().err
    assert (tmp_path / "results-feedback-moodle.zip").is_file()
    command[3] = "canvas"
    assert main(command) == 2


def test_the_course_offers_these_commands(results):
    assert cli.main(["grade", "report", str(results), "--out", str(results.parent / "pages")]) == 0
    assert (results.parent / "pages" / "index.html").is_file()


def test_the_instructors_page_shows_commands_that_exist():
    page = (PROJECT / "instructor" / "marks.md").read_text(encoding="utf-8")
    shown = re.findall(r"(?:`|    )grade ((?:report|mark|export|feedback|nbgrader) [^`#\n]+)", page)
    assert {parse(shlex.split(command)).run.__name__ for command in shown} == {
        "_report",
        "_mark",
        "_export",
        "_feedback",
        "_nbgrader",
    }
    assert {parse(shlex.split(command)).to for command in shown if command.startswith("export")} == set(FORMATS)


def test_no_two_defaults_are_the_same_file(results):
    for arguments in (["mark"], ["report"], *(["export", "--to", name] for name in ("csv", "lti", "gradescope"))):
        before = {path: path.read_bytes() for path in results.parent.iterdir() if path.is_file()}
        main([arguments[0], str(results), *arguments[1:]])
        assert all(path.read_bytes() == text for path, text in before.items())


@pytest.mark.parametrize("action", [["report"], ["mark"], ["export", "--to", "csv"]])
def test_a_folder_without_results_is_wrong_usage(action, tmp_path, capsys):
    assert main([action[0], str(tmp_path), *action[1:]]) == 2
    assert main([action[0], str(tmp_path / "absent"), *action[1:]]) == 2
    assert "Nothing was written" in capsys.readouterr().err


def test_registering_loads_nothing_heavy():
    code = (
        "import sys; before = set(sys.modules); import coursepkg.grading.reporting.command; "
        "heavy = {'csv', 'nbgrader', 'matplotlib'} & (set(sys.modules) - before); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
