"""The workshops' plans fit into their time, and their pages say what the plans say."""

import re

import nbformat
import pytest

from tools import workshops
from tools.notebook_file import ROOT
from tools.workshops import Load, PlanError

NAMES = ["90-minutes", "half-day", "two-days"]
PARTS = ("Questions", "Objectives", "On the board", "Instructor notes", "Key points")


def text(name):
    return workshops.page(name).read_text(encoding="utf-8")


def test_there_are_three_workshops():
    assert workshops.names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_fits_into_its_time_and_names_only_what_exists(name):
    made = workshops.plan(name)  # raises otherwise
    assert (
        sum(session.minutes for session in made.sessions) == {"90-minutes": 90, "half-day": 240, "two-days": 765}[name]
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_in_step_with_its_plan(name):
    assert workshops.differences(name) == []


@pytest.mark.parametrize("name", NAMES)
def test_each_episode_has_questions_objectives_board_notes_ideas_and_key_points(name):
    episodes = re.split(r"^## Episode ", text(name), flags=re.M)[1:]
    told = workshops.plan(name).ideas
    assert [int(each.split(" ")[0]) for each in episodes] == sorted(told)
    for number, each in enumerate(episodes, 1):
        own = re.split(r"^## ", each, flags=re.M)[0]
        places = [own.find(f"**{part}.**") for part in PARTS]
        assert -1 not in places, (name, number, PARTS)
        assert places == sorted(places)
        assert f"<!-- made by tools/workshops.py: ideas {number} -->" in own
    assert {step.episode for step in workshops.plan(name).steps} - {0} == set(told)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_learners_objectives_and_a_plan_for_being_late(name):
    headings = re.findall(r"^## (.*)$", text(name), flags=re.M)
    wanted = ["Who comes", "What they can do afterwards", "The plan", "If you are 20 minutes late"]
    assert [each for each in headings if each in wanted] == wanted
    assert text(name).count("\n- **") >= 3  # learners, by name


@pytest.mark.parametrize("name", NAMES)
def test_every_quoted_idea_stands_in_the_bank_of_its_exercise(name):
    for told in workshops.plan(name).ideas.values():
        for idea in told:
            quoted = workshops.ideas()[idea["exercise"], idea["name"]]
            assert f"{idea['exercise']}: {quoted['looks_like']}" in text(name)
            assert " ".join(quoted["why"].split()) in text(name)
            assert len(idea["say"].split()) >= 6


PAGES = [
    "README.md",
    "instructor/README.md",
    *(f"instructor/{path.name}" for path in (ROOT / "instructor").glob("*.md")),
]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page):
    words = re.sub(r"^ {4}.*$", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.M)
    for target in re.findall(r"(?<!\!)\[[^\]]*\]\((?![a-z]+:|#)([^)\s#]+)", words):
        assert ((ROOT / page).parent / target).exists(), target


def test_from_the_readme_everything_is_within_two_clicks():
    def linked(page):
        return {
            (page.parent / target).resolve()
            for target in re.findall(r"\]\((?![a-z]+:|#)([^)\s#]+)", page.read_text(encoding="utf-8"))
        }

    first = linked(ROOT / "README.md")
    second = set().union(*(linked(page) for page in first if page.suffix == ".md"))
    wanted = [*(workshops.page(name) for name in NAMES)]
    wanted += [ROOT / "instructor" / name for name in ("slides.md", "print.md", "class.md", "before-and-after.md")]
    assert set(wanted) <= first | second


def test_commands_that_the_pages_name_are_targets_of_make():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for page in PAGES:
        for target in re.findall(r"(?:`|^ {4})make ([a-z-]+)", (ROOT / page).read_text(encoding="utf-8"), flags=re.M):
            assert re.search(rf"^{target}:", makefile, re.M), f"{page}: make {target}"


# --- the sums ---


