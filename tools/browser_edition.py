"""The browser edition: JupyterLite with the course in it, a part of the website that asks no other host to start.

Python itself is Pyodide, from npm. Libraries written in Python come from PyPI, by the hashes in
`requirements-browser.lock`, and the course as the wheel that `pip install` would take. What is compiled (NumPy, SciPy,
Matplotlib, scikit-learn) is for Pyodide's public distribution to bring, when a cell imports it. `make site COMPLETE=1`
fetches it from there, by the hashes in Pyodide's list, and makes it part of the site, too.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from coursepkg import start
from tools import site_npm
from tools.notebook_file import ROOT, as_text, read

BUILD = ROOT / "build"
WORK = BUILD / "browser"
LOCK = ROOT / "requirements-browser.lock"
COMPILED = BUILD / "cache" / "pyodide"
PYTHON = "3.14"  # that of Pyodide
PYODIDE = site_npm.Package(
    "pyodide",
    "314.0.6",  # the one that the kernel in requirements-site.in is made for
    "04a0d327222a1710b8044c4ba9e452ddfe71bd76488ceb7c0b7cc62cdfc273bb"
    "45c52c2f29585591c8504360062ceb51e18ad53881716d5f29a320ce3a65b0c5",
    "The browser edition runs Python by Pyodide",
)
_RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
FROM_PYODIDE = ("numpy", "matplotlib", "scipy", "scikit-learn")
# What Pyodide's own list does not have: for each the names under which it is imported, and what it needs.
_BESIDES = {
    "comm": (["comm"], ["traitlets"]),
    "ipywidgets": (["ipywidgets"], ["comm", "ipython", "traitlets", "jupyterlab-widgets", "widgetsnbextension"]),
    "jupyterlab-widgets": (["jupyterlab_widgets"], []),
    "widgetsnbextension": (["widgetsnbextension"], []),
    "coursepkg": (["coursepkg"], ["sympy", "ipywidgets", "tqdm"]),
}


def build(target: Path) -> None:
    """Build the edition in a folder of the site."""
    shutil.rmtree(WORK, ignore_errors=True)
    complete = lay_out_python(WORK / "static" / "pyodide")
    lay_out_course(WORK / "files", complete=complete)
    (WORK / "notebooks").mkdir()
    for folder, settings in ((WORK, _SETTINGS), (WORK / "notebooks", _SETTINGS_OF_ONE_NOTEBOOK)):
        (folder / "jupyter-lite.json").write_text(json.dumps(settings), encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    command = [
        *(sys.executable, "-m", "jupyter", "lite", "build", "--no-sourcemaps", "--log-level", "ERROR"),
        *("--apps", "lab", "--apps", "notebooks", "--contents", "files", "--ContentsManager.allow_hidden=True"),
        *("--output-dir", str(target.resolve())),
    ]
    done = subprocess.run(command, cwd=WORK, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"JupyterLite could not be built:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    icon = '<link rel="icon" href="favicon.ico">'  # without it, a browser asks for one where there may be none
    for app, words in (("lab", _ON_A_PHONE), ("notebooks", _ONE_NOTEBOOK)):
        page = target / app / "index.html"
        text = page.read_text(encoding="utf-8").replace("<head>", f"<head>\n    {icon}\n    {words}", 1)
        page.write_text(text, encoding="utf-8")


# JupyterLab keeps its list of files and its side bars on a phone, and the notebook gets a strip. The page of a single
# notebook, which is part of the edition too, has room for it there, and a button to run a cell.
_ON_A_PHONE = """\
<script>
      if (Math.min(screen.width, innerWidth) <= 720)  // on a phone, the page has no width of its own yet
        location.replace("../notebooks/index.html" + (location.search || "?path=notebooks/00_start_here.ipynb"));
    </script>"""
_ONE_NOTEBOOK = """\
<style>
      @media (max-width: 45rem) { .jp-NotebookTrustedStatus { display: none; } }  /* it covers the menus */
    </style>"""


_SETTINGS = {
    "jupyter-lite-schema-version": 0,
    "jupyter-config-data": {
        "appName": "Backpropagation course",
        # Light or dark, as the reader's system has it and as the pages around it are.
        "settingsOverrides": {"@jupyterlab/apputils-extension:themes": {"adaptive-theme": True}},
        "litePluginSettings": {
            "@jupyterlite/pyodide-kernel-extension:kernel": {
                "pyodideUrl": "./static/pyodide/pyodide.mjs",
                "disablePyPIFallback": True,
            }
        },
    },
}

# Where there is room for one notebook only, long lines of code are folded: nobody has to push them about.
_SETTINGS_OF_ONE_NOTEBOOK = {
    "jupyter-lite-schema-version": 0,
    "jupyter-config-data": {
        "settingsOverrides": {
            "@jupyterlab/notebook-extension:tracker": {"codeCellConfig": {"lineNumbers": False, "lineWrap": True}}
        }
    },
}


# --- Python and its libraries -----------------------------------------------------------------------------------------


def lay_out_python(target: Path) -> bool:
    """Pyodide, the wheels, and the list in which Pyodide looks up what a cell imports.

    Returns
    -------
    bool
        Whether everything is in the site, or some of it only in Pyodide's public distribution.
    """
    from jupyterlite_pyodide_kernel.constants import PYODIDE_CDN_URL, PYODIDE_VERSION

    if PYODIDE.version != PYODIDE_VERSION:
        sys.exit(f"The kernel is made for Pyodide {PYODIDE_VERSION}, and this is {PYODIDE.version}: change PYODIDE")
    target.mkdir(parents=True)
    files = site_npm.content(PYODIDE)
    for name in _RUNTIME:
        (target / name).write_bytes(files[name])
    wheels = [*_wheels(), _wheel_of_the_course()]
    for wheel in wheels:
        shutil.copy(wheel, target)
    listed = json.loads(files["pyodide-lock.json"])
    listed["packages"] = packages(listed["packages"], wheels, PYODIDE_CDN_URL, COMPILED)
    here = [entry["file_name"] for entry in listed["packages"].values() if "/" not in entry["file_name"]]
    for name in here:
        if not (target / name).is_file():
            shutil.copy(COMPILED / name, target)
    (target / "pyodide-lock.json").write_text(json.dumps(listed), encoding="utf-8")
    return len(here) == len(listed["packages"])


def packages(
    listed: Mapping[str, Mapping[str, Any]], wheels: Iterable[Path], distribution: str, compiled: Path
) -> dict[str, dict[str, Any]]:
    """The list of packages for the site: what is here by its file, what is not by its address in the distribution.

    Parameters
    ----------
    listed : mapping
        Pyodide's own list: name, version, file, hash, names to import and dependencies of everything it has.
    wheels : iterable of Path
        What the site brings.
    distribution : str
        Address of the folder in which Pyodide's wheels are to be had.
    compiled : Path
        A folder with some of those wheels, or none. Only files with the hash that Pyodide's list names are taken.

    Raises
    ------
    ValueError
        If a wheel has another version than Pyodide's list, or if one that is needed is missing.
    """
    theirs = {_normal(name): dict(entry) for name, entry in listed.items()}
    ours: dict[str, dict[str, Any]] = {}
    for wheel in wheels:
        name, version = _normal(wheel.name.split("-")[0]), wheel.name.split("-")[1]
        if name in _BESIDES:
            imports, depends = _BESIDES[name]
            entry = {"name": name, "version": version, "install_dir": "site", "package_type": "package",
                     "imports": imports, "depends": depends, "unvendored_tests": False}  # fmt: skip
        else:
            entry = theirs[name]
            if entry["version"] != version:
                raise ValueError(
                    f"Pyodide's list has {name} {entry['version']}, and requirements-browser.lock {version}"
                )
        ours[name] = entry | {"file_name": wheel.name, "sha256": _sha256(wheel)}
    missing = {need for entry in ours.values() for need in map(_normal, entry["depends"])} - ours.keys()
    if missing:
        raise ValueError(f"requirements-browser.in lacks {', '.join(sorted(missing))}")
    for name in with_dependencies(theirs, FROM_PYODIDE):
        if name not in ours:
            here = compiled / theirs[name]["file_name"]
            known = here.is_file() and _sha256(here) == theirs[name]["sha256"]
            ours[name] = theirs[name] | ({} if known else {"file_name": f"{distribution}/{here.name}"})
    return dict(sorted(ours.items()))


def with_dependencies(listed: Mapping[str, Mapping[str, Any]], wanted: Iterable[str]) -> set[str]:
    """The names of packages and of all that they need."""
    found: set[str] = set()
    to_do = list(wanted)
    while to_do:
        name = _normal(to_do.pop())
        if name not in found:
            found.add(name)
            to_do += listed[name]["depends"]
    return found


def fetch_compiled() -> None:
    """Bring what is compiled from Pyodide's public distribution, so that it becomes part of the site."""
    from jupyterlite_pyodide_kernel.constants import PYODIDE_CDN_URL

    listed = json.loads(site_npm.content(PYODIDE)["pyodide-lock.json"])["packages"]
    here = {_normal(wheel.name.split("-")[0]) for wheel in _wheels()}
    theirs = {_normal(name): entry for name, entry in listed.items()}
    for name in sorted(with_dependencies(theirs, FROM_PYODIDE) - here):
        fetch(f"{PYODIDE_CDN_URL}/{theirs[name]['file_name']}", theirs[name]["sha256"], COMPILED)


