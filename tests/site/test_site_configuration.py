"""The site's configuration, environment and workflow say what they must, without building anything."""

import ast
import re
from pathlib import Path

import pytest

from tools import browser_edition, site, site_npm
from tools.notebook_file import ROOT


def settings():
    tree = ast.parse((ROOT / "docs" / "conf.py").read_text(encoding="utf-8"))
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                try:
                    found[target.id] = ast.literal_eval(node.value)
                except ValueError:
                    found[target.id] = ast.unparse(node.value)
    return found


def test_nothing_is_run_and_formulas_are_read():
    conf = settings()
    assert conf["nb_execution_mode"] == "off"
    assert {"dollarmath", "amsmath"} <= set(conf["myst_enable_extensions"])


def test_every_asset_is_local():
    conf = settings()
    assert "://" not in conf["mathjax_path"]
    assert conf["html_theme"] == "sphinx_book_theme"
    for name in ("docs/conf.py", "docs/_static/course.css", "docs/_static/course.js", "docs/_templates/layout.html"):
        addresses = re.findall(r"https?://[^\s\"'<>)]+", (ROOT / name).read_text(encoding="utf-8"))
        assert {address for address in addresses if "www.w3.org/2000/svg" not in address} == set(), name


def test_each_icon_that_the_theme_asks_for_is_drawn():
    style = (ROOT / "docs" / "_static" / "course.css").read_text(encoding="utf-8")
    for name in ("bars", "list", "outdent", "magnifying-glass", "circle-half-stroke", "moon", "sun", "angle-left",
                 "angle-right", "chevron-down", "arrow-up", "xmark"):  # fmt: skip
        assert re.search(rf"\.fa-{name}\b[^{{]*{{ --icon:", style), name


@pytest.mark.parametrize("lock", [site.LOCK, browser_edition.LOCK], ids=lambda lock: lock.stem)
def test_a_lock_names_no_host_and_hashes_everything(lock):
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^--", text, flags=re.MULTILINE)
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_the_lock_holds_what_is_asked_for():
    blocks = re.split(r"^(?=[A-Za-z0-9])", site.LOCK.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    pinned = {re.match(r"([A-Za-z0-9_.-]+)==", block)[1].lower() for block in blocks}
    asked = re.findall(
        r"^([a-z-]+)[>=]=", (ROOT / "requirements-site.in").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert len(asked) >= 8
    assert set(asked) <= pinned
    assert {"numpy", "sympy", "matplotlib", "scikit-learn"} <= pinned  # the pages on the package import it


def test_the_site_and_the_tests_take_the_same_versions():
    def pins(path):
        found = {}
        for name, version in re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", path.read_text(encoding="utf-8"), re.M):
            found.setdefault(name.lower(), set()).add(version)
        return found

    ours, theirs = pins(site.LOCK), pins(ROOT / "requirements-test.lock")
    assert {name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name]} == set()


def test_make_has_the_targets_that_the_pages_name():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^site:\n\t@.*tools/site\.py", makefile, flags=re.MULTILINE)
    assert re.search(r"^site-check: test-env site\n\t@COURSEPKG_SITE=build/site .*tests/site", makefile, flags=re.M)
    assert re.search(r"requirements-site\.in .*--output-file requirements-site\.lock", makefile)


PACKAGES = [site_npm.MATHJAX, browser_edition.PYODIDE]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_package_of_another_content_is_refused(monkeypatch, tmp_path, package):
    monkeypatch.setattr(site_npm, "BUILD", tmp_path)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / f"{package.name}-{package.version}.tgz").write_bytes(b"something else")
    with pytest.raises(SystemExit, match=f"is not {package.name} {package.version} as published"):
        site_npm.content(package)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_without_npm_the_build_says_what_to_do(monkeypatch, tmp_path, package):
    monkeypatch.setattr(site_npm, "BUILD", tmp_path)
    monkeypatch.setattr(site_npm.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match=r"Install Node\.js with npm") as told:
        site_npm.content(package)
    assert f"npm pack {package.name}@{package.version}" in str(told.value)


def workflow():
    return (ROOT / ".github" / "workflows" / "site.yml").read_text(encoding="utf-8")


def test_the_workflow_builds_the_site_and_publishes_what_was_built():
    text = workflow()
    assert re.search(r"- run: make site$", text, flags=re.MULTILINE)
    assert text.index("upload-pages-artifact") < text.index("deploy-pages")
    assert "path: build/site" in text
    assert "needs: build" in text


def test_only_the_publishing_job_may_write():
    text = workflow()
    before, publishing = text.split("\n  publish:\n")
    assert "write" not in before
    assert re.findall(r"(\S+): write", publishing) == ["pages", "id-token"]
    assert re.search(r"^permissions:\n  contents: read$", before, flags=re.MULTILINE)


def test_actions_are_named_with_their_version():
    used = re.findall(r"uses: (\S+)", workflow())
    assert len(used) >= 4
    assert [name for name in used if not re.fullmatch(r"actions/[\w-]+@v\d+", name)] == []


def test_what_is_built_stays_out_of_the_repository():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert ".venv-site/" in ignored
    assert "/build/" in ignored
    assert Path(site.SOURCE).is_relative_to(ROOT / "build")
    assert Path(site.SITE).is_relative_to(ROOT / "build")