def test_minutes_of_a_load_are_known_by_hand():
    # 360 words are 2 minutes, 2 predictions 3, 4 cells 2, 5 lines 2, 60 seconds 1; exercises come on top in a room.
    load = Load(words=360, predictions=2, cells=4, lines=5, seconds=60.0, exercises=12.0)
    assert load.reading == pytest.approx(10.0, rel=1e-12)
    assert load.in_a_room == pytest.approx(1.25 * 10 + 1.5 * 12, rel=1e-12)


CHAPTER = """# 90 · Made up

one two three

## First

four five

### Inside

six **Predict:** seven

## Second

eight
"""


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """A chapter 90: First with two cells and a folded part, and Second."""
    new = nbformat.v4
    cells = [new.new_markdown_cell(CHAPTER.split("## Second")[0]), new.new_code_cell("a = 1\nb = 2", id="slow")]
    cells[1].metadata["tags"] = ["type-along"]
    cells += [new.new_markdown_cell("### Folded\n\n" + "word " * 50, metadata={"tags": ["second-reading"]})]
    cells += [new.new_code_cell("c = 3", id="folded"), new.new_markdown_cell("## Second\n\neight")]
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "90_made_up.ipynb").write_text(nbformat.writes(new.new_notebook(cells=cells)))
    monkeypatch.setattr(workshops, "ROOT", tmp_path)
    monkeypatch.setattr(workshops, "_stored_seconds", lambda: {"90": {"slow": 12.0, "folded": 99.0}})
    workshops.sections.cache_clear()
    yield
    workshops.sections.cache_clear()


@pytest.mark.usefixtures("made_up")
def test_a_section_is_what_stands_under_its_heading_without_second_readings():
    # Words count with the marks around them: "## First four five" are four, "### Inside six **Predict:** seven" five.
    assert workshops.load_of("90", ["First"]) == Load(words=9, predictions=1, cells=1, lines=2, seconds=12.0)
    assert workshops.load_of("90", ["First"], without=["Inside"]) == Load(words=4)
    assert workshops.load_of("90", ["First", "Inside"]) == workshops.load_of("90", ["First"])  # nothing counts twice


@pytest.mark.usefixtures("made_up")
def test_a_section_that_does_not_exist_is_named():
    with pytest.raises(PlanError, match="no section 'Third'"):
        workshops.load_of("90", ["Third"])


GOOD = """
[[session]]
title = "Short"
minutes = 50
[[session.step]]
what = "Talk"
minutes = 20
spare = 20
spare_how = "be silent"
[[session.step]]
what = "Exercise"
minutes = 30
exercises = ["02.4", "02.2"]
[[idea]]
episode = 1
exercise = "02.4"
name = "keeps-first-use"
say = "..."
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("minutes = 50", "minutes = 45", "take 50 minutes, and it has 45"),
        ("spare = 20", "spare = 18", "can spare 18 minutes"),
        ("spare = 20", "spare = 25", "spares 25 of 20 minutes"),
        ('["02.4", "02.2"]', '["02.4", "02.7"]', "has 30 minutes and needs 39"),
        ('["02.4", "02.2"]', '["01.1"]', "has 30 minutes and needs only 8"),
        ('["02.4", "02.2"]', '["02.77"]', "there is no exercise '02.77'"),
        ("keeps-first-use", "keeps-nothing", "no idea 'keeps-nothing'"),
    ],
)
def test_a_plan_that_does_not_hold_is_refused_in_words(tmp_path, monkeypatch, old, new, words):
    monkeypatch.setattr(workshops, "PLANS", tmp_path)
    (tmp_path / "made.toml").write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(PlanError, match=re.escape(words)):
        workshops.plan("made")


def test_sums_may_drift_a_little_and_words_may_not():
    old = "| A | 300 | 2 | 5 | 0 | 3 s | 0 min | 9 min | 12 min |"
    assert workshops._near(old, old.replace("300", "310").replace("9 min", "10 min"))
    assert not workshops._near(old, old.replace("300", "400"))
    assert not workshops._near(old, old.replace("| A", "| B"))
    assert not workshops._near("| 0:10 | 12 | A | |", "| 0:10 | 13 | A | |")
