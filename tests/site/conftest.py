"""The pages of the site as they are laid out for Sphinx, and a small site that is really built."""

import functools
import http.server
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from tools import lab, site_pages
from tools.notebook_file import ROOT

PYTHON = ROOT / ".venv-site" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
# Enough to meet what is special: folds, guesses, a living figure, a second reading, the map.
SMALL = ("index.md", "map.md", "run.md", "notebooks/00_start_here.ipynb", "exercises/01_cooking_analogy.ipynb")


@pytest.fixture(scope="session")
def pages():
    return dict(site_pages.every_page())


@pytest.fixture(scope="module")
def chromium():
    executable = lab.find_browser()
    if executable is None:
        pytest.skip("no Chromium or Chrome here")
    with lab.chromium(executable) as browser:  # it reaches nothing but this machine
        yield browser


@pytest.fixture(scope="session")
def address():
    """A function that serves a folder on this machine and returns its address."""
    servers = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    def serve(folder: Path) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def whole():
    """The site that `make site` built."""
    named = os.environ.get("COURSEPKG_SITE")
    if not named:
        pytest.skip("`make site-check` opens every page of the whole site; COURSEPKG_SITE names no site here")
    folder = (ROOT / named).resolve()
    assert (folder / "index.html").is_file(), f"{folder} has no index.html; run `make site` first"
    return folder


@pytest.fixture(scope="session")
def small(tmp_path_factory, pages):
    """A site of a few pages, built by the real configuration."""
    if not PYTHON.is_file():
        pytest.skip("no environment for the site here: `make site` makes .venv-site")
    place = tmp_path_factory.mktemp("site")
    source, site = place / "source", place / "site"
    for name in SMALL:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        text = pages[name]
        if name == "index.md":  # its lists of contents name pages that are left out here
            text = text.split("```{toctree}")[0] + "```{toctree}\n:hidden:\n\nmap\nrun\nnotebooks/00_start_here\n```\n"
        (source / name).write_text(text, encoding="utf-8")
    command = [PYTHON, "-m", "sphinx", "-q", "-b", "html", "-c", ROOT / "docs", source, site]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    site_pages.lay_out_assets(site / "_static")
    yield site
    shutil.rmtree(place, ignore_errors=True)
