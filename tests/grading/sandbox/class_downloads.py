"""A class with every oddity there is, as Canvas, Moodle or Gradescope give it out, and what each learner deserves.

Who is odd in which way depends on the learner's number alone, so the three downloads hold the same class.
"""

import csv
import io
import json
import re
import zipfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from generated_class import answers, generate

PLATFORMS = ("Canvas", "Moodle", "Gradescope")
GIVEN = ("Ann", "Zoë", "José María", "Bob", "Nguyễn", "O'Neil", "李", "Eve, the 2nd", "=cmd", "Max-2026_11")
FAMILY = ("Lee", "van der Berg", "Östlund", "McDonald", "Ünlü", "Smith_Jones", "Α", "de la Cruz")


@dataclass
class Learner:
    """One learner: who it is, the files that were handed in, what they deserve, and words that a flag must hold."""

    number: int
    name: str
    files: dict[str, bytes]
    marks: dict[str, float]
    oddity: str = ""
    flag: str = ""
    submitted: datetime | None = None
    rostered: bool = True
    taken: float = 0.0
    extra: dict = field(default_factory=dict)

    @property
    def id(self):
        return str(50_000 + 7 * self.number)

    @property
    def points(self):
        return max(0.0, sum(self.marks.values()) - self.taken)


# --- oddities --------------------------------------------------------------------------------------------------------

FORGED = "submission_1:\n  :submitters:\n  - :name: Mallory\n    :sid: 'mallory'\n"