def fetch(address: str, sha256: str, folder: Path) -> None:
    """Bring one file, unless it is there.

    Raises
    ------
    SystemExit
        If it cannot be had, or is not what was published.
    """
    target = folder / address.rpartition("/")[2]
    if target.is_file() and _sha256(target) == sha256:
        return
    try:
        with urllib.request.urlopen(address) as answer:
            content = answer.read()
    except OSError as error:
        sys.exit(f"{target.name} could not be fetched ({error}). `make site` works without it.")
    if hashlib.sha256(content).hexdigest() != sha256:
        sys.exit(f"{target.name} is not what Pyodide's list says: nothing was kept")
    folder.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def _wheels() -> list[Path]:
    """The libraries written in Python, downloaded once for each content of the lock."""
    folder = BUILD / "cache" / f"wheels-{_sha256(LOCK)[:12]}"
    if not folder.is_dir():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--require-hashes"),
            *("--no-deps", "--only-binary=:all:", "--python-version", PYTHON, "--dest", str(part), "-r", str(LOCK)),
        ]
        subprocess.run(command, check=True)
        part.rename(folder)
    return sorted(folder.glob("*.whl"))


def _wheel_of_the_course() -> Path:
    """The wheel as it is published, without its notebooks, which lie beside it here, and without worked answers."""
    folder = WORK / "wheel"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    whole = next(folder.glob("coursepkg-*.whl"))
    light = folder / "light" / whole.name
    light.parent.mkdir()
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(light, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if not name.endswith(".ipynb"):
                new.writestr(name, old.read(name))
    return light


def _normal(name: str) -> str:
    """A package's name as PyPI normalises it: Pyodide finds a package under no other."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


# --- the course -------------------------------------------------------------------------------------------------------

# What a notebook needs of what is compiled. The others need all of it.
NEEDS: dict[str, tuple[str, ...]] = {
    "notebooks/00": (),
    "notebooks/01": (),
    "notebooks/02": ("matplotlib", "numpy"),
    "exercises/01": (),
    "exercises/02": (),
}
_ALL = ("matplotlib", "numpy", "scipy", "sklearn")
_NOTE = """\
**In your browser.** Python runs in this page, and nothing is installed. What you write stays in this browser.
To keep it elsewhere, choose *File*, *Download*.
"""
_NO_CLOCK = """\
Checks have no time limit here. If a loop of yours never ends, choose *Kernel*, *Restart Kernel*.
"""
_SOME_NEED_MORE = """\
Some cells need NumPy or Matplotlib, which are not part of this page. The next cell says how to fetch them.
Without them, these cells say so, and all others run.
"""
_CODE = """\
from coursepkg import in_browser

in_browser.begin({arguments})
{fetching}"""


def lay_out_course(target: Path, *, complete: bool) -> None:
    """The learner's copy, as `coursepkg start` lays it out, with a word on the browser under each notebook's title.

    Parameters
    ----------
    target : Path
        Where the notebooks go.
    complete : bool
        Whether the site itself brings what is compiled.
    """
    start.lay_out(target)
    (target / start.LIST).unlink()  # nobody updates this copy
    for path in [*target.glob("notebooks/*.ipynb"), *target.glob("exercises/*.ipynb")]:
        notebook = read(path)
        notebook.cells[1:1] = opening(f"{path.parent.name}/{path.stem}", complete=complete)
        for cell in notebook.cells:
            cell.source = cell.source.replace(*_SHORTER)
        needs = NEEDS.get(f"{path.parent.name}/{path.name[:2]}", _ALL)
        if needs and needs != _ALL and not complete:
            for cell in notebook.cells:
                cell.source = _IMPORT.sub('np = in_browser.library("numpy")', cell.source)
        path.write_text(as_text(notebook), encoding="utf-8")


# Chapter 02 times chains of operations. Freeing a very long one takes more of a stack than Python has in a browser.
_SHORTER = ("range(60_000):", "range(2_000):  # elsewhere 60_000: a browser cannot free a chain of that length")
_IMPORT = re.compile(r"^import numpy as np$", flags=re.MULTILINE)


def opening(name: str, *, complete: bool) -> list[NotebookNode]:
    """The cells that a notebook has in the browser only, by its folder and name."""
    folder, chapter = name.split("/")
    needs = NEEDS.get(f"{folder}/{chapter[:2]}", _ALL)
    optional = needs != _ALL and not complete
    note = new_markdown_cell(_NOTE + _NO_CLOCK * (folder == "exercises") + _SOME_NEED_MORE * (optional and bool(needs)))
    note["id"] = "in-your-browser"
    if not needs:
        return [note]
    line = f"import {', '.join(needs)}"
    if optional:
        line = f"# From Pyodide's public distribution, about 12 MB: take away the # in the next line.\n# {line}"
    else:
        line += "  # the first time, this takes a while"
    arguments = f'"{name}.html"' + ("" if optional else ", asked=True")
    code = new_code_cell(_CODE.format(arguments=arguments, fetching=line))
    code["id"] = "libraries"
    return [note, code]
