"""Build the website in build/site: `make site`, or `python tools/site.py`.

With nothing but Python's own library this file makes an environment of its own, `.venv-site`, from the hashed lock, and
starts itself there again. MathJax and Pyodide come from npm once, and the wheels of the browser edition from PyPI, by
pinned hashes, into build/cache; nothing else is fetched.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv-site"
LOCK = ROOT / "requirements-site.lock"
BUILD = ROOT / "build"
SOURCE, CREATED, DOCTREES, SITE = (BUILD / f"site{part}" for part in ("-source", "-static", "-doctrees", ""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="build only the pages whose name contains this, to look at something quickly")
    parser.add_argument("--complete", action="store_true", help="bring NumPy and others for the browser edition, too")
    options = parser.parse_args()
    enter_environment()
    sys.path.insert(0, str(ROOT))
    if options.complete:
        from tools import browser_edition

        browser_edition.fetch_compiled()
    build(options.only)


# --- the environment --------------------------------------------------------------------------------------------------


def enter_environment() -> None:
    """Go on in `.venv-site`, which is made if it is not there or if its recipe has changed."""
    python = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    recipe = hashlib.sha256(LOCK.read_bytes() + str(ROOT).encode()).hexdigest()
    made = ENVIRONMENT / "recipe"
    if not made.is_file() or made.read_text() != recipe:
        print("Building the environment of the site in .venv-site (a minute or two, only the first time) ...")
        make_environment(python)
        made.write_text(recipe)
    if Path(sys.prefix).resolve() != ENVIRONMENT.resolve():
        sys.exit(subprocess.run([str(python), *sys.argv], check=False).returncode)


def make_environment(python: Path) -> None:
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    uv = shutil.which("uv")
    if uv:
        subprocess.run([uv, "venv", "--quiet", str(ENVIRONMENT)], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    else:
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--require-hashes", "-r", str(LOCK)], check=True)
    subprocess.run([*install, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], check=True)


# --- the pages --------------------------------------------------------------------------------------------------------


def forget_what_older_hooks_read() -> None:
    """Sphinx reads a page again when the page changes; when what reads it changes, it has to be told."""
    hooks = [ROOT / "docs" / "conf.py", ROOT / "tools" / "site_reading.py"]
    now = hashlib.sha256(b"".join(path.read_bytes() for path in hooks)).hexdigest()
    then = DOCTREES / "hooks"
    if not then.is_file() or then.read_text() != now:
        shutil.rmtree(DOCTREES, ignore_errors=True)
        DOCTREES.mkdir(parents=True)
        then.write_text(now)


def build(only: str | None = None) -> None:
    from sphinx.cmd.build import build_main

    from tools import browser_edition, site_notebooks, site_npm, site_pages

    forget_what_older_hooks_read()
    site_npm.lay_out_mathjax(CREATED / "vendor" / "mathjax")
    site_pages.lay_out(SOURCE)
    site_pages.lay_out_assets(CREATED)
    wanted = [str(path) for path in SOURCE.rglob("*") if only and only in str(path)] if only else []
    where = ["-c", str(ROOT / "docs"), "-d", str(DOCTREES), str(SOURCE), str(SITE)]
    code = build_main(["-W", "--keep-going", "-q", "-j", "2", "-b", "html", *where, *wanted])
    if code:
        sys.exit(code)
    if not only:
        browser_edition.build(SITE / site_notebooks.BROWSER_EDITION)
    shutil.copy(site_pages.HAND_WRITTEN / "404.html", SITE)  # what a server shows where nothing is
    (SITE / ".nojekyll").touch()  # GitHub would leave out folders that begin with an underscore
    print(f"The site is in {SITE.relative_to(ROOT)}; to look at it: python -m http.server -d {SITE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