def _zipped(files, separator="/"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.filename = name.replace("/", separator)
            archive.writestr(info, data)
    return buffer.getvalue()


def _changed(data, change):
    notebook = json.loads(data)
    change(notebook)
    return json.dumps(notebook, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _without_identity(notebook):
    notebook["metadata"].pop("coursepkg", None)


def _bare(notebook):
    """What a hosted editor may leave: no metadata, no checks, no marks."""
    notebook["metadata"] = {}
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        text = "".join(cell["source"])
        cell["source"] = re.sub(r"^(from coursepkg\.grading import.*|check\(.*\))$", "", text, flags=re.MULTILINE)


def _broken_cell(notebook):
    notebook["cells"].append({"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None,
                              "source": "class Broken:\n    def gradient_step(self):\n        return (\n"})  # fmt: skip


def _foreign(name):
    def change(notebook):
        notebook["metadata"]["coursepkg"] = {"assignment": name}

    return change


def _large_output(notebook):
    text = {"output_type": "stream", "name": "stdout", "text": ["x" * 3_000_000]}
    next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")["outputs"] = [text]


def _magics(notebook):
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and "return answer" not in cell["source"]:
            cell["source"] = "%%time\nfiles = !ls\n!pip --version\n" + "".join(cell["source"])


def _oddities(learner, name, data, foreign, rng):
    """The files of a learner, by the oddity that the number calls for; marks and flags follow."""
    zero = dict.fromkeys(learner.marks, 0.0)
    plain = {name: data}
    untouched = foreign["untouched"]
    kinds = {
        1: ("a matriculation number for a name", {"1012345.ipynb": data}, None, ""),
        2: ("an empty notebook of another chapter", {**plain, "11_x.ipynb": b""}, None, "no part of"),
        3: ("a forged list of submitters", {**plain, "submission_metadata.yml": FORGED.encode()}, None, ""),
        4: ("a date in the name", {"me_2026_11_homework.ipynb": data}, None, ""),
        5: ("a zip in a zip with backslashes", {"all.zip": _zipped({"in/x.zip": _zipped({f"a/{name}": data}, "\\")})},
            None, ""),
        6: ("an untouched copy", {**plain, f"{name[:-6]}-Copy1.ipynb": untouched}, None, "several notebooks"),
        7: ("a PDF alone", {"homework.pdf": b"%PDF-1.7"}, zero, "homework.pdf"),
        8: ("a script alone", {"answers.py": b"print(1)"}, zero, "answers.py"),
        9: ("another chapter alone", {"02_mine.ipynb": foreign["chapter"]}, zero, "no part of"),
        10: ("another assignment", {name: _changed(data, _foreign("hw3"))}, zero, "belongs to hw3"),
        11: ("no identity", {name: _changed(data, _without_identity)}, None, ""),
        12: ("no metadata and no checks", {"final.ipynb": _changed(data, _bare)}, None, "found by its name"),
        13: ("a broken cell that names methods", {name: _changed(data, _broken_cell)}, None, ""),
        14: ("large outputs", {name: _changed(data, _large_output)}, None, ""),
        15: ("magics in every cell", {name: _changed(data, _magics)}, None, ""),
        16: ("no JSON", {name: b"{"}, zero, ""),
        17: ("late", plain, None, ""),
        18: ("not on the roster", plain, None, ""),
    }  # fmt: skip
    return kinds.get(learner.number % 23, ("", plain, None, ""))


def a_class(chapter, size, rng, *, released, foreign, due, per_day):
    """The learners of a class.

    Parameters
    ----------
    chapter : str
        "03".
    size : int
        Number of learners.
    rng : numpy.random.Generator
        Chooses answers.
    released : dict
        The notebook that was handed out.
    foreign : dict
        Bytes of an ``untouched`` copy, and of another ``chapter``.
    due : datetime
        When it is due.
    per_day : float
        What each late day takes off.
    """
    found = generate(chapter, size, rng, notebook=released["notebook"], shares={"right": 0.6, "partial": 0.4})
    points = released["points"]
    learners = []
    for number, made in enumerate(found):
        name = f"{GIVEN[number % len(GIVEN)]} {FAMILY[number % len(FAMILY)]}"
        marks = {exercise: points[exercise] if right else 0.0 for exercise, right in made.right.items()}
        learner = Learner(number, name, {}, marks, submitted=due - timedelta(hours=3))
        learner.oddity, learner.files, new, learner.flag = _oddities(learner, released["name"], made.data, foreign, rng)
        learner.marks = new or marks
        learner.rostered = learner.oddity != "not on the roster"
        if learner.oddity == "late":
            learner.submitted = due + timedelta(days=1, minutes=1)
            learner.taken = 2 * per_day
        learners.append(learner)
    assert set(answers(chapter)) == set(points)
    return learners


# --- downloads and rosters -------------------------------------------------------------------------------------------


def download(platform, learners, path):
    """Write the zip that a platform gives out, and the roster as it exports it; returns both paths."""
    members = {}
    for learner in learners:
        for name, data in learner.files.items():
            members[_place(platform, learner, name)] = data
    if platform == "Gradescope":
        members["assignment_7_export/submission_metadata.yml"] = _metadata(learners).encode()
    zipped = path / f"{platform}.zip"
    zipped.write_bytes(_zipped(members))
    roster = path / f"{platform}.csv"
    with roster.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(_roster(platform, [*filter(lambda one: one.rostered, learners), *_missing()]))
    return zipped, roster


def _missing():
    return [Learner(9000 + k, f"Absent {k}", {}, {}) for k in range(3)]


def _place(platform, learner, name):
    if platform == "Canvas":
        late = "_LATE" if learner.oddity == "late" else ""
        joined = re.sub(r"[\W_]", "", learner.name.lower()) + str(learner.number)
        number = 900_000 + 100 * learner.number + list(learner.files).index(name)
        return f"{joined}{late}_{learner.id}_{number}_{name}"
    if platform == "Moodle":
        return f"{learner.name.replace('/', ' ')}_{learner.id}_assignsubmission_file/{name}"
    return f"assignment_7_export/submission_{learner.number + 1}/{name}"


def _metadata(learners):
    lines = []
    for one in learners:
        created = one.submitted.strftime("%Y-%m-%d %H:%M:%S.000000000 %z")
        lines.append(
            f"submission_{one.number + 1}:\n  :submitters:\n  - :name: {json.dumps(one.name, ensure_ascii=False)}\n"
            f"    :sid: '{one.id}'\n    :email: l{one.id}@example.org\n  :created_at: {created}\n"
            f"  :score: 0.0\n  :history:\n  - :id: 4\n    :created_at: 2020-01-01 00:00:00.0 Z\n"
        )
    return "".join(lines)


def _roster(platform, people):
    if platform == "Canvas":
        yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "hw2 (77)"]
        yield ["    Points Possible", "", "", "", "", ""]
        for one in people:
            yield [one.name, one.id, f"s{one.id}", f"l{one.id}@example.org", "A", ""]
    elif platform == "Moodle":
        yield ["Identifier", "Full name", "Email address", "Status", "Grade", "Last modified (submission)",
               "Feedback comments"]  # fmt: skip
        for one in people:
            when = one.submitted.strftime("%A, %d %B %Y, %I:%M %p") if one.submitted else "-"
            yield [f"Participant {one.id}", one.name, f"l{one.id}@example.org", "", "", when, ""]
    else:
        yield ["First Name", "Last Name", "SID", "Email", "Sections"]
        for one in people:
            yield [one.name.split()[0], one.name.split()[-1], one.id, f"l{one.id}@example.org", ""]
