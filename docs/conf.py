"""The website: chapters with their stored outputs, exercises to read, and the package, in one Sphinx project.

`make site` copies the pages into `build/site-source` first and changes them for reading (`tools/site_pages.py`); Sphinx
reads them there, with this file. Nothing is run, and no page asks another host for anything.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # `tools` is not installed

import coursepkg
from tools import site_reading

ROOT = Path(__file__).resolve().parent.parent
CREATED = ROOT / "build" / "site-static"  # MathJax and the modules of the figures: `tools/site.py` lays them there

project = "Backpropagation, from the kitchen to a light chip"
author = "The authors of the course"
copyright = "The authors of the course. Text and figures: CC BY 4.0. Code: MIT"
version = release = coursepkg.__version__
language = "en"
extensions = ["myst_nb", "sphinx_copybutton", "sphinx.ext.autodoc", "numpydoc"]

# Notebooks
nb_execution_mode = "off"  # the outputs are those that the tests compare
nb_code_prompt_show = "Show what the cell shows"  # under a prediction: cells with the tag hide-output
nb_code_prompt_hide = "Hide it again"
myst_enable_extensions = [
    "dollarmath",
    "amsmath",
    "deflist",
]  # without the first, $...$ stays as typed
myst_heading_anchors = 4
mathjax_path = "vendor/mathjax/startup.js"  # relative to _static; Sphinx's default is on another host
mathjax3_config = {
    "loader": {"load": ["input/tex", "output/chtml", "a11y/assistive-mml"]},
    "options": {"enableMenu": False},
    "chtml": {"displayAlign": "left", "displayIndent": "1.5em"},
}
copybutton_selector = "div.cell_input div.highlight pre, div:not(.cell) > div.highlight pre"  # code, not outputs

# The package
autodoc_default_options = {
    "members": True,
    "exclude-members": "set_score_request, set_fit_request, set_predict_request",  # scikit-learn's, with its own links
}
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the sections Parameters and Returns have them
autodoc_preserve_defaults = True
numpydoc_show_class_members = False

# Pages
html_theme = "sphinx_book_theme"
html_title = "Backpropagation"
html_static_path = ["_static", str(CREATED)]
html_css_files = ["course.css"]
html_js_files = [("course.js", {"defer": "defer"})]
html_copy_source = html_show_sourcelink = False
html_theme_options = {
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    "show_navbar_depth": 1,
    "home_page_in_toc": False,
    "search_bar_text": "Search the course",
}
html_favicon = "_static/favicon.svg"
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system has it
templates_path = ["_templates"]
exclude_patterns = ["_build"]


def setup(app):
    site_reading.connect(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
