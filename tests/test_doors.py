"""The ways into the course besides its two commands: each is a small file that an outside service reads."""

import json
import re
import stat
import tomllib
from pathlib import Path

import pytest
import yaml

from coursepkg import __main__ as command_line

ROOT = Path(__file__).resolve().parent.parent
CONDA_NAMES = {"matplotlib": "matplotlib-base"}
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[0-9]*.yml"))


def text_of(path):
    return (ROOT / path).read_text(encoding="utf-8")


def project():
    return tomllib.loads(text_of("pyproject.toml"))


def test_binder_gets_what_a_learner_needs_and_nothing_else():
    environment = yaml.safe_load(text_of("binder/environment.yml"))
    declared = project()["project"]
    wanted = [*declared["dependencies"], *declared["optional-dependencies"]["course"]]
    wanted += project()["build-system"]["requires"]
    wanted = {CONDA_NAMES.get(name, name) + f" {bound}" for name, bound in (line.split(" ") for line in wanted)}
    packages = [line for line in environment["dependencies"] if line != "pip"]
    [python] = [line for line in packages if line.startswith("python ")]
    assert set(packages) - {python} == wanted
    assert re.fullmatch(r"python =3\.\d+", python), "Binder takes an old Python where no version is named"


def test_binder_lays_out_a_copy_and_opens_it():
    script = ROOT / "binder" / "postBuild"
    assert script.stat().st_mode & stat.S_IXUSR
    [folder] = re.findall(r"^coursepkg start (\S+)$", text_of("binder/postBuild"), flags=re.MULTILINE)
    assert f"lab/tree/{folder}/notebooks/00_start_here.ipynb" in text_of("docs/elsewhere.md")


def test_the_dev_container_calls_targets_of_the_makefile():
    container = json.loads(text_of(".devcontainer/devcontainer.json"))
    targets = re.findall(r"^([a-z-]+):", text_of("Makefile"), flags=re.MULTILINE)
    for key in ("postCreateCommand", "postAttachCommand"):
        make, target = container[key].split()
        assert make == "make"
        assert target in targets


def test_the_cell_for_rented_machines_uses_what_exists(tmp_path, capsys):
    page = text_of("docs/elsewhere.md")
    extra = re.search(r'%pip install -q "coursepkg\[(\w+)\]"', page)[1]
    assert extra in project()["project"]["optional-dependencies"]
    command = re.search(r"^    !coursepkg (\w+) ", page, flags=re.MULTILINE)[1]
    assert command_line.main([command, str(tmp_path / "course")]) == 0
    assert "course" in capsys.readouterr().out
    assert (tmp_path / "course" / "notebooks" / "00_start_here.ipynb").is_file()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_an_issue_template_has_the_form_that_the_forge_reads(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert set(form) == {"name", "description", "labels", "body"}
    fields = [field["id"] for field in form["body"]]
    assert len(set(fields)) == len(fields)
    for field in form["body"]:
        assert field["type"] in ("input", "textarea")
        assert field["attributes"]["label"]
        assert set(field) <= {"type", "id", "attributes", "validations"}
    assert any(field.get("validations", {}).get("required") for field in form["body"])


def test_the_best_report_comes_first():
    assert yaml.safe_load(TEMPLATES[0].read_text(encoding="utf-8"))["name"] == "A wrong answer that passes"


def test_hooks_before_a_commit_fetch_nothing_and_call_what_exists():
    [group] = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"]
    assert group["repo"] == "local"
    for hook in group["hooks"]:
        assert hook["language"] == "system"
        words = hook["entry"].split()
        assert words[0] == ".venv/bin/python"
        if words[1] != "-m":
            assert (ROOT / words[1]).is_file()
