"""Result files: whole or absent, the same bytes for the same result, nothing lost when one is superseded."""

import json
from dataclasses import replace

import pytest

from coursepkg.grading.running.results import (
    BadResult,
    Item,
    Result,
    folder_name,
    read_result,
    read_results,
    read_times,
    remove_partial_files,
    result_path,
    student_of,
    write_result,
)

RESULT = Result(
    student="ann", name="Ann Lee", exercise="01.2", notebook_sha256="n", spec_sha256="s", seed_id="d",
    sandbox="bubblewrap", versions={"numpy": "2"}, items=(Item("01.2", "Rates", 1.0, 2.0, "wrong", "adds", "No."),),
    flags=("one",),
)  # fmt: skip
HOSTILE_NAMES = [
    "../../etc/passwd", "/etc", ".hidden", "..", ".", "a/b", "a\\b", "a\0b", "x" * 400, "=cmd|'/c calc'!A1", "名前",
    "new\nline", "a%2Fb", "\udc80", "",
]  # fmt: skip


def test_a_result_comes_back_as_it_was_written(tmp_path):
    write_result(tmp_path, RESULT, {"seconds": 0.5})
    assert list(read_results(tmp_path)) == [RESULT]
    assert read_times(tmp_path, "ann", "01.2") == {"schema": 1, "seconds": 0.5}
    assert (RESULT.points, RESULT.max) == (1.0, 2.0)


def test_the_fields_are_those_of_the_schema(tmp_path):
    write_result(tmp_path, RESULT)
    data = json.loads(result_path(tmp_path, "ann", "01.2").read_text())
    assert list(data) == [
        "schema", "student", "name", "exercise", "notebook_sha256", "spec_sha256", "seed_id", "sandbox", "versions",
        "items", "flags", "status",
    ]  # fmt: skip
    assert list(data["items"][0]) == [
        "id", "title", "points", "max", "verdict", "misconception", "message", "visibility",
    ]  # fmt: skip


@pytest.mark.parametrize("student", HOSTILE_NAMES)
def test_no_name_leads_out_of_the_folder_or_is_lost(tmp_path, student):
    write_result(tmp_path / "results", replace(RESULT, student=student))
    [folder] = (tmp_path / "results").iterdir()
    assert [path.name for path in tmp_path.iterdir()] == ["results"]
    assert not folder.name.startswith(".")
    assert [result.student for result in read_results(tmp_path / "results")] == [student]
    if 0 < len(student) < 100:
        assert student_of(folder_name(student)) == student


def test_two_names_never_share_a_folder():
    assert len({folder_name(name) for name in [*HOSTILE_NAMES, "x" * 401, "a b", "a%20b"]}) == len(HOSTILE_NAMES) + 3


def test_a_superseded_result_moves_to_history(tmp_path):
    write_result(tmp_path, RESULT)
    before = result_path(tmp_path, "ann", "01.2").read_bytes()
    better = replace(RESULT, notebook_sha256="other")
    for _ in range(3):
        write_result(tmp_path, better)
    assert list(read_results(tmp_path)) == [better]
    [old] = (tmp_path / "ann" / "history").iterdir()
    assert old.read_bytes() == before


def test_half_written_files_are_removed_and_never_read(tmp_path):
    write_result(tmp_path, RESULT)
    (tmp_path / "ann" / ".01.3.json.partial").write_text('{"schema": 1, "stu')
    assert list(read_results(tmp_path)) == [RESULT]
    remove_partial_files(tmp_path)
    assert sorted(path.name for path in (tmp_path / "ann").iterdir()) == ["01.2.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 2}', '{"schema": 1}', '{"schema": 1, "items": [{}]}'])
def test_a_file_of_another_kind_is_refused_and_named(tmp_path, text):
    path = tmp_path / "01.2.json"
    path.write_text(text)
    with pytest.raises(BadResult, match=r"01\.2\.json"):
        read_result(path)


def test_an_infrastructure_error_has_no_points_rather_than_none_won():
    item = replace(RESULT.items[0], points=None)
    assert replace(RESULT, items=(item,)).points is None
    assert replace(RESULT, status="infrastructure error").points is None
